"""Contexts. Source: `wasix/context.h` of wasix-libc; `context_create`, `context_switch`, `context_destroy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.contexts import contexts_of
from runtime.hostcalls import WASIX, syscall

if TYPE_CHECKING:
    from runtime.thread import GuestThread


@syscall("context_create", "ii:i", WASIX)
def context_create(thread: GuestThread, result: int, entry: int) -> None:
    """Make a suspended context that will run the function at an index of the table; writes its number, u64.

    The function must not return: then, as when it traps, the thread's first context traps. Errors: `INVAL` for what is no
    function without parameters and results, `NOTSUP` for a module whose memory is not shared.
    """
    thread.memory.check(result, 8)
    thread.memory.set_u64(result, contexts_of(thread).create(thread, entry))


@syscall("context_switch", "I:i", WASIX)
def context_switch(thread: GuestThread, number: int) -> None:
    """Suspend this context and go on with another, 0 being the thread's first; with itself is nothing.

    Errors: `INVAL` for one that is not suspended, `NOTSUP`, `AGAIN` at the limit of threads.
    """
    contexts_of(thread).switch(thread, number)


@syscall("context_destroy", "I:i", WASIX)
def context_destroy(thread: GuestThread, number: int) -> None:
    """End a suspended context; one that there is not is nothing. Errors: `INVAL` for this one and for the first, `NOTSUP`."""
    contexts_of(thread).destroy(number)
