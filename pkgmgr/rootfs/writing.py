"""An image as a file or a directory of one of the formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.marker import is_layout
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import DIRECTORY_MODE, Kind
from pkgmgr.rootfs.members import Members
from pkgmgr.rootfs.opening import layout_and_tag
from pkgmgr.rootfs.output import checked_place, new_place

if TYPE_CHECKING:
    from collections.abc import Collection

    from pkgmgr.oci.platforms import Platform
    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.rootfs.image import RootfsImage

FORMATS: Final = ("dir", "tar", "oci", "webc")
COMPRESSIONS: Final = ("none", "gzip", "zstd")
_TARS: Final = {
    ".tar": "none",
    ".tar.gz": "gzip",
    ".tgz": "gzip",
    ".tar.zst": "zstd",
    ".tar.zstd": "zstd",
    ".tzst": "zstd",
}
_OTHERS: Final = (
    ".zip",
    ".7z",
    ".xz",
    ".txz",
    ".bz2",
    ".tbz2",
    ".lz4",
    ".cpio",
    ".img",
    ".iso",
    ".squashfs",
    ".sqfs",
    ".ext4",
)
"""Endings by which somebody means a file that is none of ours, where a directory would come as a surprise."""


class Output(NamedTuple):
    """How an image is to be written.

    Attributes:
        format: One of `FORMATS`.
        compression: One of `COMPRESSIONS`, for `tar` and `oci`.
        force: Whether to replace what is there.
        tag: The name of the image in an OCI layout.
        name: The name of the package, `NAME@VERSION`, for `webc`.
        jobs: How many layers to compress at a time; None lets the machine decide.
        platforms: For what an OCI image says that it is; none takes the usual one.
    """

    format: str = "dir"
    compression: str = "none"
    force: bool = False
    tag: str | None = None
    name: str | None = None
    jobs: int | None = None
    platforms: tuple[Platform, ...] = ()


class Written(NamedTuple):
    """What was written.

    Attributes:
        files: How many files and links the image has, by name.
        bytes: How many bytes its files have; a file of many names counts once.
        digest: What tells it from every other: of a tar and a package the sha256 of the file, of an OCI image that of its
            manifest or index, as `sha256:HEX`; None for a directory.
    """

    files: int
    bytes: int
    digest: str | None


def place_and_tag(out: Path, tag: str | None, wanted: str | None) -> tuple[Path, str | None]:
    """The place of an image, and its name in a layout there, where `PLACE:TAG` says both as it does where images are read."""
    if tag is None and not os.path.lexists(out) and (before := layout_and_tag(str(out))) is not None:
        return before
    path, _, name = str(out).rpartition(":")
    if tag is None and wanted == "oci" and path and name and "/" not in name:
        return Path(path), name
    return out, tag


def chosen_format(out: Path, wanted: str | None, compression: str | None, tag: str | None = None) -> tuple[str, str]:
    """The format and the compression for a place: what is wanted, else what its name, a tag or what is there tells.

    Raises:
        WpmError: The format has no such compression, or the name is that of another kind of archive.
    """
    name = out.name.lower()
    ending = next((each for each in _TARS if name.endswith(each)), None)
    kind = wanted
    if kind is None:
        if ending is not None:
            kind = "tar"
        elif name.endswith(".webc"):
            kind = "webc"
        elif name.endswith(_OTHERS) and not out.is_dir():
            raise WpmError(
                f"{one_line(str(out))}: no format of an image has this ending: use {', '.join(_TARS)} or .webc, or --format"
            )
        else:
            kind = "oci" if tag is not None or is_layout(out) else "dir"
    match kind:
        case "tar":
            return kind, compression or (_TARS[ending] if ending else "none")
        case "oci":
            return kind, compression or "gzip"
    if compression not in (None, "none"):
        raise WpmError(f"--compression {compression}: only the formats tar and oci are compressed, not {kind}")
    return kind, "none"


def write_image(image: RootfsImage, tree: Collection[Entry], out: Path, output: Output) -> Written:
    """Write an image: whole, or not at all.

    Args:
        image: The image.
        tree: Its layers as one tree, as `flatten` gives it.
        out: Where.
        output: How.

    Raises:
        WpmError: Something is there already, or cannot be written in this format.
        OSError: It cannot be written.
    """
    if output.format == "oci" and is_layout(out) and not output.force:
        if output.tag is None:
            raise WpmError(
                f"{one_line(str(out))}: is an OCI layout: give the image a name in it with --tag, or replace all of it "
                "with --force"
            )
        return _written(tree, _write(image, tree, out, output))
    place = checked_place(out, force=output.force)
    is_tree = output.format == "dir"
    with new_place(place, directory=is_tree or output.format == "oci", force=output.force, private=is_tree) as path:
        try:
            return _written(tree, _write(image, tree, path, output))
        except OSError as error:
            # Nobody knows the name that it has until it is whole.
            name = str(error.filename or place).replace(str(path), str(place))
            raise OSError(error.errno, error.strerror, name) from None


def write_tar_to(tree: Collection[Entry], descriptor: int, compression: str) -> Written:
    """Write an image as a tar to an open file or pipe.

    Raises:
        WpmError: Something cannot stand in a tar.
        OSError: It cannot be written.
    """
    from pkgmgr.rootfs.write_tar import write_tar

    return _written(tree, "sha256:" + write_tar(tree, descriptor, compression).sha256)


def _write(image: RootfsImage, tree: Collection[Entry], path: Path, output: Output) -> str | None:
    """Write it to a place that is nobody else's; its digest."""
    match output.format:
        case "tar":
            from pkgmgr.rootfs.write_tar import write_tar

            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                return "sha256:" + write_tar(tree, descriptor, output.compression).sha256
            finally:
                os.close(descriptor)
        case "oci":
            from pkgmgr.rootfs.write_oci import PLATFORM, write_oci

            platforms = output.platforms or (PLATFORM,)
            return write_oci(image, path, output.tag, output.compression, output.jobs, platforms)
        case "webc":
            from pkgmgr.rootfs.write_webc import write_webc

            return "sha256:" + write_webc(image, path, output.name)
    from pkgmgr.rootfs.write_directory import write_directory

    write_directory(tree, path)
    path.chmod(DIRECTORY_MODE)
    os.utime(path, (image.created, image.created))
    return None


def _written(tree: Collection[Entry], digest: str | None) -> Written:
    if isinstance(tree, Members):
        return Written(tree.files(), tree.bytes(), digest)
    files = len([None for entry in tree if entry.kind is not Kind.DIRECTORY])
    return Written(files, sum([entry.size for entry in tree]), digest)
