"""Looking at a package without running it: what it holds, and who signed it. Internal."""
