"""Packages that programs load or make."""

from __future__ import annotations

import os
from _thread import allocate_lock
from io import BytesIO
from pathlib import Path
from weakref import WeakValueDictionary

from binfactory.command import WASI_RUNNER, check_command_name
from binfactory.graph import reach
from binfactory.loader import load_package
from binfactory.node import PackageNode
from pkgmgr.errors import WpmError
from pkgmgr.installing.options import InstallOptions
from pkgmgr.installing.progress import listening
from pkgmgr.library.failures import converted
from pkgmgr.library.load_phase import LoadPhase
from pkgmgr.library.load_silence import LoadSilence
from pkgmgr.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from binfactory.command import BinaryCommand
    from binfactory.package import BinaryPackage
    from pkgmgr.library.progress import Loading, LoadProgress

_WASM, _WEBC = b"\0asm", b"\0webc"
_AT_ONCE = 8
_VOLUME = "files"

_loaded: WeakValueDictionary[tuple[tuple[str, str | None], ...], BinaryPackage] = WeakValueDictionary()
_loaded_lock = allocate_lock()


class Package:
    """A package that can be run: its commands and files, and those of the packages that it uses.

    `Package.load` and `Package.create` make it; any number of environments and sandboxes use it at the same time.

    Args:
        binary: The factory's package.
    """

    def __init__(self, binary: BinaryPackage) -> None:
        self._binary = binary

    def __repr__(self) -> str:
        return f"<Package {self.id}>"

    @classmethod
    def load(
        cls,
        source: PackageSource,
        *,
        registry: str | None = None,
        offline: bool = False,
        refresh: bool = False,
        progress: Callable[[LoadProgress], object] | None = None,
    ) -> Package:
        """Load a package, with what it needs.

        Args:
            source: `namespace/name`, `namespace/name@^1.2`, `sha256:HEX` or a URL; the path of a `.webc`, of a `.wasm` or
                of a directory with a `wasmer.toml`; or the bytes of a `.webc` or `.wasm`. A module has one command, `main`.
            registry: The registry for names without one of their own in the configuration: a directory or a URL.
            offline: Never use the network.
            refresh: Ask registries anew where what they said is still fresh.
            progress: Called with how far it is.

        Raises:
            WpmError: It cannot be found, fetched or read.
        """
        return load_packages([source], registry=registry, offline=offline, refresh=refresh, progress=progress)[0]

    @classmethod
    def create(
        cls,
        *,
        modules: Mapping[str, bytes],
        commands: Mapping[str, str] | None = None,
        entrypoint: str | None = None,
        files: Mapping[str, str | bytes] | None = None,
    ) -> Package:
        """Make a package in memory.

        Args:
            modules: WebAssembly modules by name.
            commands: Names of commands, each with the name of its module; None makes a command of every module.
            entrypoint: The command that runs where none is named; None is the only command, if there is but one.
            files: Contents by the absolute path at which guests see them; text is encoded as UTF-8. What a guest writes
                there stays in its own sandbox.

        Raises:
            WpmError: A module is none, a command has none, or a path is not absolute.
        """
        with converted:
            return cls(load_package(_made(modules, commands, entrypoint, files or {})))

    @property
    def id(self) -> str:
        """`namespace/name@version`, or `sha256:HEX` for a package without a name."""
        return self._binary.id

    @property
    def packages(self) -> tuple[str, ...]:
        """The ids of this package and of those that it uses, dependents first."""
        return self._binary.package_ids

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of its commands, its own before those of the packages that it uses."""
        with converted:
            return tuple(self._binary.commands)

    @property
    def entrypoint(self) -> str | None:
        """The command that runs where none is named; None where that is open."""
        with converted:
            return self._binary.entrypoint

    def command(self, name: str | None = None) -> Command:
        """A command, to be run where several packages have one of its name.

        Args:
            name: Which; None is the entrypoint.

        Raises:
            WpmError: There is no such command, or it is open which one to run.
        """
        with converted:
            found = self._binary.entrypoint_command() if name is None else self._binary.command(name)
        return Command(self, found)


class Command:
    """A command of a certain package: `Package.command` gives it.

    Args:
        package: Whose it is.
        binary: The factory's command.
    """

    def __init__(self, package: Package, binary: BinaryCommand) -> None:
        self._package = package
        self._binary = binary

    def __repr__(self) -> str:
        return f"<Command {self.name} of {self._package.id}>"

    @property
    def name(self) -> str:
        """What one types."""
        return self._binary.name

    @property
    def package(self) -> Package:
        """Whose it is."""
        return self._package


PackageSource: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | Package"
"""What a package is loaded from: a spec, a path, the bytes of a `.webc` or `.wasm`, or a package that is loaded."""


def load_packages(
    sources: Iterable[PackageSource],
    *,
    registry: str | None = None,
    offline: bool = False,
    refresh: bool = False,
    progress: Callable[[LoadProgress], object] | None = None,
) -> list[Package]:
    """Load several packages at the same time; each is fetched once, whoever else wants it.

    Args:
        sources: What `Package.load` takes; a package that is loaded already stays as it is.
        registry: The registry for names without one of their own in the configuration: a directory or a URL.
        offline: Never use the network.
        refresh: Ask registries anew where what they said is still fresh.
        progress: Called with how far it is, by one thread at a time; what it raises ends the load.

    Returns:
        The packages, in the order of the sources.

    Raises:
        WpmError: One cannot be found, fetched or read.
    """
    wanted = list(sources)
    loading = LoadSilence() if progress is None else _telling(wanted, progress)
    options = InstallOptions(registry=registry, offline=offline, refresh=refresh)
    store = Store.default()

    def load(numbered: tuple[int, PackageSource]) -> Package:
        number, source = numbered
        loading.phase(number, LoadPhase.RESOLVING)
        if isinstance(source, Package):
            package = source
        else:
            with converted, listening(loading):
                node = _node(source, store, options)
                loading.phase(number, LoadPhase.LOADING, node.id)
                package = Package(_shared(node))
        loading.phase(number, LoadPhase.READY, package.id)
        return package

    if len(wanted) < 2:
        return [load(each) for each in enumerate(wanted)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(_AT_ONCE, len(wanted)), "load") as pool:
        return list(pool.map(load, enumerate(wanted)))


def _telling(sources: list[PackageSource], progress: Callable[[LoadProgress], object]) -> Loading:
    from pkgmgr.library.progress import Loading

    return Loading([_label(source) for source in sources], progress)


def _shared(node: PackageNode) -> BinaryPackage:
    """The package of a node: one for all that load the same files, as long as somebody has it."""
    graph = [(each.id, each.sha256) for each in reach(node)]
    if any(not sha256 for _, sha256 in graph):
        return load_package(node)
    key = tuple(graph)
    with _loaded_lock:
        if (found := _loaded.get(key)) is None:
            found = _loaded[key] = load_package(node)
        return found


def _label(source: PackageSource) -> str:
    match source:
        case Package():
            return source.id
        case str():
            return source
        case bytes() | bytearray() | memoryview():
            return f"{len(source)} bytes"
        case _:
            return os.fspath(source)


def _node(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview, store: Store, options: InstallOptions
) -> PackageNode:
    from pkgmgr.running.closure import package_node
    from pkgmgr.running.target import is_name

    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(bytes(source), "the package", store, options)
    path = Path(source)
    if not isinstance(source, str) or not is_name(source):
        if isinstance(source, str) and "://" in source:
            return package_node(source, store, options)
        return _of_path(path, store, options)
    if path.suffix in (".wasm", ".webc") and path.is_file():
        return _of_path(path, store, options)
    return package_node(source, store, options)


def _of_path(path: Path, store: Store, options: InstallOptions) -> PackageNode:
    from pkgmgr.projects.project import Project
    from pkgmgr.running.closure import file_node
    from pkgmgr.running.target import project_node

    path = path.expanduser()
    if path.is_dir() or path.name in ("wasmer.toml", "wapm.toml"):
        return project_node(Project.open(path), store, options)
    with path.open("rb") as file:
        head = file.read(len(_WEBC))
    if head.startswith(_WASM):
        return _of_bytes(path.read_bytes(), str(path), store, options)
    return file_node(path, store, options)


def _of_bytes(data: bytes, label: str, store: Store, options: InstallOptions) -> PackageNode:
    from pkgmgr.running.closure import dependency_nodes
    from webc_parser import Container

    if data.startswith(_WASM):
        return _made({"main": data}, {"main": "main"}, "main", {})
    if not data.startswith(_WEBC):
        raise WpmError(f"{label}: neither a .wasm module nor a .webc package")
    container = Container.from_bytes(data)
    info, uses = container.manifest.package, container.manifest.use
    return PackageNode(
        f"{info.name}@{info.version}" if info.name and info.version else f"sha256:{container.sha256()}",
        container=container,
        dependencies=dependency_nodes({alias: each.spec for alias, each in uses.items()}, store, options),
    )


def _made(
    modules: Mapping[str, bytes],
    commands: Mapping[str, str] | None,
    entrypoint: str | None,
    files: Mapping[str, str | bytes],
) -> PackageNode:
    from webc_parser import Container, write_container

    if commands is None:
        commands = {name: name for name in modules}
    for name, module in modules.items():
        if not bytes(module[:4]) == _WASM:
            raise WpmError(f"the module {name!r} is no WebAssembly")
    for name, module_name in commands.items():
        check_command_name(name, "the package")
        if module_name not in modules:
            raise WpmError(f"the command {name!r} has no module: there is no {module_name!r} among the modules")
    if entrypoint is None and len(commands) == 1:
        entrypoint = next(iter(commands))
    if entrypoint is not None and entrypoint not in commands:
        raise WpmError(
            f"the entrypoint {entrypoint!r} is none of the commands: {', '.join(commands) or 'there are none'}"
        )
    manifest: dict[str, object] = {
        "commands": {
            name: {"runner": WASI_RUNNER, "annotations": {"atom": {"name": module}, "wasi": {"atom": module}}}
            for name, module in commands.items()
        },
        "package": {"fs": [{"from": None, "volume_name": _VOLUME, "mount_path": "/"}]} if files else {},
    }
    if entrypoint is not None:
        manifest["entrypoint"] = entrypoint
    written = BytesIO()
    volumes = {_VOLUME: _tree(files)} if files else {}
    write_container(written, manifest=manifest, atoms=dict(modules), volumes=volumes)
    container = Container.from_bytes(written.getvalue())
    return PackageNode(f"sha256:{container.sha256()}", container=container)


_Tree: TypeAlias = "dict[str, bytes | _Tree]"


def _tree(files: Mapping[str, str | bytes]) -> _Tree:
    tree: _Tree = {}
    for path, content in files.items():
        names = path.split("/")[1:]
        if not path.startswith("/") or not names or any(name in ("", ".", "..") for name in names):
            raise WpmError(f"{path!r}: expected an absolute path without '.', '..' or a slash at its end")
        here = tree
        for name in names[:-1]:
            below = here.setdefault(name, {})
            if isinstance(below, bytes):
                raise WpmError(f"{path!r}: {name!r} is a file on the way to it")
            here = below
        if names[-1] in here:
            raise WpmError(f"{path!r}: it is there twice, or is a directory, too")
        here[names[-1]] = content.encode() if isinstance(content, str) else bytes(content)
    return tree
