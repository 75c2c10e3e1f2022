"""What `wpm run INPUT` means: a command of the project, a package, or a file, and the program behind it."""

from __future__ import annotations

import mmap
import os

from pkgmgr.errors import WpmError
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from binfactory.modules import ModuleCache
    from binfactory.node import PackageNode
    from binfactory.package import BinaryPackage
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store
    from runtime.programs import Program

_MOST_NAMED = 12
_WASM, _WEBC = b"\0asm", b"\0webc"


class Target(NamedTuple):
    """What is to be run.

    Attributes:
        program: The program.
        package: The package that it belongs to, whose files and commands it sees; None for a bare module.
        cwd: Where the command's annotations want it to start, if they do.
        beside: More packages whose files and commands it sees.
    """

    program: Program
    package: BinaryPackage | None
    cwd: str | None = None
    beside: tuple[BinaryPackage, ...] = ()


def find_target(
    text: str, entrypoint: str | None, store: Store, options: InstallOptions, modules: ModuleCache
) -> Target:
    """The program that somebody names.

    Args:
        text: A command of the project, a package source, a `.webc`, a `.wasm`, or a directory with a `wasmer.toml`.
        entrypoint: The command of a package to run, where it is not the package's own choice.
        store: Where packages are and go.
        options: The registry, and whether the network may be used.
        modules: Where compiled modules are.

    Raises:
        WpmError: It cannot be found, or its packages cannot be had.
        FactoryError: The package has no such command.
    """
    file = text.rstrip("/")
    if os.path.isfile(file) and (not is_name(text) or _head(file) in (_WASM, _WEBC)):
        return _of_file(file, entrypoint, store, options, modules)
    from pathlib import Path

    from pkgmgr.projects.project import Project

    if os.path.isdir(text) and not is_name(text):
        return _of_package(project_node(Project.open(Path(text)), store, options), entrypoint, modules)
    project = Project.find() if is_name(text) else None
    if project is not None:
        package = _load(project_node(project, store, options))
        if text in package.commands:
            return command_target(package, text, modules)
        if "/" not in text and not text.startswith("sha256:"):
            raise WpmError(
                f"{text}: neither a file nor a command of {project.manifest.path} ({_commands_like(text, package)}); "
                "a package of a registry is written NAMESPACE/NAME"
            )
    from pkgmgr.running.closure import package_node

    return _of_package(package_node(text, store, options), entrypoint, modules)


def _commands_like(text: str, package: BinaryPackage) -> str:
    """The commands that somebody may have meant."""
    from difflib import get_close_matches

    names = sorted(package.commands)
    if near := get_close_matches(text, names, 3):
        return f"did you mean {' or '.join(near)}?"
    if len(names) > _MOST_NAMED:
        return f"its {len(names)} commands: wpm list"
    return f"commands: {', '.join(names) or 'none'}"


def project_node(project: Project, store: Store, options: InstallOptions) -> PackageNode:
    """A project as a package: its own commands and files, built where it has any, over its locked dependencies.

    Raises:
        WpmError: The dependencies cannot be had, or the project does not build.
    """
    from binfactory.node import PackageNode
    from pkgmgr.running.closure import project_nodes

    dependencies = project_nodes(project, store, options)
    manifest = project.manifest
    name = f"{manifest.name or manifest.path.parent}@{manifest.version or '0.0.0'}"
    if not (manifest.modules or manifest.commands or manifest.fs):
        # There is no file, and nothing in it that anybody would have to vouch for.
        return PackageNode(name, dependencies=dependencies, commands=(), mounts=(), sha256="")
    from pkgmgr.building.built import build_into_store

    built = build_into_store(manifest.directory, store)
    return PackageNode(name, built.path, dependencies=dependencies, sha256=built.sha256)


def is_name(text: str) -> bool:
    """Whether a text could be a command or a package, rather than a path that it is written as."""
    return not text.startswith((".", "/", "~")) and not text.endswith(("/", ".wasm", ".webc"))


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            head = file.read(5)
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror}") from None
    return _WASM if head.startswith(_WASM) else head


def _of_file(path: str, entrypoint: str | None, store: Store, options: InstallOptions, modules: ModuleCache) -> Target:
    match _head(path):
        case head if head == _WASM:
            from binfactory.known_digests import KnownDigests
            from binfactory.modules import WasmBytes
            from binfactory.programs import ModuleProgram

            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                wasm = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            digest = KnownDigests(store.modules_name).sha256(status, "module", wasm)
            name = os.path.splitext(os.path.basename(path))[0]
            return Target(ModuleProgram(name, WasmBytes(wasm, digest, path), modules), None)
        case head if head == _WEBC:
            from pkgmgr.running.closure import file_node

            return _of_package(file_node(path, store, options), entrypoint, modules)
    if os.path.basename(path) in ("wasmer.toml", "wapm.toml"):
        from pathlib import Path

        from pkgmgr.projects.project import Project

        return _of_package(project_node(Project.open(Path(path)), store, options), entrypoint, modules)
    raise WpmError(f"{path}: neither a .wasm module nor a .webc package nor a manifest: nothing to run")


def _load(node: PackageNode) -> BinaryPackage:
    from binfactory.loader import load_package

    return load_package(node)


def _of_package(node: PackageNode, entrypoint: str | None, modules: ModuleCache) -> Target:
    package = _load(node)
    if entrypoint is None and node.path is None:
        raise WpmError(f"{node.id}: the project has no command of its own: choose one of its packages' with -e")
    if entrypoint is None:
        return command_target(package, package.entrypoint_command().name, modules)
    return command_target(package, entrypoint, modules)


def command_target(package: BinaryPackage, name: str, modules: ModuleCache) -> Target:
    """A command of a package as what is to be run; raises `FactoryError` where the package has none of this name."""
    from binfactory.programs import CommandProgram

    command = package.command(name)
    return Target(CommandProgram(command, modules), package, command.cwd)
