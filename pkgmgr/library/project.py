"""Projects: a `wasmer.toml`, what it was resolved to, and the environment that this makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pkgmgr.errors import WpmError
from pkgmgr.installing.options import UPGRADE_ALL, InstallOptions
from pkgmgr.installing.progress import listening
from pkgmgr.library.environment import Environment
from pkgmgr.library.failures import converted
from pkgmgr.library.load_silence import quietly
from pkgmgr.library.package import Package
from pkgmgr.library.progress import Loading
from pkgmgr.locks.lockfile import write_lock
from pkgmgr.projects.project import Project as Opened
from pkgmgr.store import Store

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from pkgmgr.library.progress import LoadProgress
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.projects.editing import Edit

Resolution = Literal["highest", "lowest", "lowest-direct"]
"""Which of the versions that fit are taken."""


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """A package of a project's lock.

    Attributes:
        id: `namespace/name@version`, or `sha256:HEX` for a package without a name.
        name: `namespace/name`; empty for a package without one.
        version: Its version; empty without a name.
        sha256: The hash of its file, in hexadecimal.
        size: The size of its file, in bytes.
        source: Where it comes from: `embedded`, `registry`, `registry+URL`, `hash`, a URL, or `path:` and a path.
        dependencies: The ids of the packages that it uses.
        commands: The names of its own commands.
    """

    id: str
    name: str
    version: str
    sha256: str
    size: int
    source: str
    dependencies: tuple[str, ...]
    commands: tuple[str, ...]


class Project:
    """A directory with a `wasmer.toml`: `Project.open` and `Project.create` give it.

    What changes it gives it back, so that calls follow one another: `Project.open(".").lock().install().run("hello")`.

    Args:
        project: The project as the package manager has it.
        registry: The registry for names without one of their own in the configuration.
        offline: Whether the network is never used.
    """

    def __init__(self, project: Opened, *, registry: str | None = None, offline: bool = False) -> None:
        self._project = project
        self._registry = registry
        self._offline = offline

    def __repr__(self) -> str:
        return f"<Project {self.path}>"

    @classmethod
    def open(
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
        with converted:
            return cls(Opened.open(None if path is None else Path(path)), registry=registry, offline=offline)

    @classmethod
    def create(
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
        from pkgmgr.projects.new import create_project, manifest_text, name_for

        folder = Path(path)
        with converted:
            create_project(folder, manifest_text(name or name_for(folder), version, description, bare=True))
        project = cls.open(folder, registry=registry, offline=offline)
        return project.add(*dependencies) if dependencies else project

    @property
    def path(self) -> Path:
        """Its directory."""
        return self._project.root

    @property
    def name(self) -> str | None:
        """The name of the package that it is; None where it says none."""
        return self._project.manifest.name

    @property
    def version(self) -> str | None:
        """The version of the package that it is; None where it says none."""
        version = self._project.manifest.version
        return None if version is None else str(version)

    @property
    def dependencies(self) -> dict[str, str]:
        """What it asks for: `[dependencies]` of its manifest."""
        return dict(self._project.manifest.dependencies)

    @property
    def packages(self) -> tuple[LockedPackage, ...]:
        """The packages of its lock, by id; none where it has no lock."""
        with converted:
            lock = self._project.lock
        if lock is None:
            return ()
        return tuple(
            LockedPackage(
                each.id,
                each.name,
                each.version,
                each.sha256,
                each.size,
                each.source,
                tuple(each.dependencies.values()),
                tuple(each.commands),
            )
            for each in lock.packages.values()
        )

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of the commands that it has as locked, sorted: its own, and those of its packages."""
        own = {command.name for command in self._project.manifest.commands}
        return tuple(sorted(own | {name for package in self.packages for name in package.commands}))

    def lock(
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
        from pkgmgr.installing.install import plan

        with converted, quietly():
            options = self._options(upgrade, locked=check, resolution=resolution, refresh=refresh)
            lock = plan(self._project, Store.default(), options)
            if not check:
                write_lock(self._project.lock_path, lock)
        return self._reopened(lock)

    def install(
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
        """Bring what it needs into the store, with the lock where that is missing or does not fit.

        Args:
            locked: Raise where the lock is missing or would change.
            frozen: Take the lock as it is, whatever the manifest says.
            compile: Whether to compile the modules now rather than when they first run.
            jobs: How many packages to fetch and modules to compile at a time; None lets the machine decide.
            launchers: Whether to keep the project's folder `.wpm`, with a launcher for each command.
            refresh: Ask registries anew where what they said is still fresh.
            progress: Called with how far it is, by one thread at a time; what it raises ends the installation.

        Returns:
            Its commands and files, to be run.

        Raises:
            WpmError: It cannot be resolved, fetched or built.
        """
        from binfactory.loader import load_package
        from pkgmgr.installing.install import install
        from pkgmgr.running.target import project_node

        options = self._options(locked=locked, frozen=frozen, compile=compile, jobs=jobs, refresh=refresh)
        options = options._replace(launchers=launchers)
        store = Store.default()
        with converted, quietly() if progress is None else listening(Loading((), progress)):
            report = install(self._project, store, options)
            project = Opened(self._project.manifest)
            project.__dict__["lock"] = report.lock
            package = load_package(project_node(project, store, options._replace(frozen=True)))
        self._project = project
        return Environment([Package(package)])

    def add(self, *packages: str, install: bool = True) -> Project:
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
        from pkgmgr.projects.adding import parse_wish, plan_addition

        with converted, quietly():
            wishes = [parse_wish(text) for text in packages]
            edit, _ = plan_addition(self._project, wishes, Store.default(), self._options())
            return self._carry_out(edit, install=install)

    def remove(self, *names: str) -> Project:
        """Ask for fewer packages.

        Args:
            names: Keys of `[dependencies]`.

        Returns:
            The project as it is then.

        Raises:
            WpmError: One is not there, or a command of the project needs it; nothing was written.
        """
        from pkgmgr.projects.editing import plan_removal

        with converted, quietly():
            return self._carry_out(plan_removal(self._project, names, Store.default(), self._options()), install=False)

    def update(self, *packages: str, install: bool = True) -> Project:
        """Take the newest versions that the manifest allows.

        Args:
            packages: Names of packages; none is all.
            install: Whether to fetch and compile them, too.

        Returns:
            The project as it is then.

        Raises:
            WpmError: One is not locked, or nothing fits.
        """
        from pkgmgr.projects.editing import plan_update

        with converted, quietly():
            edit = plan_update(self._project, packages, Store.default(), self._options())
            return self._carry_out(edit, install=install)

    def build(self, path: str | os.PathLike[str]) -> Path:
        """Pack it into a `.webc`.

        Args:
            path: The file to write.

        Returns:
            The file.

        Raises:
            WpmError: It does not build, or the file cannot be written.
        """
        from pkgmgr.building.build import build_package

        with converted:
            return build_package(self._project.root, Path(path)).path

    def _carry_out(self, edit: Edit, *, install: bool) -> Project:
        from pkgmgr.projects.editing import carry_out

        report = carry_out(self._project, edit, Store.default(), self._options(), install=install)
        return self._reopened(report.lock)

    def _reopened(self, lock: Lockfile) -> Project:
        project = Opened.open(self._project.manifest.path)
        project.__dict__["lock"] = lock
        return type(self)(project, registry=self._registry, offline=self._offline)

    def _options(
        self,
        upgrade: bool | Sequence[str] = False,
        *,
        locked: bool = False,
        frozen: bool = False,
        compile: bool = True,
        jobs: int | None = None,
        resolution: Resolution = "highest",
        refresh: bool = False,
    ) -> InstallOptions:
        wanted: frozenset[str] | None = None
        if upgrade is True:
            wanted = UPGRADE_ALL
        elif upgrade:
            from pkgmgr.projects.editing import named_in_lock

            if isinstance(upgrade, str):
                raise WpmError(f"upgrade={upgrade!r}: expected True or several names")
            wanted = named_in_lock(self._project.lock, tuple(upgrade))
        return InstallOptions(
            registry=self._registry,
            offline=self._offline,
            locked=locked,
            frozen=frozen,
            upgrade=wanted,
            resolution=resolution,
            jobs=jobs,
            compile=compile,
            refresh=refresh,
        )
