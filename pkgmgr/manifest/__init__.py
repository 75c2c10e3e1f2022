"""`wasmer.toml` and the legacy `wapm.toml`: what a package says of itself, typed and checked. Internal."""

from pkgmgr.manifest.model import (
    AnnotationsFile,
    Bindings,
    Command,
    FsMapping,
    Module,
    ModuleReference,
    ProjectManifest,
)
from pkgmgr.manifest.reader import MANIFEST_NAMES, find_manifest, load_manifest, parse_manifest

__all__ = [
    "MANIFEST_NAMES",
    "AnnotationsFile",
    "Bindings",
    "Command",
    "FsMapping",
    "Module",
    "ModuleReference",
    "ProjectManifest",
    "find_manifest",
    "load_manifest",
    "parse_manifest",
]
