"""Filesystems: nodes, not paths. Internal."""
