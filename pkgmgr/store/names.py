"""What the packages in a store are called.

The store itself knows them by their hashes. Whoever completes a word or reports what goes wants names, and at once: so
they are kept in one file beside the objects, and only packages that are new are looked into. The file may always be lost.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.store import NAMES
from pkgmgr.store.kept import keep, read_kept

if TYPE_CHECKING:
    from pathlib import Path

    from pkgmgr.store import Store

_FORMAT: Final = 1
_LARGEST: Final = 64 << 20


def stored_names(store: Store, seconds: float | None = None) -> dict[str, str]:
    """The packages of a store by their sha256: `namespace/name@version`, or empty for one without a name.

    Args:
        store: The store.
        seconds: How long to look into packages that are not known yet; the rest of them are left out. None looks into all.
    """
    known = _read(store)
    digests = _digests(store)
    found = {digest: known[digest] for digest in digests if digest in known}
    new = [digest for digest in digests if digest not in known]
    until = None if seconds is None else time.monotonic() + seconds
    for digest in new:
        if until is not None and time.monotonic() > until:
            break
        found[digest] = _name(store.path(digest))
    if found != known:
        keep(store, NAMES, _FORMAT, {"names": found})
    return found


def _read(store: Store) -> dict[str, str]:
    content = read_kept(store.root / NAMES, _FORMAT, _LARGEST)
    names = content.get("names") if content else None
    if not isinstance(names, dict):
        return {}
    return {digest: str(name) for digest, name in names.items() if str(name).isprintable()}


def _digests(store: Store) -> list[str]:
    """The hashes of the objects, by their names alone."""
    found = []
    root = store.root / "objects" / "sha256"
    with suppress(OSError):
        for folder in os.scandir(root):
            with suppress(OSError):
                found += [folder.name + entry.name.removesuffix(".webc") for entry in os.scandir(folder.path)]
    return [digest for digest in found if len(digest) == 64 and not set(digest) - set("0123456789abcdef")]


def _name(path: Path) -> str:
    from pkgmgr.source import check_name
    from pkgmgr.version import Version
    from webc_parser import Container, WebcError

    try:
        with Container.open(path) as container:
            package = container.manifest.package
            if package.name and package.version:
                return f"{check_name(package.name)}@{Version.parse(package.version)}"
    except (OSError, WebcError, WpmError):
        pass
    return ""
