"""Installing, upgrading and removing tools.

A tool is resolved, fetched and compiled before anything of the user's changes. Then its record is replaced, and then its
launchers: whoever is killed between the two has a tool that says so in `wpm tool list`, and installing it again mends it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.running.launchers import check_launcher_name, discard
from pkgmgr.tools.record import GuestSettings, Tool, check_tool_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from binfactory.package import BinaryPackage
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.store import Store
    from pkgmgr.tools.launchers import LauncherFolder
    from pkgmgr.tools.record import ToolFolder


class ToolRequest(NamedTuple):
    """What somebody wants to be installed.

    Attributes:
        spec: The package source.
        rename: What to call the tool and its one launcher; None calls them as the package and its commands are called.
        chosen: The commands that are wanted; empty are all of the package's own.
        uses: Sources of more packages that it sees.
        guest: What it is given at each run.
        force: Whether to replace files and a tool that are in the way.
    """

    spec: str
    rename: str | None = None
    chosen: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    guest: GuestSettings = GuestSettings()
    force: bool = False


class Installed(NamedTuple):
    """What an install or an upgrade did.

    Attributes:
        tool: The tool as it is now.
        before: The tool as it was; None where it is new.
        changed: Whether it runs on other packages or has other launchers than before.
        warnings: What went wrong without being an error, one line each.
    """

    tool: Tool
    before: Tool | None
    changed: bool
    warnings: tuple[str, ...]


class Tools:
    """The tools of a user.

    Args:
        folder: Where they are recorded.
        launchers: Where their launchers are.
        store: Where packages are and go.
    """

    def __init__(self, folder: ToolFolder, launchers: LauncherFolder, store: Store) -> None:
        self.folder = folder
        self.launchers = launchers
        self.store = store

    def install(self, request: ToolRequest, options: InstallOptions) -> Installed:
        """Install a tool, or install it anew.

        Raises:
            WpmError: It cannot be had, has no command, or something of somebody else's is in the way; then nothing changed.
        """
        if request.rename is not None:
            check_tool_name(check_launcher_name(request.rename))
        requirements = {_canonical(spec): _canonical(spec) for spec in (request.spec, *request.uses)}
        registry = _kept_registry(options.registry)
        lock, package, warnings = self._resolve(requirements, options._replace(registry=registry))
        name = request.rename or _name_of(package, request.spec)
        tool = Tool(
            name,
            next(iter(requirements)),
            tuple(requirements)[1:],
            request.chosen,
            request.rename is not None,
            registry,
            _commands(package, request.chosen, request.rename),
            request.guest,
            lock,
        )
        with self.folder.held():
            before = self._before(name, force=request.force)
            if before is not None and not request.force and before.package.name != tool.package.name:
                raise WpmError(
                    f"{name}: there is a tool of this name, of {before.package.id}: choose another with --as, or --force"
                )
            return self._put(tool, before, warnings, force=request.force)

    def upgrade(self, name: str, options: InstallOptions) -> Installed:
        """Install the newest packages that what a tool was installed from allows.

        Raises:
            WpmError: There is no such tool, or it cannot be had; then the tool is as it was.
        """
        before = self.tool(name)
        registry = _kept_registry(options.registry) or before.registry
        requirements = {spec: spec for spec in (before.spec, *before.uses)}
        lock, package, warnings = self._resolve(requirements, options._replace(registry=registry, refresh=True))
        commands = _commands(package, before.chosen, before.name if before.renamed else None)
        with self.folder.held():
            before = self.tool(name)
            taken = [each for each in commands if self.launchers.owner(each) not in (name, None)]
            left = {each: command for each, command in commands.items() if each not in taken}
            warnings += tuple(f"{self.launchers.path(each)}: not what wpm wrote for {name}: it stays" for each in taken)
            return self._put(
                before._replace(lock=lock, commands=left, registry=registry), before, warnings, force=False
            )

    def uninstall(self, name: str) -> list[str]:
        """Remove a tool and its launchers; gives the launchers that are somebody else's files by now, and stay.

        Raises:
            WpmError: There is no such tool.
        """
        with self.folder.held():
            if self.folder.path(name).exists():
                try:
                    tool = self.folder.read(name)
                except WpmError:
                    # Of a record that cannot be read at least the rest goes.
                    tool = None
                foreign = self.launchers.remove(name, tool.commands if tool else self._launchers_of(name))
                self.folder.remove(name)
                return foreign
        raise self._no_tool(name)

    def tool(self, name: str) -> Tool:
        """An installed tool; raises `WpmError` where there is none of this name, or its record cannot be read."""
        if (tool := self.folder.read(name)) is None:
            raise self._no_tool(name)
        return tool

    def with_command(self, name: str) -> tuple[Tool, str]:
        """The tool whose launcher, or which itself, is called so, and the launcher's name.

        Raises:
            WpmError: There is none, or a tool of this name has several commands.
        """
        named = self.folder.read(name) if name in self.folder.names() else None
        if named is not None and name in named.commands:
            return named, name
        for tool in self.folder.all():
            if name in tool.commands:
                return tool, name
        if named is not None:
            if len(named.commands) == 1:
                return named, next(iter(named.commands))
            raise WpmError(f"{name}: the tool has several commands, name one: {', '.join(sorted(named.commands)[:20])}")
        raise self._no_tool(name)

    def _no_tool(self, name: str) -> WpmError:
        from difflib import get_close_matches

        known = {*self.folder.names()}
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else "see: wpm tool list"
        return WpmError(f"{name[:60]}: there is no such tool ({hint})")

    def _launchers_of(self, name: str) -> list[str]:
        try:
            names = [path.name for path in self.launchers.root.iterdir()]
        except OSError:
            return []
        return [each for each in names if self.launchers.owner(each) == name]

    def _before(self, name: str, *, force: bool) -> Tool | None:
        try:
            return self.folder.read(name)
        except WpmError:
            if not force:
                raise
            return None

    def _resolve(
        self, requirements: Mapping[str, str], options: InstallOptions
    ) -> tuple[Lockfile, BinaryPackage, tuple[str, ...]]:
        """Resolve, fetch and compile; gives the lock, the tool's package, and warnings."""
        from binfactory.loader import load_package
        from pkgmgr.installing.precompile import precompile
        from pkgmgr.locks.nodes import locked_nodes
        from pkgmgr.registry import open_registries
        from pkgmgr.resolution.locking import make_lock

        registries = open_registries(
            options.registry, offline=options.offline, store=self.store, refresh=options.refresh
        )
        lock = make_lock(requirements, Path.cwd(), registries, self.store)
        fetch_lock(lock, self.store, options)
        _, warnings = precompile(lock, self.store, options.jobs)
        root = next(iter(lock.roots.values()))
        return lock, load_package(locked_nodes(lock, self.store)[root]), warnings

    def _put(self, tool: Tool, before: Tool | None, warnings: tuple[str, ...], *, force: bool) -> Installed:
        """Record a tool and place its launchers; where that fails, all is as it was."""
        owners = {name: self.launchers.owner(name) for name in tool.commands}
        for name, owner in owners.items():
            if owner is not None and owner != tool.name and not force:
                whose = f"the launcher of the tool {owner}" if owner else "a file that wpm did not write"
                raise WpmError(
                    f"{self.launchers.path(name)}: {whose} is in the way: --as NAME, or --force to replace it"
                )
            if owner == "" and self.launchers.path(name).is_dir():
                raise WpmError(f"{self.launchers.path(name)}: a directory is in the way")
        prepared = self.launchers.prepare(tool.name, tool.commands)
        placed: list[str] = []
        try:
            self.folder.write(tool)
            for name, path in prepared.items():
                self.launchers.place(name, path, replace=force or owners[name] == tool.name)
                placed.append(name)
        except BaseException:
            new = [name for name in placed if owners[name] is None]
            self.launchers.remove(tool.name, new)
            self.folder.remove(tool.name) if before is None else self.folder.write(before)
            raise
        finally:
            discard(prepared)
        for owner, taken in _taken(owners, tool.name).items():
            self._take_from(owner, taken)
        if before is not None:
            self.launchers.remove(tool.name, [name for name in before.commands if name not in tool.commands])
        changed = before is None or (before.lock, before.commands) != (tool.lock, tool.commands)
        return Installed(tool, before, changed, warnings)

    def _take_from(self, owner: str, taken: list[str]) -> None:
        """Strike launchers that another tool has now from the record of the one that had them."""
        loser = self.folder.read(owner)
        if loser is not None:
            left = {name: command for name, command in loser.commands.items() if name not in taken}
            self.folder.write(loser._replace(commands=left))


def fetch_lock(lock: Lockfile, store: Store, options: InstallOptions) -> None:
    """Bring the packages of a lock into the store that are not there; what is fetched must have the locked hash.

    Raises:
        WpmError: One cannot be had.
    """
    missing = store.missing(lock.packages.values())
    if missing:
        from pkgmgr.installing.fetch import fetch_packages
        from pkgmgr.registry import open_registries

        registries = open_registries(options.registry, offline=options.offline, store=store)
        fetch_packages(missing, registries, Path.cwd(), store, options.jobs or 4)


def _taken(owners: Mapping[str, str | None], tool: str) -> dict[str, list[str]]:
    taken: dict[str, list[str]] = {}
    for name, owner in owners.items():
        if owner and owner != tool:
            taken.setdefault(owner, []).append(name)
    return taken


def _canonical(spec: str) -> str:
    """The source in a form that means the same wherever and whenever it is read again."""
    from pkgmgr.source import NamedSource, PathSource, parse_source

    source = parse_source(spec)
    if isinstance(source, PathSource):
        return str(PathSource(str(source.below(Path.cwd()).absolute())))
    if isinstance(source, NamedSource) and "/" not in source.name and source.registry is None:
        return f"_/{source}"
    return str(source)


def _kept_registry(registry: str | None) -> str | None:
    """The registry that was named, as it can be found from anywhere."""
    if registry is None:
        return None
    from pkgmgr.registry.place import parse_place

    return parse_place(registry, Path.cwd())


def _name_of(package: BinaryPackage, spec: str) -> str:
    """What to call the tool of a package: its name without the namespace; else as the file, or as what it runs."""
    from pkgmgr.running.executing import own_choice
    from pkgmgr.source import PathSource, parse_source

    if not package.id.startswith("sha256:"):
        return check_tool_name(package.id.rpartition("@")[0].rpartition("/")[2])
    source = parse_source(spec)
    return check_tool_name(Path(source.path).stem if isinstance(source, PathSource) else own_choice(package))


def _commands(package: BinaryPackage, chosen: tuple[str, ...], rename: str | None) -> dict[str, str]:
    """The commands of a tool by the names of their launchers."""
    from pkgmgr.running.executing import own_choice

    for command in chosen:
        package.command(command)
    if rename is not None:
        if len(chosen) > 1:
            raise WpmError(f"--as {rename}: only one command can be called so: choose it with one -e")
        return {rename: chosen[0] if chosen else own_choice(package)}
    commands = chosen or package.own_commands or (own_choice(package),)
    return {check_launcher_name(command): command for command in commands}
