"""An image as one WEBC package of version 3, which everything runs that runs packages.

What is in the image's directories of commands and is WebAssembly becomes a command, one atom for each distinct module; all
else is one volume at `/`. How an image wants to be run becomes the package's entrypoint, and its variables those of every
command. The same image gives the same bytes.

A WEBC has no modes and no owners: who reads it gets 0755 for directories and commands and 0644 for files, all of them
root's. A command stands in `/bin` and `/usr/bin`, without a time; names of files of the same bytes need not be one file any
more, but those of commands are. Times are in whole seconds. A package with only one command runs it, whether or not the
image says what to run.
"""

from __future__ import annotations

import os
from hashlib import file_digest, sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from binfactory.command import WASI_RUNNER
from binfactory.settings import LARGEST_SETTINGS, PLAIN, SETTINGS_DIRECTORY, CommandSettings, parse_settings
from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Entry, HostFile, Kind
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.image_tree import Mappings, image_tree
from pkgmgr.rootfs.read_config import config_of_entry
from pkgmgr.rootfs.settings_layer import IMAGE_SETTINGS, SettingsLayer
from runtime.fs.readonly import ReadOnlyFileSystem
from runtime.fs.walk import top, walk
from webc_parser.errors import WebcError
from webc_parser.names import entry_name
from webc_parser.source import DirectorySource, FileSource, SymlinkSource
from webc_parser.writer import KIND_WASM, write_container

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pkgmgr.rootfs.image import ImageConfig, RootfsImage
    from webc_parser.source import Pieces, Source

VOLUME: Final = "/"
ENTRYPOINT: Final = "entrypoint"
"""What the command is called that is made where the image's entrypoint has arguments that no command of its own has."""

_DIRECTORIES: Final = ("bin", "usr/bin")
_MAGIC: Final = b"\0asm"
_SECOND: Final = 10**9


class _Module(NamedTuple):
    """A module: its sha256 in hex, its bytes, and when it was modified."""

    sha256: str
    content: Source | Pieces
    mtime: int


class _Command(NamedTuple):
    """A command: its module, how it wants to be started, and which files of the image it stands for."""

    module: _Module
    settings: CommandSettings
    paths: tuple[str, ...]


def write_webc(image: RootfsImage, path: Path, name: str | None = None) -> str:
    """Write an image as a package.

    Args:
        image: The image.
        path: The file to write, which nobody else sees before it is whole.
        name: What the package is called, as `NAMESPACE/NAME@VERSION`; None leaves it without a name.

    Returns:
        The sha256 of the file, in hex.

    Raises:
        WpmError: The image cannot be read, has a name that no WEBC can have, or the package's name is none.
        FactoryError: What the image says of one of its commands is not as it should be.
        OSError: The file cannot be written.
    """
    package = _package(name)
    entries = {entry.path: entry for entry in _with_config(image)}
    commands = _Commands(entries)
    entrypoint = commands.add_entrypoint(image.config)
    found = commands.found
    gone = {path for command in found.values() for path in command.paths}
    atoms, atom_names = _atoms(found)
    manifest: dict[str, Any] = {
        "atoms": {atom: {"kind": KIND_WASM} for atom in atoms},
        "commands": {
            name: _described(atom_names[command.module.sha256], command.settings, image.config)
            for name, command in sorted(found.items())
        },
        "package": {
            **package,
            "fs": [{"from": None, "volume_name": VOLUME, "host_path": "/", "mount_path": "/"}],
        },
    }
    if entrypoint is not None:
        manifest["entrypoint"] = entrypoint
    volume = _volume(entries, gone, commands.mappings)
    try:
        with path.open("w+b") as file:
            write_container(file, manifest=manifest, atoms=atoms, volumes={VOLUME: volume})
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            return file_digest(file, "sha256").hexdigest()
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, WebcError):
            raise WpmError(f"the image cannot be a WEBC: {error}") from None
        raise


def _with_config(image: RootfsImage) -> Iterable[Entry]:
    """The image's tree, with a file that says how it wants to be run: a WEBC has no other place for that."""
    entries = flatten(image.layers).entries
    said = next((entry for entry in entries if entry.path == IMAGE_SETTINGS), None)
    if config_of_entry(said, "the image") == image.config:
        return entries
    return flatten([*image.layers, SettingsLayer(image.config, image.created)]).entries


def _package(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    from pkgmgr.source import check_name
    from pkgmgr.version import version_or_none

    called, _, text = name.rpartition("@")
    if (version := version_or_none(text)) is None or not called:
        raise WpmError(
            f"{one_line(name, 100)}: not the name of a package with its version: expected NAMESPACE/NAME@1.2.3"
        )
    return {"wapm": {"name": check_name(called), "version": str(version), "description": ""}}


class _Commands:
    """The commands of an image.

    Args:
        entries: Its files by path.
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.mappings = Mappings()
        self._entries = entries
        self._modules: dict[str, _Module | None] = {}
        self._tree = ReadOnlyFileSystem(image_tree(entries.values()))
        self._folders = tuple(
            dict.fromkeys(folder for path in _DIRECTORIES if (folder := self._real(path)) is not None)
        )
        self.found = dict(self._all())

    def _real(self, path: str) -> str | None:
        """Where a path leads within the image, without a slash at its start; None for nowhere."""
        root = top(self._tree)
        try:
            return walk(root, root, path, follow=True).found().path()[1:]
        except OSError:
            return None

    def _all(self) -> Iterable[tuple[str, _Command]]:
        names: dict[str, None] = {}
        for path in self._entries:
            folder, _, name = path.rpartition("/")
            if folder in self._folders and _is_name(name):
                names[name] = None
        for name in sorted(names):
            if (command := self._command(name)) is not None:
                yield name, command

    def _command(self, name: str) -> _Command | None:
        """A command, where all that its name is in the directories of commands is one module."""
        modules: list[_Module] = []
        paths = [path for folder in self._folders if (path := f"{folder}/{name}") in self._entries]
        for path in paths:
            entry = self._entries[path]
            if entry.kind is Kind.SYMLINK and (len(paths) == 1 or self._real(path) not in paths):
                return None
            if (module := self._module(path)) is None:
                return None
            modules.append(module)
        if len({module.sha256 for module in modules}) != 1:
            return None
        settings, said = self._settings(name, modules[0].sha256)
        return _Command(modules[0], settings, (*paths, *said))

    def _module(self, path: str) -> _Module | None:
        """The module at a path; None where it is none."""
        real = self._real(path)
        entry = self._entries.get(real or "")
        if entry is not None and entry.kind is Kind.HARD_LINK:
            entry = self._entries[entry.target]
        if entry is None or entry.kind is not Kind.FILE:
            return None
        if entry.path not in self._modules:
            self._modules[entry.path] = self._read(entry)
        return self._modules[entry.path]

    def _read(self, entry: Entry) -> _Module | None:
        pieces = entry.pieces()
        first = bytes(next(pieces, b""))
        if not first.startswith(_MAGIC):
            return None
        digest = sha256(first)
        for piece in pieces:
            digest.update(piece)
        return _Module(digest.hexdigest(), _content(entry, self.mappings), entry.mtime)

    def _settings(self, name: str, module: str) -> tuple[CommandSettings, tuple[str, ...]]:
        """How a command wants to be started, and the file that says it."""
        path = f"{SETTINGS_DIRECTORY}/{name}.json"
        entry = self._entries.get(path)
        if entry is None or entry.kind is not Kind.FILE:
            return PLAIN, ()
        if entry.size > LARGEST_SETTINGS:
            raise WpmError(f"{one_line(path)}: larger than {LARGEST_SETTINGS} bytes: no settings of a command")
        meant, settings = parse_settings(b"".join(entry.pieces()), one_line(path))
        return (settings, (path,)) if meant == module else (PLAIN, ())

    def add_entrypoint(self, config: ImageConfig) -> str | None:
        """The command that the image wants to run, made where there is none with its arguments; None where it is no module."""
        wanted = (*config.entrypoint, *config.command)
        if not wanted:
            return None
        name = wanted[0].rpartition("/")[2]
        command = self.found.get(name)
        if command is not None and self._leads_to(wanted[0], command):
            if wanted[1:] == command.settings.args:
                return name
            settings, module = command.settings, command.module
        else:
            found = self._module(wanted[0].lstrip("/"))
            if found is None:
                return None
            settings, module = PLAIN, found
        own = ENTRYPOINT
        while own in self.found or any(f"{folder}/{own}" in self._entries for folder in self._folders):
            own += "-"
        cwd = config.cwd or settings.cwd
        shown = settings.name if settings.name is not None else name
        self.found[own] = _Command(module, CommandSettings(wanted[1:], settings.env, shown, cwd), ())
        return own

    def _leads_to(self, path: str, command: _Command) -> bool:
        if "/" not in path:
            return True
        return self._real(path.lstrip("/")) in command.paths


def _is_name(name: str) -> bool:
    """Whether a command and an atom can be called so."""
    try:
        entry_name(name.encode())
    except (WebcError, UnicodeEncodeError):
        return False
    return True


def _atoms(commands: Mapping[str, _Command]) -> tuple[dict[str, FileSource], dict[str, str]]:
    """The atoms by name, and their names by sha256: a module is called as the first of its commands."""
    atoms: dict[str, FileSource] = {}
    names: dict[str, str] = {}
    for name, command in commands.items():  # by name, the image's entrypoint last
        module = command.module
        if module.sha256 not in names:
            names[module.sha256] = name
            atoms[name] = FileSource(module.content, module.mtime * _SECOND)
    return atoms, names


def _described(atom: str, settings: CommandSettings, config: ImageConfig) -> dict[str, Any]:
    """A command in the manifest; the image's variables are those of all its commands."""
    wasi: dict[str, Any] = {"atom": atom}
    if settings.args:
        wasi["main-args"] = list(settings.args)
    if env := {**config.env, **settings.env}:
        wasi["env"] = [f"{name}={value}" for name, value in sorted(env.items())]
    if settings.name is not None:
        wasi["exec-name"] = settings.name
    if (cwd := settings.cwd or config.cwd) and cwd != "/":
        wasi["cwd"] = cwd
    return {"runner": WASI_RUNNER, "annotations": {"atom": {"name": atom}, "wasi": wasi}}


def _volume(entries: Mapping[str, Entry], gone: set[str], mappings: Mappings) -> DirectorySource:
    """The tree of what is no command."""
    root: dict[str, Any] = {}
    folders: dict[str, dict[str, Any]] = {"": root}
    for path, entry in entries.items():
        if path in gone:
            continue
        folder, _, name = path.rpartition("/")
        file = entries[entry.target] if entry.kind is Kind.HARD_LINK else entry
        time = file.mtime * _SECOND
        match file.kind:
            case Kind.DIRECTORY:
                below = folders[path] = {}
                folders[folder][name] = DirectorySource(below, time)
            case Kind.SYMLINK:
                folders[folder][name] = SymlinkSource(file.target, time)
            case _:
                folders[folder][name] = FileSource(_content(file, mappings), time)
    return DirectorySource(root, 0)


def _content(entry: Entry, mappings: Mappings) -> Source | Pieces:
    """The bytes of a file: a file of the host as it is, or a span of one, mapped."""
    if isinstance(entry.content, HostFile) and entry.content.offset == 0 and entry.size:
        return entry.content
    return mappings.content(entry)
