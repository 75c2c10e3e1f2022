"""Bringing packages into the store, from wherever they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import NotAsPromised, WpmError
from pkgmgr.locks.lockfile import OCI

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from pkgmgr.http.client import HttpClient
    from pkgmgr.installing.progress import FetchProgress
    from pkgmgr.locks.lockfile import LockedPackage
    from pkgmgr.registry import Registries
    from pkgmgr.store import Store, StoredObject
    from pkgmgr.summary import Location

_LAST_SECONDS: Final = 1.0
"""How long an interrupted fetch waits for its threads to clear up."""


def fetch_packages(
    packages: Sequence[LockedPackage],
    registries: Registries,
    project: Path,
    store: Store,
    jobs: int,
    client: HttpClient | None = None,
) -> None:
    """Bring packages into the store, several at a time.

    Args:
        packages: What is missing.
        registries: Where names are looked up.
        project: Where the relative paths of the lock start.
        store: Where they go.
        jobs: How many at a time.
        client: What downloads; None is the process's own.

    Raises:
        WpmError: The first that failed; what arrived before stays in the store, and no half of anything.
    """
    from pkgmgr.installing.progress import fetch_progress

    located = [(package, registries.location(package, project)) for package in packages]
    for package, location in located:
        if registries.offline and not isinstance(location, Path):
            raise WpmError(f"{package.id}: not in the store, and --offline forbids to fetch {location}")
    remote = any(not isinstance(location, Path) for _, location in located)
    with fetch_progress(len(packages), sum(package.size for package in packages), remote=remote) as progress:
        errand = _Errand(store, progress, client)
        if len(located) == 1 or jobs == 1:
            for package, location in located:
                errand.bring(package, location)
        else:
            _fetch_in_parallel(located, errand, jobs)


def fetch_url(url: str, store: Store, client: HttpClient | None = None) -> StoredObject:
    """Download a package of which nothing is known but its URL; raises `WpmError` where it cannot be had."""
    from pkgmgr.http.origin import shown
    from pkgmgr.installing.progress import fetch_progress

    with fetch_progress(1, 0, remote=True) as progress:
        name = shown(url)
        stored = fetch(url, store, count=progress.begin(name, None), client=client)
        progress.end(name, stored.size, downloaded=True)
        return stored


def fetch(
    location: Location,
    store: Store,
    sha256: str | None = None,
    size: int | None = None,
    count: Callable[[int], object] | None = None,
    waiting: Callable[[], object] | None = None,
    client: HttpClient | None = None,
) -> StoredObject:
    """Bring one file into the store.

    Args:
        location: A path, an http(s) URL, or `oci://HOST/NAME@DIGEST`.
        store: Where it goes.
        sha256: The hash that it must have, where that is known.
        size: Its size in bytes, where that is known.
        count: Called with the number of bytes after each piece.
        waiting: Called once where another process downloads the same and that takes a while.
        client: What downloads; None is the process's own.

    Raises:
        WpmError: It is not there, or not what it should be.
    """
    if isinstance(location, str) and location.startswith(OCI):
        from pkgmgr.oci.artifact import bring_locked

        return bring_locked(location, store, sha256, size, count, waiting)
    if not isinstance(location, Path):
        from pkgmgr.http.download import download
        from pkgmgr.http.shared import shared_client

        return download(location, store, sha256, size, count, client or shared_client(), waiting)
    if location.is_dir():
        from pkgmgr.building.built import build_into_store

        return build_into_store(location, store, sha256)
    if not location.is_file():
        raise WpmError(f"{location}: there is no package file here")
    try:
        file = location.open("rb")
    except (FileNotFoundError, PermissionError) as error:
        raise WpmError(f"{location}: cannot be read: {error.strerror}") from None
    # What the store cannot do is said of the store.
    with file:
        try:
            return store.add(file, sha256, size, count)
        except WpmError as error:
            raise type(error)(f"{location}: {error}") from None


class _Errand(NamedTuple):
    """What is the same for every package of a fetch."""

    store: Store
    progress: FetchProgress
    client: HttpClient | None
    stopped: threading.Event | None = None

    def bring(self, package: LockedPackage, location: Location) -> None:
        """Fetch one package; raises `WpmError` where that fails, or where the fetch was stopped."""
        show = self.progress.begin(package.id, package.size)
        brought = 0

        def count(number: int) -> None:
            nonlocal brought
            if self.stopped is not None and self.stopped.is_set():
                raise WpmError("given up, as another package could not be fetched")
            brought += number
            show(number)

        def waiting() -> None:
            self.progress.waiting(package.id)

        try:
            fetch(location, self.store, package.sha256, package.size, count, waiting, self.client)
        except NotAsPromised as error:
            upgrade = f"wpm lock --upgrade {package.name}".rstrip()
            raise WpmError(f"{package.id}: {error}; if it was replaced on purpose, run: {upgrade}") from None
        except WpmError as error:
            raise WpmError(f"{package.id}: {error}") from None
        self.progress.end(package.id, package.size, downloaded=brought > 0 and not isinstance(location, Path))


def _fetch_in_parallel(located: Sequence[tuple[LockedPackage, Location]], errand: _Errand, jobs: int) -> None:
    import threading
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    stopped = threading.Event()
    errand = errand._replace(stopped=stopped)
    pool = ThreadPoolExecutor(min(jobs, len(located)), "fetch")
    futures = [pool.submit(errand.bring, package, location) for package, location in located]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    except BaseException:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        # A thread may wait for a server that says nothing: whoever interrupts wants to leave now.
        wait(futures, _LAST_SECONDS)
        raise
    stopped.set()
    failed = next((error for future in futures if future in done and (error := future.exception())), None)
    pool.shutdown(wait=failed is None, cancel_futures=True)
    if failed is not None:
        wait(futures, _LAST_SECONDS)
        raise failed
