"""Where packages come from by their names: registries, and which of them answers for which name. Internal."""

from pkgmgr.registry.directory import DirectoryRegistry
from pkgmgr.registry.opening import open_registries
from pkgmgr.registry.protocol import Registry
from pkgmgr.registry.registries import Registries

__all__ = ["DirectoryRegistry", "Registries", "Registry", "open_registries"]
