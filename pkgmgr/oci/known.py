"""What references to OCI registries meant when they were last asked for: of use where nobody can be asked.

It is kept with what else registries said (`pkgmgr.http.cache`), and may always be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pkgmgr.errors import WpmError
from pkgmgr.oci.artifact import OciPackage, webc_layer
from pkgmgr.source import check_sha256
from pkgmgr.store import METADATA

if TYPE_CHECKING:
    from pkgmgr.oci.pull import ResolvedImage
    from pkgmgr.oci.reference import Reference
    from pkgmgr.store import Store


class Known:
    """References, and the manifests and packages that they meant.

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

    def package(self, reference: Reference) -> OciPackage | None:
        """The package that a reference meant, if it is in the store; None where nothing is known."""
        found = self._cache.get(f"oci-package {reference}")
        match found.value if found is not None else None:
            case {"digest": str(digest), "sha256": str(sha256)}:
                try:
                    if self._store.use(check_sha256(sha256)):
                        return OciPackage(reference.with_digest(digest), self._store.object(sha256))
                except (WpmError, OSError):
                    return None
        return None

    def note_package(self, reference: Reference, package: OciPackage) -> None:
        """Remember the package that a reference means."""
        value = {"digest": package.reference.digest, "sha256": package.stored.sha256}
        keys = dict.fromkeys((f"oci-package {reference}", f"oci-package {package.reference}"))
        self._cache.put_all((key, value, None, None) for key in keys)

    def manifest(self, reference: Reference, platform: str | None) -> Reference | None:
        """The manifest that a reference meant for a platform; None where nothing is known."""
        found = self._cache.get(f"oci-manifest {platform or ''} {reference}")
        try:
            if found is not None and isinstance(found.value, str):
                return reference.with_digest(found.value)
        except WpmError:
            return None
        return None

    def note_manifest(self, reference: Reference, platform: str | None, image: ResolvedImage) -> None:
        """Remember the manifest that a reference means, and the package that it is of, if it is of one."""
        digest = image.manifest.digest
        references = dict.fromkeys((reference, image.reference))
        self._cache.put_all((f"oci-manifest {platform or ''} {each}", digest, None, None) for each in references)
        if (layer := webc_layer(image.document)) is not None:
            value = {"digest": digest, "sha256": layer.digest.removeprefix("sha256:")}
            self._cache.put_all((f"oci-package {each}", value, None, None) for each in references)
