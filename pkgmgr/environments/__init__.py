"""Environments: a locked project as commands on PATH, as a shell, and as one file that makes it elsewhere. Internal."""
