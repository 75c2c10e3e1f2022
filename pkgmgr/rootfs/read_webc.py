"""A package file as an image: what somebody sees who runs it, each package that it needs a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binfactory.loader import load_package
from pkgmgr.rootfs.building import BuildOptions, image_config, parts_of
from pkgmgr.rootfs.image import RootfsImage
from pkgmgr.rootfs.package_layer import PackageLayer
from pkgmgr.rootfs.read_config import config_of_layers
from pkgmgr.running.closure import file_node

if TYPE_CHECKING:
    from pathlib import Path

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.store import Store


def read_webc(path: Path, store: Store, install: InstallOptions) -> RootfsImage:
    """A package as an image.

    How it wants to be run is what an image that was written as a package says in it, else what the package runs.

    Args:
        path: A `.webc` of any version.
        store: Where the packages that it needs are and go.
        install: The registry, and whether the network may be used.

    Raises:
        WpmError: It is no package, or what it needs cannot be had.
        FactoryError: What it says that it runs is not there.
    """
    # By its whole path, so that it is known not to be a name: the layer is called by its hash then.
    package = load_package(file_node(path.absolute(), store, install))
    layers = tuple(PackageLayer(part) for part in parts_of([package]) if part.mounts or part.commands)
    config = config_of_layers(layers, str(path))
    return RootfsImage(layers, config if any(config) else image_config([package], BuildOptions()))
