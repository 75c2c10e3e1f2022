"""The WEBC container format, versions 1, 2 and 3: read and write.

`Container.open(path)` and `Container.from_bytes(data)` give one view of all three versions; `write_container` writes
versions 2 and 3. Every fault is a `WebcError`.
"""

from webc_parser.command import AtomRef, Command
from webc_parser.container import Container, Signature
from webc_parser.errors import WebcError
from webc_parser.manifest import (
    AtomInfo,
    Binding,
    Dependency,
    FilesystemMapping,
    Manifest,
    PackageInfo,
    VolumePath,
    parse_manifest,
)
from webc_parser.tree import Volume, VolumeDirectory, VolumeEntry, VolumeFile, VolumeSymlink
from webc_parser.version import Version, detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from webc_parser.source import DirectorySource, FileSource, SymlinkSource
    from webc_parser.writer import write_container

__all__ = [
    "AtomInfo",
    "AtomRef",
    "Binding",
    "Command",
    "Container",
    "Dependency",
    "DirectorySource",
    "FileSource",
    "FilesystemMapping",
    "Manifest",
    "PackageInfo",
    "Signature",
    "SymlinkSource",
    "Version",
    "Volume",
    "VolumeDirectory",
    "VolumeEntry",
    "VolumeFile",
    "VolumePath",
    "VolumeSymlink",
    "WebcError",
    "detect",
    "parse_manifest",
    "write_container",
]


def __getattr__(name: str) -> object:
    """The writing side, imported when it is first asked for: a program that only reads does not pay for it."""
    if name == "write_container":
        from webc_parser.writer import write_container

        return write_container
    if name in {"FileSource", "DirectorySource", "SymlinkSource"}:
        from webc_parser import source

        return getattr(source, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
