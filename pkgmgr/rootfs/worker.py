"""A thread that does one thing to whatever it is given, in order, a few things behind whoever gives."""

from __future__ import annotations

from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

_T = TypeVar("_T")


class Worker(Generic[_T]):
    """A thread, as a context manager: at the end of the block all is done, or what failed is raised.

    Args:
        work: What is done to each thing.
        waiting: How many things may wait; who gives more waits too.
    """

    def __init__(self, work: Callable[[_T], object], waiting: int) -> None:
        self._work = work
        self._waiting: Queue[tuple[_T] | None] = Queue(waiting)
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="wpm-worker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._failure is None:
            self._failure = error
        self._waiting.put(None)
        self._thread.join()
        if error is None and self._failure is not None:
            raise self._failure

    def give(self, thing: _T) -> None:
        """Have something done, after all that was given before.

        Raises:
            BaseException: What was given before failed: as it failed.
        """
        if self._failure is not None:
            raise self._failure
        self._waiting.put((thing,))

    def _run(self) -> None:
        while (given := self._waiting.get()) is not None:
            # After a failure the rest is taken and left, so that nobody waits.
            if self._failure is None:
                try:
                    self._work(given[0])
                except BaseException as failure:
                    self._failure = failure
