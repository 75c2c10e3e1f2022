"""What programs hear while packages are loaded."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from pkgmgr.library.load_phase import LoadPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SECONDS_BETWEEN = 0.1


@dataclass(frozen=True, slots=True)
class PackageProgress:
    """How far one package is.

    Attributes:
        id: `namespace/name@version`, or what it was asked for by as long as nothing else is known.
        phase: How far it is.
        downloaded: How many bytes have arrived.
        total: How many there are; None while that is not known.
        cached: Whether it was here already.
    """

    id: str
    phase: LoadPhase
    downloaded: int = 0
    total: int | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far a load is: a picture of the moment, not what has changed.

    Attributes:
        phase: That of the package that is least far.
        downloaded: How many bytes have arrived, of all packages.
        total: How many there are; None while that is not known of one of them.
        packages: Each of the packages that were asked for, and of those that they need and that were not here.
    """

    phase: LoadPhase
    downloaded: int
    total: int | None
    packages: tuple[PackageProgress, ...]

    @property
    def percent(self) -> float | None:
        """How much of the bytes has arrived, from 0 to 100; None while that is not known."""
        if self.total is None:
            return None
        return 100.0 if self.total == 0 else min(100.0, 100.0 * self.downloaded / self.total)


_ORDER = tuple(LoadPhase)


class Loading:
    """Gathers what is heard in any number of threads, and tells it: phases at once, bytes ten times a second.

    Args:
        names: What was asked for.
        callback: Who is told; one call at a time.
    """

    def __init__(self, names: Iterable[str], callback: Callable[[LoadProgress], object]) -> None:
        self._callback = callback
        self._lock = threading.RLock()
        self._last = 0.0
        self._phase = LoadPhase.RESOLVING
        self._asked = {number: PackageProgress(name, LoadPhase.RESOLVING) for number, name in enumerate(names)}
        self._fetched: dict[str, PackageProgress] = {}

    def phase(self, number: int, phase: LoadPhase, id: str | None = None) -> None:
        """A package that was asked for has come further.

        Args:
            number: Which, from 0.
            phase: How far.
            id: What it turned out to be.
        """
        with self._lock:
            now = replace(self._asked[number], phase=phase)
            if id is not None:
                now = replace(now, id=id)
            if phase is LoadPhase.READY:
                now = replace(now, total=0, cached=now.id not in self._fetched)
            self._asked[number] = now
            self._tell()

    def begin(self, name: str, size: int | None) -> Callable[[int], object]:
        """As `FetchProgress.begin`."""
        with self._lock:
            self._fetched[name] = PackageProgress(name, LoadPhase.DOWNLOADING, 0, size)
            self._tell()

        def count(number: int) -> None:
            with self._lock:
                known = self._fetched[name]
                self._fetched[name] = replace(known, downloaded=known.downloaded + number)
                if time.monotonic() - self._last >= _SECONDS_BETWEEN:
                    self._tell()

        return count

    def waiting(self, name: str) -> None:
        """As `FetchProgress.waiting`: whoever fetches it tells of it."""

    def end(self, name: str, size: int, *, downloaded: bool) -> None:  # noqa: ARG002
        """As `FetchProgress.end`."""
        with self._lock:
            self._fetched[name] = PackageProgress(name, LoadPhase.READY, size, size)
            self._tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def _tell(self) -> None:
        self._last = time.monotonic()
        asked = [each for each in self._asked.values() if each.id not in self._fetched]
        ready = {each.id for each in self._asked.values() if each.phase is LoadPhase.READY}
        fetched = [
            replace(each, phase=LoadPhase.LOADING)
            if each.phase is LoadPhase.READY
            and each.id not in ready
            and any(a.id == each.id for a in self._asked.values())
            else each
            for each in self._fetched.values()
        ]
        packages = (*asked, *fetched)
        least = min((each.phase for each in packages), key=_ORDER.index, default=LoadPhase.READY)
        if least is LoadPhase.RESOLVING and any(each.phase is LoadPhase.DOWNLOADING for each in packages):
            least = LoadPhase.DOWNLOADING
        # A package is asked for by one name and fetched by another: what is known of it never goes back for that.
        self._phase = least = max(self._phase, least, key=_ORDER.index)
        known = [each.total for each in packages if each.total is not None]
        total = sum(known) if len(known) == len(packages) else None
        self._callback(LoadProgress(least, sum(each.downloaded for each in packages), total, packages))
