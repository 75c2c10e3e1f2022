"""Work that goes on beside that of the caller, in a thread of its own."""

from __future__ import annotations

from threading import Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Beside:
    """`with Beside(work):` does the work meanwhile; the block ends when both have.

    What goes wrong in the work is raised at the end of the block, whatever else went wrong there; only what is to end
    the program, as an interrupt, goes before it.

    Args:
        work: What to do. It is waited for even where the block has failed: it must end by itself.
    """

    __slots__ = ("_error", "_thread", "_work")

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="beside")

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._thread.join()
        except BaseException:
            # Interrupted: the work still uses what the caller is about to close.
            self._thread.join()
            raise
        if self._error is not None and (error is None or isinstance(error, Exception)):
            raise self._error
