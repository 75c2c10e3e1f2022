"""From packages to an image."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.base_layer import BASE, BaseLayer
from pkgmgr.rootfs.copied_layer import FILES, CopiedLayer
from pkgmgr.rootfs.image import ImageConfig, RootfsImage
from pkgmgr.rootfs.package_layer import PackageLayer
from pkgmgr.rootfs.settings_layer import SETTINGS, SettingsLayer
from pkgmgr.rootfs.source_date import source_date
from pkgmgr.store.tables import LayerTables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from binfactory.command import BinaryCommand
    from binfactory.package import BinaryPackage, PackagePart
    from pkgmgr.rootfs.copied_layer import Copy
    from pkgmgr.rootfs.flattening import Conflict
    from pkgmgr.rootfs.layer import Layer
    from pkgmgr.store import Store

_INTENDED: Final = frozenset({FILES, SETTINGS})


class BuildOptions(NamedTuple):
    """What an image is to have beside its packages, and how it wants to be run.

    Attributes:
        copies: Files and directories of the host.
        env: Variables; over those of the command that the image runs.
        entrypoint: What runs, its path first; None for what the last package runs.
        command: The arguments behind it.
        cwd: The working directory; empty for that of the command that the image runs.
        user: Who runs it.
        labels: Names with texts.
        keep_out: Where the image itself is to be: left out of copied directories, with what is unfinished of it.
    """

    copies: tuple[Copy, ...] = ()
    env: Mapping[str, str] = MappingProxyType({})
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] = ()
    cwd: str = ""
    user: str = ""
    labels: Mapping[str, str] = MappingProxyType({})
    keep_out: Path | None = None


def build_image(
    packages: Sequence[BinaryPackage],
    options: BuildOptions = BuildOptions(),  # noqa: B008
    store: Store | None = None,
) -> RootfsImage:
    """The image of some packages: the same for the same packages and options, wherever and whenever it is built.

    The layers, the lowest first: the usual directories; the packages, each in its own layer, those that are needed under
    those that need them, and what is named later over what is named before; the copied files; and a file that says how the
    image wants to be run, where there is something to say.

    Args:
        packages: The packages, in the order in which they lie over one another.
        options: What else it has.
        store: Where the tables of the packages' layers are kept; None keeps none.

    Raises:
        WpmError: A copied file cannot be read, two packages have one id, or `SOURCE_DATE_EPOCH` is no time.
        FactoryError: What a package says that it runs is not there.
    """
    date = source_date()
    config = image_config(packages, options)
    tables = None if store is None else LayerTables(store)
    layers: list[Layer] = [BaseLayer()]
    layers += (PackageLayer(part, date, tables) for part in parts_of(packages) if part.mounts or part.commands)
    if options.copies:
        layers.append(CopiedLayer(options.copies, date or 0, options.keep_out))
    if any(config):
        layers.append(SettingsLayer(config, date or 0))
    return RootfsImage(tuple(layers), config, date or 0)


def parts_of(packages: Iterable[BinaryPackage]) -> Iterator[PackagePart]:
    """Every package once, and before those that need it.

    Raises:
        WpmError: Two packages with different bytes have one id.
    """
    seen: dict[str, PackagePart] = {}
    for package in packages:
        for package_id in reversed(package.package_ids):
            part = package.part(package_id)
            before = seen.setdefault(package_id, part)
            if before is part:
                yield part
            elif before.node.sha256 != part.node.sha256 or (
                part.node.sha256 is None and before.node.path != part.node.path
            ):
                raise WpmError(
                    f"{package_id}: two different packages are called so ({before.node.path} and {part.node.path}): "
                    "name one of them"
                )


def image_config(packages: Sequence[BinaryPackage], options: BuildOptions) -> ImageConfig:
    """How an image wants to be run: as the last package, but for what the options say.

    The entrypoint is whole: what the command wants before its arguments is in it, so that whoever runs it must not add what
    the command's own settings say (`package_layer.COMMAND_SETTINGS`) again.
    """
    entrypoint, env, cwd = options.entrypoint, dict(options.env), options.cwd
    if entrypoint is None:
        command = _default_command(packages)
        entrypoint = () if command is None else (f"/bin/{command.name}", *command.main_args)
        if command is not None:
            env = {**command.env, **env}
            cwd = cwd or command.cwd or ""
    return ImageConfig(
        MappingProxyType(dict(sorted(env.items()))),
        entrypoint,
        options.command,
        cwd,
        options.user,
        MappingProxyType(dict(sorted(options.labels.items()))),
    )


def _default_command(packages: Sequence[BinaryPackage]) -> BinaryCommand | None:
    """What the last package runs when nobody names a command; None where that is open."""
    if not packages:
        return None
    node = packages[-1].part(packages[-1].id).node
    if node.path is None and node.container is None:
        # A project that only has dependencies: none of them is more its own than the others.
        return None
    return packages[-1].entrypoint_command() if packages[-1].entrypoint is not None else None


def unintended(conflicts: Iterable[Conflict]) -> list[Conflict]:
    """The conflicts that nobody asked for: between packages."""
    return [each for each in conflicts if each.hidden != BASE and each.seen not in _INTENDED]
