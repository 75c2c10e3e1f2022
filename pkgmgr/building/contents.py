"""What goes into a package beside its manifest: the modules as atoms, the metadata, and the mapped directories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from pkgmgr.building.ignore import Ignored
from pkgmgr.building.tree import Link, TreeReader
from pkgmgr.building.webc_manifest import METADATA_VOLUME, volume_name
from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown
from pkgmgr.manifest.paths import resolve_inside
from webc_parser.source import DirectorySource, FileSource, SymlinkSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pkgmgr.building.tree import Tree
    from pkgmgr.manifest import Module, ProjectManifest

    Timed: TypeAlias = "dict[str, FileSource | SymlinkSource | DirectorySource]"

MAX_MODULE = 1 << 30
"""The largest module, in bytes: what WebAssembly engines take."""

MAX_TEXT = 1 << 20
"""The largest file of annotations, in bytes."""

MAGIC = b"\0asm"
_CORE = b"\x01\x00\x00\x00"


def read_text(manifest: ProjectManifest, relative: str, where: str) -> bytes:
    """The bytes of a small file of the package.

    Raises:
        WpmError: It is missing, outside of the package, no regular file or larger than `MAX_TEXT`.
    """
    path = _file(manifest, relative, where)
    with path.open("rb") as file:
        data = file.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise WpmError(f"{where}: {shown(relative)} is larger than {MAX_TEXT} bytes: is it the right file?")
    return data


def atoms(manifest: ProjectManifest) -> dict[str, Path]:
    """The file of each module, by the module's name.

    Raises:
        WpmError: A file is missing or too large, or is not a core WebAssembly module where it says that it is one.
    """
    return {
        module.name: _module(manifest, module, f"{manifest.path}: module[{index}].source")
        for index, module in enumerate(manifest.modules)
    }


def _module(manifest: ProjectManifest, module: Module, where: str) -> Path:
    path = _file(manifest, module.source, where)
    size = path.stat().st_size
    if size > MAX_MODULE:
        raise WpmError(f"{where}: {shown(module.source)} has {size} bytes, no engine loads more than {MAX_MODULE}")
    if module.kind not in {None, "wasm"}:
        return path
    with path.open("rb") as file:
        head = file.read(8)
    if not head.startswith(MAGIC):
        advice = "convert it with wat2wasm" if head.lstrip().startswith(b"(") else "compile for wasm32-wasi"
        raise WpmError(f"{where}: {shown(module.source)} is not a WebAssembly binary: {advice}")
    if head[4:] != _CORE:
        raise WpmError(f"{where}: {shown(module.source)} is not a core WebAssembly module: build one, not a component")
    return path


def volumes(
    manifest: ProjectManifest, *, ignore: bool, links: bool, skip: Iterable[Path]
) -> dict[str, DirectorySource]:
    """The volumes: one for each mapped path, and the metadata.

    Args:
        manifest: What is mapped.
        ignore: Whether `.wasmerignore` files count; in an archive they do not.
        links: Whether the format has symbolic links.
        skip: Files that are never packed.
    """
    modified = source_date()
    reader = TreeReader(manifest.directory.resolve(), skip, links=links)
    found = {METADATA_VOLUME: _timed(_metadata(manifest), modified)}
    for mapping in manifest.fs:
        if mapping.host is not None and volume_name(mapping.host) not in found:
            where = f"{manifest.path}: fs.{shown(mapping.guest)}"
            tree = reader.read(mapping.host, where, Ignored() if ignore else None)
            found[volume_name(mapping.host)] = _timed(tree, modified)
    return found


def source_date() -> int:
    """The time that every packed file bears, in nanoseconds since the epoch: `SOURCE_DATE_EPOCH`, else 0.

    The times of the files themselves differ from checkout to checkout and would make every build another package.
    See https://reproducible-builds.org/specs/source-date-epoch/.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise WpmError(f"SOURCE_DATE_EPOCH: {shown(text)} is not a number of seconds since 1970: correct or unset it")
    return int(text) * 1_000_000_000


def _metadata(manifest: ProjectManifest) -> Tree:
    tree: Tree = {}
    for key, relative in _metadata_files(manifest):
        *folders, name = relative.split("/")
        directory = tree
        for folder in folders:
            below = directory.setdefault(folder, {})
            if not isinstance(below, dict):
                raise WpmError(f"{manifest.path}: {key}: {shown(relative)} lies below a file: correct the path")
            directory = below
        directory[name] = _file(manifest, relative, f"{manifest.path}: {key}")
    return tree


def _metadata_files(manifest: ProjectManifest) -> Iterator[tuple[str, str]]:
    for key, path in (("package.readme", manifest.readme), ("package.license-file", manifest.license_file)):
        if path is not None:
            yield key, path
    for index, module in enumerate(manifest.modules):
        if module.bindings is not None:
            for path in (module.bindings.exports, *module.bindings.imports):
                if path is not None:
                    yield f"module[{index}].bindings", path


def _file(manifest: ProjectManifest, relative: str, where: str) -> Path:
    path = resolve_inside(manifest.directory, relative, where)
    if not path.is_file():
        raise WpmError(f"{where}: {shown(relative)} is not a file: name one")
    return path


def _timed(tree: Tree, modified: int) -> DirectorySource:
    """The tree with the same time on everything in it."""
    entries: Timed = {}
    for name, node in tree.items():
        match node:
            case dict():
                entries[name] = _timed(node, modified)
            case Link():
                entries[name] = SymlinkSource(node.target, modified)
            case _:
                entries[name] = FileSource(node, modified)
    return DirectorySource(entries, modified)
