"""How a task waits for guests and for work in threads: without a thread for each, and so that nothing outlives it.

What a cancelled task has started is ended before the cancellation goes on: whoever awaits the task knows then that no guest
of it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pkgmgr.library.process import Process
    from pkgmgr.library.progress import LoadProgress

_T = TypeVar("_T")


class Ended:
    """Tells a task when a guest has ended.

    Args:
        process: The guest.
    """

    def __init__(self, process: Process) -> None:
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        process._process.on_end(self._tell)

    async def wait(self) -> None:
        """Wait until it has."""
        await self._event.wait()

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):
            # The loop may be closed by now: nobody waits any more.
            self._loop.call_soon_threadsafe(self._event.set)


async def in_thread(work: Callable[[], _T], undo: Callable[[_T], Coroutine[object, object, None]] | None = None) -> _T:
    """Do something that blocks in a thread of the loop's pool.

    Args:
        work: What to do.
        undo: What to do with what came of it where the task is cancelled meanwhile.
    """
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if undo is None:
            future.add_done_callback(_forget)
        else:
            await to_the_end(_undone(future, undo))
        raise


async def to_the_end(work: Coroutine[object, object, None]) -> None:
    """Do something whatever cancels the task meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


async def _undone(future: asyncio.Future[_T], undo: Callable[[_T], Coroutine[object, object, None]]) -> None:
    try:
        result = await future
    except Exception:
        # It has failed: there is nothing to undo, and the cancellation is what counts.
        return
    await undo(result)


def _forget(future: asyncio.Future[_T]) -> None:
    if not future.cancelled():
        future.exception()


class Telling:
    """Hands the progress of a thread to the loop, and makes the thread give up where the task is cancelled.

    Args:
        callback: Called on the loop; None hears nothing.
    """

    def __init__(self, callback: Callable[[LoadProgress], object] | None) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._cancelled = threading.Event()

    def __call__(self, progress: LoadProgress) -> None:
        """Called by the thread."""
        if self._cancelled.is_set():
            raise WpmError("given up, as whoever wanted it does not wait any more")
        if self._callback is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._callback, progress)

    async def load(self, work: Callable[[], _T]) -> _T:
        """Do something that tells of its progress here."""
        try:
            return await in_thread(work)
        except asyncio.CancelledError:
            self._cancelled.set()
            raise
