"""Where packages come from by their names: registries, and which of them answers for which name."""

from pkgmgr.registry.directory import DirectoryRegistry
from pkgmgr.registry.protocol import Registry
from pkgmgr.registry.registries import Registries, open_registries

__all__ = ["DirectoryRegistry", "Registries", "Registry", "open_registries"]
