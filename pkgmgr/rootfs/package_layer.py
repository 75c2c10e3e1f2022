"""A package as a layer: what it mounts, united, and its commands as files in `/bin` and `/usr/bin`."""

from __future__ import annotations

from hashlib import file_digest
from typing import TYPE_CHECKING, Final

from binfactory.errors import FactoryError
from binfactory.filesystem import mount_tree, unite
from binfactory.package import PATH_MAX
from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import FILE_MODE, PROGRAM_MODE, SYMLINK_MODE, Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.members import Members, Run
from pkgmgr.rootfs.modes import directory_mode
from pkgmgr.rootfs.package_table import kept_table, new_table, table_key
from pkgmgr.rootfs.path_tree import PathTree
from pkgmgr.rootfs.settings_layer import canonical_json
from pkgmgr.rootfs.source_date import NO_BOUND
from runtime.fs.names import is_name
from runtime.fs.readonly import is_directory
from webc_parser.errors import WebcError
from webc_parser.tree import VolumeDirectory, VolumeFile, VolumeSymlink

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from binfactory.command import BinaryCommand
    from binfactory.package import PackagePart
    from pkgmgr.rootfs.layer import Layer
    from pkgmgr.rootfs.packed_table import PackedTable
    from pkgmgr.store.tables import LayerTables
    from runtime.fs.readonly import TreeDirectory, TreeEntry

_NS: Final = 1_000_000_000
_MOST_LINKS: Final = 40
_SURELY_SHORT: Final = 255 // 4
"""No name of so many characters is too long for a file system: none takes more than four bytes."""
COMMAND_DIRECTORIES: Final = ("bin", "usr/bin")
COMMAND_SETTINGS: Final = "usr/lib/wpm/commands"
"""Where a command's settings are, as `NAME.json`."""


class PackageLayer:
    """What a package brings itself: it depends on nothing but the package, and those whose volumes and modules it names.

    Args:
        part: The package.
        source_date: What no file of it is newer than, in seconds since the epoch; None for no bound.
        tables: Where the layers of packages are kept that somebody vouches for; None keeps none.
    """

    def __init__(self, part: PackagePart, source_date: int | None = None, tables: LayerTables | None = None) -> None:
        self.title = title_of(part)
        self._part: PackagePart | None = part
        self._latest = NO_BOUND if source_date is None else source_date
        self._tables = tables
        self._key = None if tables is None else table_key(part)
        self._table: PackedTable | None = None
        self._entries: list[Entry] = []
        self._offsets: dict[str, int] = {}

    def entries(self) -> Iterator[Entry]:
        """As `Layer.entries`; the package is looked into once."""
        self._load()
        table, latest = self._table, self._latest
        entries = iter(self._entries) if table is None else table.entries(0, len(table.paths))
        if latest == NO_BOUND or (table is not None and table.latest <= latest):
            return entries
        return (entry._replace(mtime=latest) if entry.mtime > latest else entry for entry in entries)

    def table(self) -> PackedTable | None:
        """The layer's table; None where it has none, or files are newer there than they may be."""
        self._load()
        return None if self._table is None or self._table.latest > self._latest else self._table

    def lacks_table(self) -> bool:
        """Whether the store could have a table of it, and has none."""
        if self._part is None or self._tables is None or self._key is None:
            return False
        return not self._tables.path(self._key).exists()

    def _load(self) -> None:
        """Find out what is in the layer, once."""
        if (part := self._part) is None:
            return
        tables, key = self._tables, self._key
        if tables is not None and key is not None:
            self._table = kept_table(tables, key, part)
        if self._table is None:
            try:
                entries = self._all(part)
                if tables is not None and key is not None:
                    self._table = new_table(tables, key, part, entries, self._offsets)
            except FactoryError as error:
                raise WpmError(str(error)) from error
            except WebcError as error:
                raise WpmError(f"{self.title}: {error}") from error
            self._entries = entries if self._table is None else []
            self._offsets = {}
        # The parsed trees of many packages take more memory than their entries.
        self._part = None

    def _all(self, part: PackagePart) -> list[Entry]:
        if not part.commands:
            return self._files(part)
        tree: PathTree[Entry] = PathTree()
        tree.put_all({entry.path: entry for entry in self._files(part)})
        self._offsets |= _add_commands(tree, part)
        return list(tree.ordered().values())

    def _files(self, part: PackagePart) -> list[Entry]:
        """What the mounts show; a directory's names in order, each with what is below it."""
        found: list[Entry] = []
        if not part.mounts:
            return found
        file, offsets = Kind.FILE, self._offsets
        stack = [("", _names(unite([mount_tree(mount) for mount in part.mounts])))]
        while stack:
            prefix, names = stack[-1]
            for name, node in names:
                path = prefix + name
                mtime = (node.modified_ns or 0) // _NS
                if mtime > NO_BOUND:
                    mtime = NO_BOUND
                if isinstance(node, VolumeFile):
                    offsets[path] = node.offset
                    found.append(Entry(path, file, FILE_MODE, mtime, node.size, node.content))
                elif is_directory(node):
                    found.append(Entry(path, Kind.DIRECTORY, directory_mode(path), mtime))
                    stack.append((path + "/", _names(node)))
                    break
                elif isinstance(node, VolumeSymlink):
                    target = self._target(path, node.target)
                    found.append(Entry(path, Kind.SYMLINK, SYMLINK_MODE, mtime, target=target))
            else:
                stack.pop()
        return found

    def _target(self, path: str, target: str) -> str:
        if not target or "\0" in target or len(target) > PATH_MAX:
            raise WpmError(f"{self.title}: {one_line(path)}: its target {shown(target)} is none that a link can have")
        return target


def members_of(layer: Layer) -> Collection[Entry]:
    """All of a layer: as its table has it, where it has one."""
    if isinstance(layer, PackageLayer) and (table := layer.table()) is not None:
        return Members([Run(table, 0, len(table.paths))])
    return list(layer.entries())


def title_of(part: PackagePart) -> str:
    """What a package's layer is called: its id, or the hash of its file where the id is a path of this machine."""
    node = part.node
    if not node.id.startswith(("/", ".")):
        return node.id
    if node.sha256 is not None or node.path is None:
        return f"sha256:{node.sha256}"
    with open(node.path, "rb") as file:
        return f"sha256:{file_digest(file, 'sha256').hexdigest()}"


def _names(directory: TreeDirectory) -> Iterator[tuple[str, TreeEntry]]:
    """What is in a directory, by name; names that can be none are not shown, as in a guest."""
    entries = directory.entries
    if all(len(name) <= _SURELY_SHORT for name in entries) and isinstance(directory, VolumeDirectory):
        # Containers have no other names that are none, and have them in order.
        return iter(entries.items())
    return iter([(name, entries[name]) for name in sorted(entries) if is_name(name)])


def _add_commands(tree: PathTree[Entry], part: PackagePart) -> dict[str, int]:
    """Let the package's commands be files in it; those that run the same module are one file with many names.

    Returns:
        Where in their containers the modules begin, by path.
    """
    offsets: dict[str, int] = {}
    commands = {name: part.commands[name] for name in sorted(part.commands)}
    folders = {folder: _make_directory(tree, folder) for folder in COMMAND_DIRECTORIES}
    places = {f"{folder}/{name}": command for folder in folders.values() for name, command in commands.items()}
    firsts: dict[tuple[str, str], str] = {}
    for path in sorted(places, key=path_order):
        command = places[path]
        tree.remove(path)
        first = firsts.setdefault((command.origin_package, command.atom_name), path)
        if first == path:
            atom = command.atom
            offsets[path] = command.atom_offset
            tree.put(path, Entry(path, Kind.FILE, PROGRAM_MODE, size=len(atom), content=atom))
        else:
            tree.put(path, Entry(path, Kind.HARD_LINK, PROGRAM_MODE, target=first))
    texts = {name: text for name, command in commands.items() if (text := _settings_text(command)) is not None}
    if texts:
        folder = _make_directory(tree, COMMAND_SETTINGS)
        for name, text in texts.items():
            path = f"{folder}/{name}.json"
            tree.remove(path)
            tree.put(path, Entry(path, Kind.FILE, size=len(text), content=memoryview(text)))
    return offsets


def _settings_text(command: BinaryCommand) -> bytes | None:
    """How a command wants to be started, for whoever runs its file; None where that is as any other program."""
    settings = {
        "args": command.main_args,
        "env": dict(command.env),
        "cwd": command.cwd,
        "name": command.exec_name,
    }
    kept = {key: value for key, value in settings.items() if value}
    return canonical_json({**kept, "module": command.atom_sha256}) if kept else None


def _make_directory(tree: PathTree[Entry], path: str) -> str:
    """See that a directory is there, and those on the way to it; gives where it is, symbolic links followed."""
    real = _followed(tree, path)
    for way in (*ways_to(real), real):
        there = tree.get(way)
        if there is None or there.kind is not Kind.DIRECTORY:
            tree.remove(way)
            tree.put(way, Entry(way, Kind.DIRECTORY, directory_mode(way)))
    return real


def _followed(tree: PathTree[Entry], path: str) -> str:
    """Where a path leads within the package; links that go round, or to the root, count as none."""
    found: list[str] = []
    left = path.split("/")[::-1]
    followed = 0
    while left:
        name = left.pop()
        if name == "..":
            del found[-1:]
        elif name not in ("", "."):
            there = tree.get("/".join([*found, name]))
            if there is None or there.kind is not Kind.SYMLINK:
                found.append(name)
                continue
            followed += 1
            if followed > _MOST_LINKS:
                return path
            if there.target.startswith("/"):
                found.clear()
            left.extend(there.target.split("/")[::-1])
    return "/".join(found) or path
