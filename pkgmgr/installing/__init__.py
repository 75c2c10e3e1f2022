"""From a lock, or what somebody names, to packages in the store, ready to run. Internal."""
