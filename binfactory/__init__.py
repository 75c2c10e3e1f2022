"""Packages as programs: commands, mounts, compiled modules and the binary factory. Internal."""
