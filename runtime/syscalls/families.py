"""Loads the syscall families: a family declares its functions when it is imported.

What nearly every guest imports is loaded at once. The rest (sockets, terminals, and so on) is loaded for the guests that
import it: together it would take a fifth of the time of a small run.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_RARE = (
    ("sock_set_opt_", "sock_option"),
    ("sock_get_opt_", "sock_option"),
    ("sock_join_", "sock_option"),
    ("sock_leave_", "sock_option"),
    ("sock_send_file", "send_file"),
    ("sock_send_msg", "sock_message"),
    ("sock_recv_msg", "sock_message"),
    ("sock_", "sock"),
    ("sock_", "sock_setup"),
    ("resolve", "resolve"),
    ("port_", "port"),
    ("epoll_", "epoll"),
    ("context_", "context"),
    ("tty_", "tty"),
    ("dl", "later"),
    ("call_dynamic", "later"),
    ("closure_", "later"),
    ("reflect_", "later"),
    ("proc_snapshot", "later"),
    ("thread_spawn", "early_threads"),
    ("callback_thread", "early_threads"),
    ("callback_reactor", "early_threads"),
    ("getpid", "early_processes"),
    ("process_spawn", "early_processes"),
    ("bus_", "bus"),
    ("call_reply", "bus"),
    ("call_fault", "bus"),
    ("call_close", "bus"),
    ("ws_", "web"),
    ("http_", "web"),
)
"""How the names of functions begin, and the family that has them."""

_loaded: set[str] = set()


def load_common() -> None:
    """Declare the functions that nearly every guest imports."""
    from runtime.syscalls import (  # noqa: F401
        args,
        clock,
        cwd,
        descriptor,
        directory,
        duplicate,
        event,
        execute,
        file,
        fork,
        futex,
        path,
        poll,
        proc,
        signal,
        stack,
        thread,
    )


def load_for(names: Iterable[str]) -> None:
    """Declare the common functions and the families of these."""
    load_common()
    for name in names:
        for beginning, family in _RARE:
            if family not in _loaded and name.startswith(beginning):
                import_module(f"runtime.syscalls.{family}")
                _loaded.add(family)


def load() -> None:
    """Declare all host functions."""
    load_for(beginning for beginning, _ in _RARE)
