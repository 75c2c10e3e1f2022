"""Loads every syscall family, once: a family declares its functions when it is imported."""

from __future__ import annotations


def load() -> None:
    """Declare all host functions."""
    from runtime.syscalls import args, clock, descriptor, directory, file, path, poll, proc, sock, wasix  # noqa: F401
