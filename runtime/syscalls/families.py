"""Loads the syscall families: a family declares its functions when it is imported.

A guest gets the families of what it imports: all together would take a quarter of the time of a small run.
"""

from __future__ import annotations

from importlib import import_module

from runtime.hostcalls import WASIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FAMILIES = {
    "args": ("args_", "environ_", "random_get"),
    "bus": ("bus_", "call_reply", "call_fault", "call_close"),
    "clock": ("clock_",),
    "context": ("context_",),
    "cwd": ("chdir", "getcwd"),
    "descriptor": ("fd_close", "fd_fdstat_", "fd_prestat_", "fd_renumber"),
    "directory": ("fd_readdir",),
    "duplicate": ("fd_dup", "fd_fdflags_", "fd_pipe"),
    "early_processes": ("getpid", "process_spawn"),
    "early_threads": ("thread_spawn", "callback_thread", "callback_reactor"),
    "epoll": ("epoll_",),
    "event": ("fd_event",),
    "execute": ("proc_exec", "proc_spawn"),
    "file": (
        "fd_advise",
        "fd_allocate",
        "fd_datasync",
        "fd_filestat_",
        "fd_p",
        "fd_read",
        "fd_s",
        "fd_tell",
        "fd_write",
    ),
    "fork": ("proc_fork", "proc_vfork", "proc_id", "proc_join", "proc_parent"),
    "futex": ("futex_",),
    "hurry": ("hurry", "nudge"),
    "later": ("dl", "call_dynamic", "closure_", "reflect_", "proc_snapshot"),
    "path": ("path_",),
    "poll": ("poll_",),
    "port": ("port_",),
    "proc": ("proc_exit", "proc_raise", "sched_"),
    "resolve": ("resolve",),
    "send_file": ("sock_send_file",),
    "signal": ("callback_signal", "proc_raise_interval", "proc_signal"),
    "sock": ("sock_",),
    "sock_message": ("sock_send_msg", "sock_recv_msg"),
    "sock_option": ("sock_set_opt_", "sock_get_opt_", "sock_join_", "sock_leave_"),
    "sock_setup": ("sock_",),
    "stack": ("stack_", "checkpoint_"),
    "thread": ("thread_", "thread-"),
    "tty": ("tty_",),
    "web": ("ws_", "http_"),
}
"""Each family, and how the names of its functions begin."""

_loaded: set[str] = set()


def load_for(imports: Iterable[tuple[str, str]]) -> None:
    """Declare the families of these: namespaces and names of functions."""
    for namespace, name in imports:
        if namespace != WASIX and name.startswith("sock_"):
            _load("sock_preview1")
            continue
        for family, beginnings in _FAMILIES.items():
            if family not in _loaded and name.startswith(beginnings):
                _load(family)


def load() -> None:
    """Declare all host functions."""
    for family in (*_FAMILIES, "sock_preview1"):
        _load(family)


def _load(family: str) -> None:
    if family not in _loaded:
        import_module(f"runtime.syscalls.{family}")
        _loaded.add(family)
