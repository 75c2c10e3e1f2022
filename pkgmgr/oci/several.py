"""Doing the same with many blobs, several at a time: the first that fails ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_T = TypeVar("_T")

JOBS: Final = 4
"""How many blobs at a time, where nobody says it."""
_LAST_SECONDS: Final = 1.0


class GivenUp(WpmError):
    """Another blob failed, so that this one is not wanted any more."""


def do_several(items: Sequence[_T], do: Callable[[_T, Callable[[], None]], object], jobs: int | None) -> None:
    """Do something with each of many things.

    Args:
        items: The things.
        do: What to do with one; it is given what to call now and then, which raises where it shall end.
        jobs: How many at a time; None is the usual.

    Raises:
        WpmError: The first error; what was not begun is not done.
    """
    import threading
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    if len(items) <= 1 or jobs == 1:
        for item in items:
            do(item, lambda: None)
        return
    stopped = threading.Event()

    def check() -> None:
        if stopped.is_set():
            raise GivenUp("given up, as another blob failed")

    pool = ThreadPoolExecutor(min(jobs or JOBS, len(items)), "blobs")
    futures = [pool.submit(do, item, check) for item in items]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    except BaseException:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        # A thread may wait for a server that says nothing: whoever interrupts wants to leave now.
        wait(futures, _LAST_SECONDS)
        raise
    errors = [error for future in futures if future in done and (error := future.exception())]
    if errors:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(futures, _LAST_SECONDS)
        raise next((error for error in errors if not isinstance(error, GivenUp)), errors[0])
    pool.shutdown()
