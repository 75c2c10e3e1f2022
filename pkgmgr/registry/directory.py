"""A registry that is a directory: `packages/NAMESPACE/NAME/VERSION.webc`; `_` is the namespace of those without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.source import split_name
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pkgmgr.summary import PackageSummary

_SUFFIX: Final = ".webc"
_MOST_VERSIONS: Final = 10_000
_MOST_NAMES: Final = 10_000


class DirectoryRegistry:
    """Packages that lie in a directory of this machine.

    Args:
        root: The directory; `packages` is in it.
        source: What a lock writes as the source of its packages.
        title: The registry as an error names it.
    """

    needs_network = False

    def __init__(self, root: Path, source: str, title: str) -> None:
        self.root = root
        self.title = title
        self._source = source
        self._packages = root / "packages"

    def versions(self, name: str) -> Sequence[Version]:
        """The versions whose files are there; a file whose name is not a version is none."""
        folder = self._folder(name)
        try:
            names = [entry.name for entry in folder.iterdir() if entry.name.endswith(_SUFFIX)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise WpmError(f"{folder}: cannot be read: {error.strerror or error}") from None
        if len(names) > _MOST_VERSIONS:
            raise WpmError(
                f"{folder}: {len(names)} versions of one package: more than {_MOST_VERSIONS} are not looked at"
            )
        return list(_versions_of(names))

    def summary(self, name: str, version: Version) -> PackageSummary:
        """Read one version's own file."""
        from pkgmgr.summary import summarize

        return summarize(self.location(name, version), self._source, name=name, version=version)

    def similar(self, name: str) -> Sequence[str]:
        """Names of this directory that are spelled nearly so."""
        from difflib import get_close_matches
        from itertools import islice

        folders = islice(self._packages.glob("*/*/"), _MOST_NAMES)
        known = [f"{folder.parent.name}/{folder.name}".removeprefix("_/") for folder in folders]
        return get_close_matches(name, sorted(known), 3, 0.75)

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """Hash file after file until one has the hash."""
        import hashlib

        for path in sorted(self._packages.glob(f"*/*/*{_SUFFIX}")):
            try:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                continue
            if found == sha256:
                for version in _versions_of([path.name]):
                    return self.summary(f"{path.parent.parent.name}/{path.parent.name}".removeprefix("_/"), version)
        return None

    def location(self, name: str, version: Version) -> Path:
        """The path of one version; whether there is a file is not asked."""
        return self._folder(name) / f"{version}{_SUFFIX}"

    def _folder(self, name: str) -> Path:
        return self._packages.joinpath(*split_name(name))


def _versions_of(names: list[str]) -> Iterator[Version]:
    for name in names:
        text = name.removesuffix(_SUFFIX)
        try:
            yield Version.parse(text)
        except WpmError:
            continue
