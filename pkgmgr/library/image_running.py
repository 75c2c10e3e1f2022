"""Running a command with an image as its root, with streams of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binfactory.factory import BinFactory
from binfactory.settings import CommandSettings, image_settings
from pkgmgr.errors import WpmError
from pkgmgr.library.failures import converted
from pkgmgr.library.launching import Given, World, module_cache, start
from pkgmgr.rootfs.executing import RootKind, image_root
from pkgmgr.store import Store
from runtime.env import WasiEnvBuilder
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.tmpfs import TmpFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.library.process import Process
    from pkgmgr.library.stdio import Stdio
    from pkgmgr.rootfs.image import RootfsImage
    from runtime.fs.node import FileSystem


def lower_of(image: RootfsImage, label: str) -> FileSystem:
    """What of an image guests only read: one for all of them.

    Args:
        image: The image.
        label: What to call it in errors.

    Raises:
        WpmError: It cannot be the root.
    """
    root = image_root(image, label, RootKind.SANDBOX, None)
    assert isinstance(root, OverlayFileSystem)
    return root.lowers[0]


def start_in_image(
    image: RootfsImage,
    lower: FileSystem,
    label: str,
    command: str | None,
    args: tuple[str, ...],
    given: Given,
    streams: Callable[[WasiEnvBuilder], Stdio],
) -> Process:
    """Start a command with an image as its root; what it writes is in memory.

    Args:
        image: The image.
        lower: What `lower_of` gave.
        label: What to call the image in errors.
        command: A path, or a name that is looked for along the image's `PATH`; None is what the image wants to run.
        args: Its arguments.
        given: What the guest is given.
        streams: Gives it its standard streams.

    Raises:
        WpmError: It cannot be found or run.
    """
    config = image.config
    name, words = command, args
    if name is None:
        wanted = (*config.entrypoint, *(args or config.command))
        if not wanted or (args and not config.entrypoint):
            raise WpmError(f"{label}: does not say what to run: name a command")
        name, words = wanted[0], wanted[1:]
    root = OverlayFileSystem(TmpFileSystem(), [lower])
    factory = BinFactory(module_cache(Store.default().modules), settings=image_settings)
    given = given._replace(env={**config.env, **(given.env or {})})
    settings = _settings(factory, root, name, given, config.cwd or "/")
    if settings is not None:
        if settings.cwd is not None and given.cwd is None:
            given = given._replace(cwd=settings.cwd)
        if command is None and words[: len(settings.args)] == settings.args:
            # The entrypoint has the main arguments already, and the program puts them in again.
            words = words[len(settings.args) :]
    return start(World((), factory, root, config.cwd or "/"), name, words, given, streams)


def _settings(factory: BinFactory, root: FileSystem, name: str, given: Given, cwd: str) -> CommandSettings | None:
    """How the program wants to be started: where it starts decides what it is given."""
    with converted:
        env = WasiEnvBuilder(name).envs(given.env or {}).root(root).stdin(b"").cwd(cwd).build()
        try:
            settings = getattr(factory.find(name, env), "settings", None)
        finally:
            env.descriptors.close_all()
    return settings if isinstance(settings, CommandSettings) else None
