"""Modules of our own that run beside a guest, in text form and assembled. Internal."""
