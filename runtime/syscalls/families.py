"""Loads every syscall family, once: a family declares its functions when it is imported."""

from __future__ import annotations


def load() -> None:
    """Declare all host functions."""
    from runtime.syscalls import (  # noqa: F401
        args,
        clock,
        context,
        cwd,
        descriptor,
        directory,
        duplicate,
        epoll,
        event,
        execute,
        file,
        fork,
        futex,
        later,
        path,
        poll,
        port,
        proc,
        resolve,
        send_file,
        signal,
        sock,
        sock_option,
        sock_setup,
        stack,
        thread,
        tty,
    )
