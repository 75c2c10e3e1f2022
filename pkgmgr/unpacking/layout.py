"""Where the parts of a container go in a package's directory.

    wasmer.toml
    modules/NAME        each atom
    NAME/...            each volume, under its own name
    README.md, ...      the files of the metadata volume, where they were when the package was built

A volume whose name is taken, by one of these or by another volume, goes to `volumes/NUMBER`, and metadata that would
collide to `metadata`. Names are compared without case, for the filesystems that do so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.building.webc_manifest import METADATA_VOLUME
from pkgmgr.manifest import MANIFEST_NAMES
from pkgmgr.manifest.paths import inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from webc_parser.tree import Volume

MODULES = "modules"
_SPARE = "volumes"


class Layout(NamedTuple):
    """Folders relative to the package's directory; `""` is the directory itself."""

    volumes: Mapping[str, str]
    """The folder of each volume but the metadata."""
    metadata: str | None
    """The folder of the metadata volume, `None` when there is none or it is empty."""


def plan(volumes: Mapping[str, Volume]) -> Layout:
    """Give every volume a folder of its own."""
    taken = {name.casefold() for name in (*MANIFEST_NAMES, MODULES, _SPARE, METADATA_VOLUME, ".wasmerignore")}
    folders: dict[str, str] = {}
    for number, name in enumerate(sorted(name for name in volumes if name != METADATA_VOLUME)):
        wanted = inside(name.strip("/")) or "root"
        folder = f"{_SPARE}/{number}" if _collides(wanted, taken) else wanted
        folders[name] = folder
        taken.add(folder.casefold())
    return Layout(folders, _metadata_folder(volumes.get(METADATA_VOLUME), taken))


def _metadata_folder(metadata: Volume | None, taken: set[str]) -> str | None:
    if metadata is None or not metadata.root.entries:
        return None
    collides = any(_collides(name, taken) for name in metadata.root.entries)
    return METADATA_VOLUME if collides else ""


def _collides(folder: str, taken: set[str]) -> bool:
    """Whether a folder is, contains or lies in one that is taken."""
    folded = folder.casefold()
    return any(folded == other or folded.startswith(f"{other}/") or other.startswith(f"{folded}/") for other in taken)
