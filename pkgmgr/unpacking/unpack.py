"""`unpack_package`: a WEBC of any version becomes a directory that `wpm build` builds again."""

from __future__ import annotations

import os

from pkgmgr.errors import WpmError
from pkgmgr.manifest import MANIFEST_NAMES
from pkgmgr.manifest.names import shown
from pkgmgr.unpacking.layout import MODULES, plan
from pkgmgr.unpacking.project import ProjectWriter
from pkgmgr.unpacking.writer import FolderWriter
from runtime.typed import NamedTuple
from webc_parser.container import Container
from webc_parser.tree import VolumeDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from webc_parser.tree import Volume

MAX_GROWTH = 16
"""How many times larger than its container an unpacked package may be."""

MAX_OVERHEAD = 1 << 20
"""What it may be larger besides, in bytes: the manifest is a text."""


class UnpackedPackage(NamedTuple):
    """Where a package went, and what a `wasmer.toml` cannot say of it."""

    path: Path
    warnings: tuple[str, ...]


def unpack_package(source: Path, output: Path, *, force: bool = False) -> UnpackedPackage:
    """Extract a container into a package's directory; every checksum is verified first.

    The directory appears as a whole or not at all.

    Args:
        source: The `.webc` file.
        output: The directory; it must not exist, or be empty.
        force: Replace a package's directory (one with a manifest in it) that is there already.

    Raises:
        WpmError: The directory is in the way, or the container cannot be written as files.
        WebcError: The file is no container, or it is damaged.
        OSError: The disk is full, or a directory cannot be written.
    """
    with Container.open(source) as container:
        container.verify()
        target = output.resolve()
        replaces = _check_output(source.resolve(), target, force=force)
        target.parent.mkdir(parents=True, exist_ok=True)
        # An empty directory may be a mount point or somebody's working directory: it stays, and is filled.
        fills = target.is_dir() and not replaces
        folder = _temporary(target if fills else target.parent, target.name)
        try:
            warnings = _write(container, folder)
            if fills:
                for path in sorted(folder.iterdir()):
                    path.rename(target / path.name)
                folder.rmdir()
            else:
                _publish_mode(folder)
                _put(folder, target)
        except BaseException:
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
            raise
    return UnpackedPackage(output, tuple(warnings))


def _write(container: Container, folder: Path) -> list[str]:
    layout = plan(container.volumes)
    project = ProjectWriter(container, layout)
    writer = FolderWriter(folder, MAX_GROWTH * container.size + MAX_OVERHEAD)
    writer.write_file(MANIFEST_NAMES[0], project.text().encode())
    for name, content in container.atoms.items():
        writer.write_file(f"{MODULES}/{name}", content)
    for name, volume in container.volumes.items():
        place = layout.volumes.get(name, layout.metadata)
        if place is not None:
            writer.write_tree(place, volume.root)
    if any(_has_git(volume) for volume in container.volumes.values()):
        # Without an ignore file of its own, a build leaves .git out.
        writer.write_file(".wasmerignore", b"# This package has .git directories: keep them.\n")
    links = [f"{shown(link)}: a link that leads out of its volume, left out" for link in writer.finish()]
    return project.warnings + links


def _has_git(volume: Volume) -> bool:
    return any(path.endswith("/.git") and isinstance(node, VolumeDirectory) for path, node in volume.walk())


def _check_output(source: Path, target: Path, *, force: bool) -> bool:
    """Whether the output replaces a directory that is there; raises `WpmError` when it must not."""
    if not target.exists():
        return False
    if not target.is_dir():
        raise WpmError(f"{target}: is a file: name a directory that does not exist yet")
    if not any(target.iterdir()):
        return False
    if not force:
        raise WpmError(f"{target}: is not empty: name another directory, or replace it with --force")
    if not any((target / name).is_file() for name in MANIFEST_NAMES):
        raise WpmError(f"{target}: has no wasmer.toml, so --force does not delete it: remove the directory yourself")
    if target in source.parents:
        raise WpmError(f"{target}: the package itself lies in there: move it, or name another directory")
    working = os.path.realpath(os.curdir)
    if os.path.commonpath([working, target]) == str(target):
        raise WpmError(f"{target}: is the current directory: change to another one to replace it")
    return True


def _temporary(parent: Path, name: str) -> Path:
    """A new folder beside the target that only this user can reach."""
    folder = parent / f".{name[:100]}.{os.urandom(8).hex()}"
    folder.mkdir(0o700)
    return folder


def _publish_mode(folder: Path) -> None:
    """Give the private folder the mode of an ordinary directory, as the user's umask makes them."""
    probe = folder / ".mode"
    probe.mkdir()
    mode = probe.stat().st_mode & 0o777
    probe.rmdir()
    folder.chmod(mode)


def _put(folder: Path, target: Path) -> None:
    """Let the finished folder take the target's name; an old one goes only when the new one is in place."""
    if not target.exists():
        folder.rename(target)
        return
    old = _temporary(target.parent, target.name)
    target.rename(old)
    try:
        folder.rename(target)
    except BaseException:
        old.rename(target)
        raise
    import shutil

    shutil.rmtree(old)
