"""Connections by URL, which C libraries and crates of 2022 and 2023 import; what came after them makes its own, of sockets.

Source: the WASIX functions of that time, `ws_connect`, `http_request`, `http_status`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.abi.errno import Errno
from runtime.hostcalls import WASIX, syscall

if TYPE_CHECKING:
    from runtime.thread import GuestThread


@syscall("ws_connect", "iii:i", WASIX)
def ws_connect(thread: GuestThread, *_arguments: int) -> Errno:
    """Open a web socket by its URL. Errors: `NOSYS`, always."""
    return _unavailable(thread, "ws_connect")


@syscall("http_request", "iiiiiiii:i", WASIX)
def http_request(thread: GuestThread, *_arguments: int) -> Errno:
    """Make a request by its URL, method and headers. Errors: `NOSYS`, always."""
    return _unavailable(thread, "http_request")


@syscall("http_status", "iiiiii:i", WASIX)
@syscall("http_status", "ii:i", WASIX)
def http_status(thread: GuestThread, *_arguments: int) -> Errno:
    """Tell how a request went; of 2022, with buffers for its text and headers. Errors: `NOSYS`, always."""
    return _unavailable(thread, "http_status")


def _unavailable(thread: GuestThread, name: str) -> Errno:
    thread.process.log_once(f"called {name}, which is not available (NOSYS): use sockets")
    return Errno.NOSYS
