"""Packages united once, for any number of roots that have the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binfactory.factory import BinFactory
from binfactory.modules import ModuleCache
from binfactory.roots import new_upper
from binfactory.use import unite_package
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.tmpfs import TmpFileSystem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from binfactory.package import BinaryPackage


class PackageStack:
    """The layers of packages, as `unite_package` lays them: only read, so that roots can share them.

    To unite three packages with forty commands takes as long as running one of them.

    Args:
        packages: In the order in which they are used.

    Raises:
        FactoryError: as `unite_package`.
    """

    def __init__(self, packages: Iterable[BinaryPackage]) -> None:
        factory, root = BinFactory(ModuleCache(None)), OverlayFileSystem(TmpFileSystem())
        for package in packages:
            unite_package(factory, root, package)
        self._layers = root.lowers
        self._packages = frozenset(factory.used(root).packages)

    def root(self, factory: BinFactory) -> OverlayFileSystem:
        """A new root in memory over the packages.

        Args:
            factory: Learns that the root has them. What it unites with the root later lies below them.
        """
        root = OverlayFileSystem(new_upper(), self._layers)
        factory.used(root).packages.update(self._packages)
        return root
