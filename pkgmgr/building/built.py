"""Dependencies that are directories: built, and the result put into the store."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.building.build import build_package

if TYPE_CHECKING:
    from pkgmgr.store import Store, StoredObject


def build_into_store(directory: Path, store: Store, sha256: str | None = None) -> StoredObject:
    """Build the package of a directory; the same files give the same package, so building again changes nothing.

    Args:
        directory: A directory with a `wasmer.toml`.
        store: Where the package goes.
        sha256: The hash that it must have, where that is known.

    Raises:
        WpmError: It does not build, or to another package.
    """
    with tempfile.TemporaryDirectory(prefix="wpm-build-") as folder:
        return store.add_file(build_package(directory, Path(folder) / "package.webc").path, sha256)
