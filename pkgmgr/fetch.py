"""Bringing packages into the store, from wherever they are."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import NotAsPromised, WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkgmgr.lockfile import LockedPackage
    from pkgmgr.registry import Registries
    from pkgmgr.store import Store, StoredObject
    from pkgmgr.summary import Location

_WORTH_A_BAR: Final = 8 << 20
"""How many bytes of local files are worth a progress bar; downloads always are."""


def fetch_packages(
    packages: Sequence[LockedPackage],
    registries: Registries,
    project: Path,
    store: Store,
    jobs: int,
) -> None:
    """Bring packages into the store, several at a time.

    Args:
        packages: What is missing.
        registries: Where names are looked up.
        project: Where the relative paths of the lock start.
        store: Where they go.
        jobs: How many at a time.

    Raises:
        WpmError: The first that failed; what arrived before stays in the store, and no half of anything.
    """
    located = [(package, registries.location(package, project)) for package in packages]
    for package, location in located:
        if registries.offline and not isinstance(location, Path):
            raise WpmError(f"{package.id}: not in the store, and --offline forbids to fetch {location}")
    remote = any(not isinstance(location, Path) for _, location in located)
    with _progress(sum(package.size for package in packages), remote) as count:
        if len(located) == 1 or jobs == 1:
            for package, location in located:
                _fetch_locked(package, location, store, count)
            return
        import threading
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        stopped = threading.Event()

        def going_on(number: int) -> None:
            if stopped.is_set():
                raise WpmError("given up, as another package could not be fetched")
            if count is not None:
                count(number)

        with ThreadPoolExecutor(min(jobs, len(located)), "fetch") as pool:
            futures = [pool.submit(_fetch_locked, package, location, store, going_on) for package, location in located]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
        for future in done:
            future.result()
        for future in futures:
            if not future.cancelled():
                future.result()


def fetch(
    location: Location,
    store: Store,
    sha256: str | None = None,
    size: int | None = None,
    count: Callable[[int], object] | None = None,
) -> StoredObject:
    """Bring one file into the store.

    Args:
        location: A path or an http(s) URL.
        store: Where it goes.
        sha256: The hash that it must have, where that is known.
        size: Its size in bytes, where that is known.
        count: Called with the number of bytes after each piece.

    Raises:
        WpmError: It is not there, or not what it should be.
    """
    if not isinstance(location, Path):
        from pkgmgr.http.shared import shared_client

        return shared_client().download(location, store, sha256, size, count)
    if location.is_dir():
        from pkgmgr.built import build_into_store

        return build_into_store(location, store, sha256)
    if not location.is_file():
        raise WpmError(f"{location}: there is no package file here")
    try:
        with location.open("rb") as file:
            return store.add(file, sha256, size, count)
    except (FileNotFoundError, PermissionError) as error:
        raise WpmError(f"{location}: cannot be read: {error.strerror}") from None
    except WpmError as error:
        raise type(error)(f"{location}: {error}") from None


def _fetch_locked(
    package: LockedPackage, location: Location, store: Store, count: Callable[[int], object] | None
) -> None:
    try:
        fetch(location, store, package.sha256, package.size, count)
    except NotAsPromised as error:
        upgrade = f"wpm lock --upgrade {package.name}".rstrip()
        raise WpmError(f"{package.id}: {error}; if it was replaced on purpose, run: {upgrade}") from None
    except WpmError as error:
        raise WpmError(f"{package.id}: {error}") from None


@contextmanager
def _progress(total: int, remote: bool) -> Iterator[Callable[[int], object] | None]:
    """A progress bar on a terminal, where there is something to wait for; elsewhere nothing."""
    import sys

    if not sys.stderr.isatty() or not (remote or total > _WORTH_A_BAR):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("fetching"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fetching", total=total)
        yield lambda number: bar.update(task, advance=number)
