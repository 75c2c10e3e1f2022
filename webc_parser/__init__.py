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
from webc_parser.tree import Volume, VolumeDirectory, VolumeFile
from webc_parser.version import Version, detect

__all__ = [
    "AtomInfo",
    "AtomRef",
    "Binding",
    "Command",
    "Container",
    "Dependency",
    "FilesystemMapping",
    "Manifest",
    "PackageInfo",
    "Signature",
    "Version",
    "Volume",
    "VolumeDirectory",
    "VolumeFile",
    "VolumePath",
    "WebcError",
    "detect",
    "parse_manifest",
]
