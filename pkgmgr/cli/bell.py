"""How the main thread waits for a guest, and hears of the signals that come meanwhile."""

from __future__ import annotations

# What `signal` is made of, which makes enumerations of its numbers first: 2 ms of each run.
import _signal  # type: ignore[import-not-found]
import os
import threading
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType, TracebackType

    from runtime.process import WasiProcess


class Bell:
    """Rings when a guest ends, and at every signal.

    The interpreter looks for signals before it waits for a lock, and is woken by one while it waits; what comes between the
    two is heard of when the wait is over: one Ctrl-C in 1,000. What a signal writes into a pipe stays there. Nor does a
    handler raise anything: a second Ctrl-C may come while the first is told to a guest.
    """

    def __init__(self, process: WasiProcess, signals: Iterable[int]) -> None:
        """A bell for a guest, to be used as a context.

        Args:
            process: the guest.
            signals: the numbers of those to hear of; one that whoever started us ignores stays ignored.
        """
        self._process = process
        self._heard: deque[int] = deque()
        self._signals = [number for number in signals if _signal.getsignal(number) is not _signal.SIG_IGN]
        self._before: dict[int, object] = {}
        self._woken = -1
        self._lock = threading.Lock()
        self._ends: tuple[int, int] | None = None

    def __enter__(self) -> Bell:
        self._ends = os.pipe()
        os.set_blocking(self._ends[1], False)
        if threading.current_thread() is threading.main_thread():
            self._woken = _signal.set_wakeup_fd(self._ends[1], warn_on_full_buffer=False)
            for number in self._signals:
                self._before[number] = _signal.signal(number, self._hear)
        self._process.on_end(self._ring)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            _signal.signal(number, handler)
        if threading.current_thread() is threading.main_thread():
            _signal.set_wakeup_fd(self._woken)
        with self._lock:
            for end in self._ends or ():
                os.close(end)
            self._ends = None

    def wait(self) -> int | None:
        """Wait for a signal, or the guest's end; the signal's number, None when the guest has ended."""
        assert self._ends is not None
        while not self._heard:
            if self._process.ended.is_set():
                return None
            os.read(self._ends[0], 64)
        return self._heard.popleft()

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._heard.append(number)

    def _ring(self) -> None:
        with self._lock:
            if self._ends is not None:
                try:
                    os.write(self._ends[1], b"\0")
                except BlockingIOError:
                    # A full pipe rings already.
                    return
