"""What people see while packages are fetched: a bar for each on a terminal, a line for each elsewhere."""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock
from contextlib import contextmanager
from contextvars import ContextVar

from runtime.typed import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final, Self

_WORTH_A_BAR: Final = 8 << 20
_LONGEST_NAME: Final = 40


class FetchProgress(Protocol):
    """Hears of packages that are fetched, in any number of threads."""

    def __enter__(self) -> Self:
        """Begin to show something."""

    def __exit__(self, *_: object) -> None:
        """End that, and leave the terminal as it was."""

    def begin(self, name: str, size: int | None) -> Callable[[int], object]:
        """A package of so many bytes, if that is known, is begun; gives what counts its bytes."""

    def waiting(self, name: str) -> None:
        """Another process fetches the package, and that takes a while."""

    def end(self, name: str, size: int, *, downloaded: bool) -> None:
        """The package is in the store."""


_listener: ContextVar[FetchProgress | None] = ContextVar("listener", default=None)


@contextmanager
def listening(progress: FetchProgress) -> Iterator[None]:
    """Let `progress` hear of what is fetched in this thread or task meanwhile; people are shown nothing of it."""
    token = _listener.set(progress)
    try:
        yield
    finally:
        _listener.reset(token)


def is_shown() -> bool:
    """Whether people are to be shown what is done, rather than a program that listens."""
    return _listener.get() is None


def fetch_progress(
    packages: int, size: int, *, remote: bool, noun: str = "packages", done: str = "fetched"
) -> FetchProgress:
    """What shows this work where standard error goes.

    Args:
        packages: How many packages there are.
        size: Their bytes in all.
        remote: Whether some come over the network: copying files of this machine is seldom worth a bar.
        noun: What they are.
        done: What was done with one.
    """
    if (listener := _listener.get()) is not None:
        return listener
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return FetchLines(done)
    return FetchBars(packages, size, noun) if remote or size > _WORTH_A_BAR else FetchLines(done)


class FetchSilence:
    """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def begin(self, name: str, size: int | None) -> Callable[[int], object]:  # noqa: ARG002
        """Nothing is shown."""
        return lambda _: None

    def waiting(self, name: str) -> None:
        """Nothing is shown."""

    def end(self, name: str, size: int, *, downloaded: bool) -> None:
        """Nothing is shown."""


class FetchLines(FetchSilence):
    """A line on standard error for each package that was downloaded, and nothing for what was near.

    Args:
        done: What was done with it.
    """

    def __init__(self, done: str = "fetched") -> None:
        self._done = done
        self._lock = allocate_lock()

    def waiting(self, name: str) -> None:
        """Say so."""
        self._print(f"waiting for another wpm that fetches {name}")

    def end(self, name: str, size: int, *, downloaded: bool) -> None:
        """Say so."""
        if downloaded:
            from pkgmgr.cli.output import bytes_for_people

            self._print(f"{self._done} {name} ({bytes_for_people(size)})")

    def _print(self, line: str) -> None:
        with self._lock:
            if sys.stderr is not None:
                print(line, file=sys.stderr, flush=True)


class FetchBars:
    """A bar with bytes and speed for each package that is on its way, and one for all of several; they go when they are done.

    Args:
        packages: How many packages there are.
        size: Their bytes in all.
        noun: What they are.
    """

    def __init__(self, packages: int, size: int, noun: str = "packages") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._packages = packages
        self._noun = noun
        self._done = 0
        self._tasks: dict[str, Any] = {}
        self._lock = allocate_lock()
        # Names are shown as they are: what looks like markup in them is none.
        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True), transient=True)
        self._all = self._bars.add_task(self._title, total=size) if packages > 1 else None

    def __enter__(self) -> Self:
        self._bars.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.__exit__(None, None, None)

    def begin(self, name: str, size: int | None) -> Callable[[int], object]:
        """Show a bar."""
        task = self._bars.add_task(_short(name), total=size)
        with self._lock:
            self._tasks[name] = task

        def count(number: int) -> None:
            if number:
                self._bars.update(task, advance=number)
                if self._all is not None:
                    self._bars.update(self._all, advance=number)

        return count

    def waiting(self, name: str) -> None:
        """Say so beside the bar."""
        self._bars.update(self._tasks[name], description=f"{_short(name)} (another wpm fetches it)")

    def end(self, name: str, size: int, *, downloaded: bool) -> None:  # noqa: ARG002
        """Take the bar away."""
        with self._lock:
            self._done += 1
            task = self._tasks.pop(name)
        if self._all is not None:
            self._bars.update(self._all, description=self._title)
        self._bars.remove_task(task)

    @property
    def _title(self) -> str:
        return f"{self._done} of {self._packages} {self._noun}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
