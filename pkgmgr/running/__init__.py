"""From what somebody names to a running guest. Internal."""
