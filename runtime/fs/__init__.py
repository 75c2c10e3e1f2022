"""Filesystems: nodes, not paths."""
