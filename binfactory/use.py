"""Use packages in an environment: their files in its root, their commands in `/bin` and `/usr/bin`."""

from __future__ import annotations

from functools import partial

from binfactory.command import check_command_name
from binfactory.command_layer import COMMAND_DIRECTORIES, CommandLayer
from binfactory.copying import copy_directory, put_file
from binfactory.errors import FactoryError
from binfactory.factory import BinFactory
from binfactory.filesystem import package_layer
from binfactory.roots import overlay_of
from runtime.fs.overlay import OverlayDirectory
from runtime.fs.walk import top, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from binfactory.factory import UsedRoot
    from binfactory.package import BinaryPackage
    from runtime.env import WasiEnv
    from runtime.fs.node import FileSystem
    from runtime.fs.overlay import OverlayFileSystem

LARGEST_MAPPED = 512 << 20


def use_package(env: WasiEnv, package: BinaryPackage) -> None:
    """Give the processes of an environment a package: its files, its commands, and those of what it uses.

    Args:
        env: The environment; its programs are a `BinFactory`.
        package: The package. One that is used already changes nothing.

    Raises:
        FactoryError: something of the package is not there, or the root takes no files.
    """
    unite_package(_factory_of(env), env.filesystem, package)


def use_packages(env: WasiEnv, packages: Iterable[BinaryPackage]) -> None:
    """Use several packages; where two bring a command of the same name, the one used last has it.

    Raises:
        FactoryError: as `use_package`.
    """
    for package in packages:
        use_package(env, package)


def map_commands(env: WasiEnv, commands: Mapping[str, Path]) -> None:
    """Make files of the host commands of an environment, whatever commands of these names there are.

    Args:
        env: The environment; its programs are a `BinFactory`.
        commands: Names, each with a module, a container or a script on the host.

    Raises:
        FactoryError: a name is none, a file cannot be read, or the root takes no files.
    """
    factory = _factory_of(env)
    for name, path in commands.items():
        check_command_name(name, str(path))
        _map_file(factory, env.filesystem, name, _read_host_file(path))


def unite_package(factory: BinFactory, filesystem: FileSystem, package: BinaryPackage) -> None:
    """As `use_package`, for a root: before an environment is made of it, say.

    An overlay gets the package's files as one more lower layer, and its commands in a layer that every package shares:
    nothing is copied. Any other root is written to: its own files stay, those that are missing are copied.

    Args:
        factory: Where the commands are to be found.
        filesystem: The root.
        package: The package.

    Raises:
        FactoryError: as `use_package`.
    """
    with factory.lock:
        used = factory.used(filesystem)
        if package.id in used.packages:
            return
        overlay = overlay_of(filesystem)
        layer = package_layer(package)
        commands = {name: partial(package.commands.__getitem__, name) for name in package.commands}
        for name, load in commands.items():
            if not package.commands.is_vouched(name):
                load()
        try:
            if overlay is None:
                if layer is not None:
                    copy_directory(layer.root, filesystem.root)
                for name, load in commands.items():
                    command = load()
                    for directory in COMMAND_DIRECTORIES:
                        put_file(filesystem.root, f"{directory}/{name}", command.atom)
                        factory.set_binary(f"{directory}/{name}", command)
            else:
                shown = _command_layer(used, overlay)
                for name, load in commands.items():
                    shown.add(name, load)
                if layer is not None:
                    overlay.add_lower(layer)
                _look_again(overlay, commands)
        except OSError as error:
            raise FactoryError(f"{package.id}: its files cannot be put into the root: {_reason(error)}") from error
        used.packages.add(package.id)


def _map_file(factory: BinFactory, filesystem: FileSystem, name: str, content: memoryview) -> None:
    with factory.lock:
        overlay = overlay_of(filesystem)
        used = factory.used(filesystem)
        if overlay is not None:
            _command_layer(used, overlay).add_file(name, content)
            _look_again(overlay, (name,))
            return
        for directory in COMMAND_DIRECTORIES:
            path = f"{directory}/{name}"
            try:
                put_file(filesystem.root, path, content, replace=True)
            except OSError as error:
                raise FactoryError(f"{path}: cannot be put into the root: {_reason(error)}") from error
            factory.unset_binary(path)


def _command_layer(used: UsedRoot, overlay: OverlayFileSystem) -> CommandLayer:
    """The layer of the commands; above the files of every package, as it is laid under the root before them."""
    if used.layer is None:
        used.layer = CommandLayer()
        overlay.add_lower(used.layer)
    return used.layer


def _look_again(overlay: OverlayFileSystem, names: Iterable[str]) -> None:
    """Make an overlay see what its command layer has now: it remembers what it has looked up."""
    overlay.root.refresh(overlay.root.lowers)
    for path in COMMAND_DIRECTORIES:
        root = top(overlay)
        try:
            directory = walk(root, root, path, follow=True).node
        except (FileNotFoundError, NotADirectoryError):
            continue
        if isinstance(directory, OverlayDirectory):
            for name in names:
                directory.forget(name)


def _read_host_file(path: Path) -> memoryview:
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_MAPPED + 1)
    except OSError as error:
        raise FactoryError(f"{path}: cannot be mapped to a command: {error.strerror or error}") from error
    if len(content) > LARGEST_MAPPED:
        raise FactoryError(f"{path}: larger than {LARGEST_MAPPED} bytes: not a program")
    return memoryview(content)


def _factory_of(env: WasiEnv) -> BinFactory:
    if not isinstance(env.programs, BinFactory):
        raise FactoryError("the environment has no binary factory: give one to WasiEnvBuilder.programs()")
    return env.programs


def _reason(error: OSError) -> str:
    return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
