"""What references to OCI registries meant when they were last asked for: of use where nobody can be asked.

It is kept with what else registries said (`pkgmgr.http.cache`), and may always be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pkgmgr.errors import WpmError
from pkgmgr.oci.artifact import OciPackage
from pkgmgr.source import check_sha256
from pkgmgr.store import METADATA

if TYPE_CHECKING:
    from pkgmgr.oci.reference import Reference
    from pkgmgr.store import Store


class KnownPackages:
    """References, and the packages that they meant.

    Args:
        store: The store that has the packages.
    """

    def __init__(self, store: Store) -> None:
        from pkgmgr.http.cache import MetadataCache

        self._store = store
        self._cache = MetadataCache(store.root / METADATA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()

    def find(self, reference: Reference) -> OciPackage | None:
        """The package that a reference meant, if it is in the store; None where nothing is known."""
        found = self._cache.get(_key(reference))
        match found.value if found is not None else None:
            case {"digest": str(digest), "sha256": str(sha256)}:
                try:
                    if self._store.use(check_sha256(sha256)):
                        return OciPackage(reference.with_digest(digest), self._store.object(sha256))
                except (WpmError, OSError):
                    return None
        return None

    def note(self, reference: Reference, package: OciPackage) -> None:
        """Remember what a reference means."""
        value = {"digest": package.reference.digest, "sha256": package.stored.sha256}
        keys = dict.fromkeys((_key(reference), _key(package.reference)))
        self._cache.put_all((key, value, None, None) for key in keys)


def _key(reference: Reference) -> str:
    return f"oci-package {reference}"
