"""From a graph of packages to a package that can be used."""

from __future__ import annotations

from binfactory.graph import reach
from binfactory.node import Mount, PackageNode
from binfactory.opened import OpenPackage
from binfactory.package import BinaryPackage

__all__ = ["Mount", "PackageNode", "load_package"]


def load_package(node: PackageNode) -> BinaryPackage:
    """Put a package together with the packages that it uses. Opens nothing: that happens when something is asked for.

    Args:
        node: The package, with its dependencies below it.

    Raises:
        FactoryError: the dependencies form a cycle.
    """
    return BinaryPackage([OpenPackage(each) for each in reach(node)])
