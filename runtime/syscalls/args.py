"""Arguments, environment variables and random bytes.

Source: WASI preview 1, `args_get` .. `environ_sizes_get`, `random_get`.
"""

from __future__ import annotations

import os
from itertools import accumulate
from struct import pack

from runtime.hostcalls import syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.thread import GuestThread

_RANDOM_CHUNK = 1 << 20


def encode(text: str) -> bytes:
    """The guest's bytes for a string of ours."""
    return text.encode("utf-8", "surrogateescape")


def _variables(thread: GuestThread) -> list[str]:
    return [f"{name}={value}" for name, value in thread.env.environ.items()]


def _sizes(thread: GuestThread, strings: Sequence[str], count: int, size: int) -> None:
    thread.memory.set_u32(count, len(strings))
    thread.memory.set_u32(size, sum(len(encode(string)) + 1 for string in strings))


def _strings(thread: GuestThread, strings: Sequence[str], pointers: int, buffer: int) -> None:
    """An array of u32 pointers, and where they point the strings, each with a NUL behind it."""
    encoded = [encode(string) + b"\0" for string in strings]
    starts = accumulate((len(string) for string in encoded[:-1]), initial=buffer) if encoded else ()
    thread.memory.write(buffer, b"".join(encoded))
    thread.memory.write(pointers, pack(f"<{len(encoded)}I", *(start & 0xFFFF_FFFF for start in starts)))


@syscall("args_sizes_get", "ii:i")
def args_sizes_get(thread: GuestThread, count: int, size: int) -> None:
    """Write how many arguments there are (u32 at `count`) and how many bytes they need (u32 at `size`)."""
    _sizes(thread, thread.env.args, count, size)


@syscall("args_get", "ii:i")
def args_get(thread: GuestThread, pointers: int, buffer: int) -> None:
    """Write the argument strings to `buffer` and a pointer to each to the u32 array `pointers`."""
    _strings(thread, thread.env.args, pointers, buffer)


@syscall("environ_sizes_get", "ii:i")
def environ_sizes_get(thread: GuestThread, count: int, size: int) -> None:
    """Write how many variables there are and how many bytes their `NAME=VALUE` strings need."""
    _sizes(thread, _variables(thread), count, size)


@syscall("environ_get", "ii:i")
def environ_get(thread: GuestThread, pointers: int, buffer: int) -> None:
    """Write the variables as `NAME=VALUE` strings, as `args_get` writes the arguments."""
    _strings(thread, _variables(thread), pointers, buffer)


@syscall("random_get", "ii:i")
def random_get(thread: GuestThread, buffer: int, length: int) -> None:
    """Fill the buffer with bytes of the operating system's generator."""
    view = thread.memory.view(buffer, length)
    for start in range(0, length, _RANDOM_CHUNK):
        part = view[start : start + _RANDOM_CHUNK]
        part[:] = os.urandom(len(part))
