"""Projects, to be awaited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pkgmgr.library.aio.environment import Environment
from pkgmgr.library.aio.package import Package
from pkgmgr.library.aio.waiting import Telling, in_thread
from pkgmgr.library.project import Project as Waiting

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pkgmgr.library.progress import LoadProgress
    from pkgmgr.library.project import LockedPackage, Resolution


class Project:
    """A directory with a `wasmer.toml`: `Project.open` and `Project.create` give it.

    What is under way when a task is cancelled is written whole or not at all, as always; it may be done after that.

    Args:
        waiting: The same for programs that do not await.
    """

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def __repr__(self) -> str:
        return repr(self._waiting)

    @classmethod
    async def open(
        cls, path: str | os.PathLike[str] | None = None, *, registry: str | None = None, offline: bool = False
    ) -> Project:
        """The project that a directory is in, or whose manifest a path is.

        Args:
            path: The directory, or the manifest; None is the current directory.
            registry: The registry for names without one of their own in the configuration: a directory or a URL.
            offline: Never use the network.

        Raises:
            WpmError: There is none, or its manifest is wrong.
        """
        return cls(await in_thread(partial(Waiting.open, path, registry=registry, offline=offline)))

    @classmethod
    async def create(
        cls,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        version: str = "0.1.0",
        description: str = "",
        dependencies: Sequence[str] = (),
        registry: str | None = None,
        offline: bool = False,
    ) -> Project:
        """Make a project: a directory with a manifest.

        Args:
            path: The directory; it is made where it is not there.
            name: The package's name, as `me/tool`; None is the directory's.
            version: Its version.
            description: What it is for, in one line.
            dependencies: What `add` takes.
            registry: The registry for names without one of their own in the configuration: a directory or a URL.
            offline: Never use the network.

        Raises:
            WpmError: There is a project already, it cannot be written, or a dependency cannot be had.
        """
        work = partial(
            Waiting.create,
            path,
            name=name,
            version=version,
            description=description,
            dependencies=dependencies,
            registry=registry,
            offline=offline,
        )
        return cls(await in_thread(work))

    @property
    def path(self) -> Path:
        """Its directory."""
        return self._waiting.path

    @property
    def name(self) -> str | None:
        """The name of the package that it is; None where it says none."""
        return self._waiting.name

    @property
    def version(self) -> str | None:
        """The version of the package that it is; None where it says none."""
        return self._waiting.version

    @property
    def dependencies(self) -> dict[str, str]:
        """What it asks for: `[dependencies]` of its manifest."""
        return self._waiting.dependencies

    @property
    def packages(self) -> tuple[LockedPackage, ...]:
        """The packages of its lock, by id; none where it has no lock."""
        return self._waiting.packages

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of the commands that it has as locked, sorted: its own, and those of its packages."""
        return self._waiting.commands

    async def lock(
        self,
        *,
        upgrade: bool | Sequence[str] = False,
        check: bool = False,
        resolution: Resolution = "highest",
        refresh: bool = False,
    ) -> Project:
        """Resolve what it asks for where `wasmer.lock` does not fit, and write that down.

        Args:
            upgrade: Whether to take newer versions: of all packages, or of those that are named.
            check: Raise where the lock would change, and write nothing.
            resolution: Which of the versions that fit are taken; what is not `highest` chooses everything anew.
            refresh: Ask registries anew where what they said is still fresh.

        Returns:
            The project with its lock.

        Raises:
            WpmError: Nothing fits, or `check` forbids what is needed.
        """
        work = partial(self._waiting.lock, upgrade=upgrade, check=check, resolution=resolution, refresh=refresh)
        return Project(await in_thread(work))

    async def install(
        self,
        *,
        locked: bool = False,
        frozen: bool = False,
        compile: bool = True,
        jobs: int | None = None,
        launchers: bool = True,
        refresh: bool = False,
        progress: Callable[[LoadProgress], object] | None = None,
    ) -> Environment:
        """Bring what it needs into the store, with the lock where that is missing or does not fit. To cancel this gives up.

        Args:
            locked: Raise where the lock is missing or would change.
            frozen: Take the lock as it is, whatever the manifest says.
            compile: Whether to compile the modules now rather than when they first run.
            jobs: How many packages to fetch and modules to compile at a time; None lets the machine decide.
            launchers: Whether to keep the project's folder `.wpm`, with a launcher for each command.
            refresh: Ask registries anew where what they said is still fresh.
            progress: Called on the loop with how far it is.

        Returns:
            Its commands and files, to be run.

        Raises:
            WpmError: It cannot be resolved, fetched or built.
        """
        telling = Telling(progress)
        work = partial(
            self._waiting.install,
            locked=locked,
            frozen=frozen,
            compile=compile,
            jobs=jobs,
            launchers=launchers,
            refresh=refresh,
            progress=telling,
        )
        return Environment([Package(package._binary) for package in (await telling.load(work)).packages])

    async def add(self, *packages: str, install: bool = True) -> Project:
        """Ask for more packages: in the manifest, in the lock and, if wanted, in the store.

        Args:
            packages: What `wpm add` takes: `ns/name` (its newest version), `ns/name@^1`, a path, a URL, `NAME=` and any of
                these. A relative path starts at the current directory.
            install: Whether to fetch and compile them, too.

        Returns:
            The project as it is then.

        Raises:
            WpmError: One is not there, or does not go with the others; nothing was written.
        """
        return Project(await in_thread(partial(self._waiting.add, *packages, install=install)))

    async def remove(self, *names: str) -> Project:
        """Ask for fewer packages.

        Args:
            names: Keys of `[dependencies]`.

        Returns:
            The project as it is then.

        Raises:
            WpmError: One is not there, or a command of the project needs it; nothing was written.
        """
        return Project(await in_thread(partial(self._waiting.remove, *names)))

    async def update(self, *packages: str, install: bool = True) -> Project:
        """Take the newest versions that the manifest allows.

        Args:
            packages: Names of packages; none is all.
            install: Whether to fetch and compile them, too.

        Returns:
            The project as it is then.

        Raises:
            WpmError: One is not locked, or nothing fits.
        """
        return Project(await in_thread(partial(self._waiting.update, *packages, install=install)))

    async def build(self, path: str | os.PathLike[str]) -> Path:
        """Pack it into a `.webc`.

        Args:
            path: The file to write.

        Returns:
            The file.

        Raises:
            WpmError: It does not build, or the file cannot be written.
        """
        return await in_thread(partial(self._waiting.build, path))
