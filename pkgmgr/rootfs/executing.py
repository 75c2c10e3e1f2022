"""Running a command with an image as its root."""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.read_directory import DirectoryLayer

if TYPE_CHECKING:
    from pathlib import Path

    from binfactory.factory import BinFactory
    from binfactory.settings import CommandSettings
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.rootfs.image import RootfsImage
    from pkgmgr.running.program import RunOptions
    from pkgmgr.store import Store
    from runtime.env import WasiEnv
    from runtime.fs.node import FileSystem
    from runtime.process import WasiProcess


class RootKind(Enum):
    """What becomes of what the guest writes."""

    SANDBOX = "sandbox"
    """It is in memory, and gone with the guest."""
    OVERLAY = "overlay"
    """It is kept in a directory of the host, with whiteouts for what was removed."""
    BACKING = "backing"
    """The directory that is the image is itself written to."""


def start_image(
    image: RootfsImage,
    label: str,
    command: str | None,
    kind: RootKind,
    upper: Path | None,
    store: Store,
    install: InstallOptions,
    options: RunOptions,
) -> WasiProcess:
    """Start a command with an image as its root, and the standard streams of this process.

    Args:
        image: The image.
        label: What to call it in errors.
        command: A path, or a name that is looked for along the image's `PATH`; None is what the image wants to run.
        kind: What becomes of what the guest writes.
        upper: The directory for that, of an overlay; it is made if it is missing.
        store: Where packages are and go, and compiled modules.
        install: The registry for packages that the options name, and whether the network may be used.
        options: What the guest is given; its arguments replace those that the image has for its entrypoint. Its `entrypoint`
            is not looked at.

    Raises:
        WpmError: The image has no such command, or does not say what to run, or cannot be the root in this way.
        FactoryError: A package is wrong.
        RuntimeFault: The module needs what the runtime does not have, or a directory is not there.
    """
    from binfactory.factory import BinFactory
    from binfactory.modules import ModuleCache
    from binfactory.settings import image_settings
    from pkgmgr.running.program import guest_environment
    from runtime.net import NetworkPolicy

    network = NetworkPolicy.parse(options.network)
    name, arguments = _what(image, label, command, options.arguments)
    root = image_root(image, label, kind, upper)
    factory = BinFactory(ModuleCache(store.modules), settings=image_settings)
    _use(factory, root, store, install, options.uses)
    options = options._replace(arguments=arguments, environ={**image.config.env, **options.environ})
    environment = partial(guest_environment, name, root, factory, network=network, options=options)
    env = environment(image.config.cwd)
    try:
        if (program := factory.find(name, env)) is None:
            raise WpmError(f"{label}: {_not_found(name, env)}")
        settings: CommandSettings | None = getattr(program, "settings", None)
        if settings is not None and settings.cwd is not None and options.cwd is None:
            # Where a guest starts decides what it is given, so it is given all of it anew.
            env.descriptors.close_all()
            env = environment(settings.cwd)
        if command is None and settings is not None:
            _say_once(settings.args, env)
        return factory.start(program, env)
    except OSError as error:
        raise WpmError(f"{label}: {name}: {error.strerror or error}") from error


def image_root(image: RootfsImage, label: str, kind: RootKind, upper: Path | None) -> FileSystem:
    """The root filesystem of a guest.

    A directory is seen as it is; of anything else every file is a span of what was opened: nothing is unpacked.

    Args:
        image: The image.
        label: What to call it in errors.
        kind: What becomes of what the guest writes.
        upper: The directory for that, of an overlay.

    Raises:
        WpmError: The image cannot be the root in this way.
    """
    from runtime.fs.overlay import OverlayFileSystem
    from runtime.fs.tmpfs import TmpFileSystem

    directory = _directory(image)
    if (upper is None) is (kind is RootKind.OVERLAY):
        raise WpmError("--root overlay keeps changes in a directory: --upper DIR, which only it has")
    if kind is RootKind.BACKING:
        if directory is None:
            raise WpmError(
                f"{label}: only a directory can be written to: --root overlay --upper DIR keeps changes elsewhere"
            )
        return _host(directory)
    if upper is None:
        return OverlayFileSystem(TmpFileSystem(), [image_files(image)])
    if directory is not None and _overlap(directory, upper):
        raise WpmError(f"--upper {upper}: overlaps the image {label}: changes are kept beside it, not in it")
    lower = image_files(image)
    try:
        upper.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WpmError(f"--upper {upper}: cannot be a directory: {error.strerror}") from None
    return OverlayFileSystem(_host(upper), [lower])


def _directory(image: RootfsImage) -> Path | None:
    """The directory of the host that an image is, if it is one."""
    match image.layers:
        case (DirectoryLayer() as layer,):
            return layer.path
    return None


def image_files(image: RootfsImage) -> FileSystem:
    """What of an image guests only read, for any number of roots over it.

    Raises:
        WpmError: The image cannot be read.
    """
    from runtime.fs.readonly import ReadOnlyFileSystem

    if (directory := _directory(image)) is not None:
        return _host(directory, read_only=True)
    from pkgmgr.rootfs.flattening import flatten
    from pkgmgr.rootfs.image_tree import image_tree

    match image.layers:
        case (layer,):
            # A layer alone is a tree already.
            return ReadOnlyFileSystem(image_tree(layer.entries()))
    return ReadOnlyFileSystem(image_tree(flatten(image.layers).entries))


def _host(directory: Path, *, read_only: bool = False) -> FileSystem:
    from runtime.fs.hostfs import HostFileSystem

    try:
        return HostFileSystem(directory, read_only=read_only)
    except OSError as error:
        raise WpmError(f"{directory}: cannot be opened: {error.strerror}") from None


def _overlap(image: Path, upper: Path) -> bool:
    one, other = image.resolve(), upper.resolve()
    return one == other or one in other.parents or other in one.parents


def _what(image: RootfsImage, label: str, command: str | None, given: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What to run: a name or path, and its arguments."""
    if command is not None:
        return command, given
    config = image.config
    wanted = (*config.entrypoint, *(given or config.command))
    if not config.entrypoint and (given or not config.command):
        raise WpmError(f"{label}: does not say what to run: wpm rootfs run {label} COMMAND")
    return wanted[0], wanted[1:]


def _say_once(args: tuple[str, ...], env: WasiEnv) -> None:
    """Take the main arguments out that the entrypoint has already: the program puts them in again."""
    if tuple(env.args[1 : 1 + len(args)]) == args:
        del env.args[1 : 1 + len(args)]


def _use(factory: BinFactory, root: FileSystem, store: Store, install: InstallOptions, uses: tuple[str, ...]) -> None:
    """Add packages: their files where the image has none, their commands whatever it has."""
    from binfactory.command_layer import COMMAND_DIRECTORIES
    from binfactory.use import unite_package
    from pkgmgr.running.program import named_package

    for spec in uses:
        package = named_package(spec, store, install)
        unite_package(factory, root, package)
        for name in package.commands:
            for folder in COMMAND_DIRECTORIES:
                factory.set_binary(f"{folder}/{name}", package.commands[name])


def _not_found(name: str, env: WasiEnv) -> str:
    from difflib import get_close_matches

    from binfactory.factory import DEFAULT_PATH
    from runtime.errors import RuntimeFault

    if "/" in name:
        return f"there is no file {name}"
    path = env.environ.get("PATH", DEFAULT_PATH)
    names: set[str] = set()
    for folder in path.split(":")[:64]:
        try:
            names.update(entry.name for entry in env.locate(folder or "/").directory.entries())
        except (OSError, RuntimeFault):
            continue
    near = get_close_matches(name, sorted(names)[:10_000], 3)
    return f"there is no command {name} in its PATH ({path})" + (f": did you mean {' or '.join(near)}?" if near else "")
