"""What an image has: its names, and of which layer each is."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Entry, Kind
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.image_tree import image_tree
from runtime.fs.readonly import ReadOnlyFileSystem
from runtime.fs.walk import top, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pkgmgr.rootfs.image import ImageConfig, RootfsImage

_TYPES: Final = {Kind.DIRECTORY: stat.S_IFDIR, Kind.SYMLINK: stat.S_IFLNK}


class ListedLayer(NamedTuple):
    """A layer: what it is of, how many names it has, and how many bytes its files are."""

    title: str
    names: int
    bytes: int


class Listed(NamedTuple):
    """A name of an image.

    Attributes:
        entry: What is there.
        size: Of a file, by whichever name, in bytes; of a link the length of what it says; else 0.
        layer: The number of the layer that it is of, from 0.
    """

    entry: Entry
    size: int
    layer: int


class Listing(NamedTuple):
    """What an image has.

    Attributes:
        layers: Its layers, the lowest first.
        names: Every name that somebody sees who runs it, by path, what is in a directory right behind it.
    """

    layers: tuple[ListedLayer, ...]
    names: Mapping[str, Listed]


def list_image(image: RootfsImage) -> Listing:
    """List all of an image.

    Raises:
        WpmError: It cannot be read.
    """
    layers: list[ListedLayer] = []
    owners: dict[str, int] = {}
    for number, layer in enumerate(image.layers):
        names = size = 0
        for entry in layer.entries():
            names += 1
            size += entry.size
            if entry.kind is not Kind.WHITEOUT:
                # Whatever layers between took it away: of those that have it the highest is the one that is seen.
                owners[entry.path] = number
        layers.append(ListedLayer(layer.title, names, size))
    entries = {entry.path: entry for entry in flatten(image.layers).entries}
    return Listing(
        tuple(layers),
        {
            path: Listed(entry, _size(entry, entries), owners.get(path, len(layers) - 1))
            for path, entry in entries.items()
        },
    )


def _size(entry: Entry, entries: Mapping[str, Entry]) -> int:
    match entry.kind:
        case Kind.HARD_LINK:
            return entries[entry.target].size
        case Kind.SYMLINK:
            return len(entry.target.encode(errors="surrogateescape"))
    return entry.size


def below(listing: Listing, path: str, *, recursive: bool) -> Sequence[Listed]:
    """What `ls` shows of a path: what is in a directory, or the name itself.

    Args:
        listing: The image.
        path: A path in it, with or without a slash at its start; links on the way are followed, and one that leads to a
            directory, too.
        recursive: Everything below, rather than what is in the directory itself.

    Raises:
        WpmError: There is no such path.
    """
    place = _real(listing, path)
    found = listing.names.get(place)
    if found is not None and found.entry.kind is not Kind.DIRECTORY:
        return [found]
    prefix = f"{place}/" if place else ""
    return [
        listed
        for name, listed in listing.names.items()
        if name.startswith(prefix) and (recursive or "/" not in name[len(prefix) :])
    ]


def _real(listing: Listing, path: str) -> str:
    """Where a path leads, without a slash at its start; a link that does not lead to a directory is meant itself."""
    plain = path.strip("/")
    if plain in listing.names and listing.names[plain].entry.kind is not Kind.SYMLINK:
        return plain
    root = top(ReadOnlyFileSystem(image_tree(listed.entry for listed in listing.names.values())))
    try:
        walked = walk(root, root, path or "/", follow=False).found()
        if walked.node.filetype.name == "SYMBOLIC_LINK":
            try:
                followed = walk(root, root, path, follow=True).found()
                _ = followed.directory
            except OSError:
                return walked.path()[1:]
            return followed.path()[1:]
        return walked.path()[1:]
    except OSError as error:
        raise WpmError(f"{one_line(path)}: {error.strerror or error} in the image") from None


def mode_text(entry: Entry) -> str:
    """The type and the permissions as `ls -l` writes them: `drwxr-xr-x`."""
    return stat.filemode(_TYPES.get(entry.kind, stat.S_IFREG) | entry.mode)


def time_text(entry: Entry) -> str:
    """The time in UTC: `2026-01-31 12:00:00`."""
    from time import gmtime, strftime

    try:
        return strftime("%Y-%m-%d %H:%M:%S", gmtime(entry.mtime))
    except (OverflowError, ValueError, OSError):
        return f"@{entry.mtime}"


def name_text(entry: Entry) -> str:
    """The path on one line, with what a link leads to."""
    match entry.kind:
        case Kind.SYMLINK:
            return f"{one_line(entry.path)} -> {one_line(entry.target)}"
        case Kind.HARD_LINK:
            return f"{one_line(entry.path)} link to {one_line(entry.target)}"
    return one_line(entry.path)


def as_json(listed: Listed, layers: Sequence[ListedLayer]) -> Iterator[tuple[str, object]]:
    """What programs are told of a name."""
    entry = listed.entry
    yield "path", plain_text(entry.path)
    yield "type", entry.kind.value
    yield "mode", f"{entry.mode:04o}"
    yield "uid", entry.uid
    yield "gid", entry.gid
    yield "size", listed.size
    yield "mtime", entry.mtime
    if entry.target:
        yield "target", plain_text(entry.target)
    yield "layer", layers[listed.layer].title if layers else ""
    yield "layer_number", listed.layer


def config_as_json(config: ImageConfig) -> dict[str, object]:
    """What programs are told of how an image wants to be run; what it does not say is left out."""
    told: dict[str, object] = {}
    for key, value in config._asdict().items():
        match value:
            case "" | ():
                continue
            case str():
                told[key] = plain_text(value)
            case tuple():
                told[key] = [plain_text(each) for each in value]
            case _ if value:
                told[key] = {plain_text(name): plain_text(text) for name, text in value.items()}
    return told


def plain_text(text: str) -> str:
    """A name as JSON can have it; bytes that are no UTF-8 are written as escapes."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
