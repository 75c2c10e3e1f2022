"""What is known of one package without unpacking it: what resolution, the lock and a run need."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import LockedPackage
from pkgmgr.source import PathSource, check_name, parse_source
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from binfactory.node import Mount
    from pkgmgr.source import PackageSource
    from webc_parser import Manifest

Location = Path | str
"""Where the file of a package is: a path of this machine, or an http(s) URL."""

MOST_DEPENDENCIES: Final = 1000
LONGEST_TEXT: Final = 4096


@dataclass(frozen=True, slots=True)
class PackageSummary:
    """One version of one package.

    Attributes:
        name: `namespace/name`, or empty where the package has none.
        version: Its version; None without a name.
        source: Where it comes from, as a lock writes it.
        location: Where its file is now.
        sha256: The hash of its file.
        size: The size of its file in bytes.
        dependencies: What it needs, by alias, in the order in which it declares them.
        commands: Its own commands that can be run.
        entrypoint: The command that runs where none is named.
        mounts: Its file system table.
    """

    name: str
    version: Version | None
    source: str
    location: Location
    sha256: str
    size: int
    dependencies: Mapping[str, PackageSource] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    entrypoint: str | None = None
    mounts: tuple[Mount, ...] = ()

    @property
    def key(self) -> str:
        """What there may be one of in a resolution: the name, or the hash of a package without one."""
        return self.name or f"sha256:{self.sha256}"

    @property
    def id(self) -> str:
        """`namespace/name@version`, or `sha256:HEX` for a package without a name."""
        return f"{self.name}@{self.version}" if self.name else self.key

    def locked(self, dependencies: Mapping[str, str]) -> LockedPackage:
        """The package as a lock writes it, with the ids that its dependencies were resolved to."""
        return LockedPackage(
            self.name,
            "" if self.version is None else str(self.version),
            self.source,
            self.sha256,
            self.size,
            dependencies,
            self.commands,
            self.entrypoint,
            self.mounts,
        )


def summarize(
    path: Path, source: str, *, name: str = "", version: Version | None = None, folder: str | None = None
) -> PackageSummary:
    """Read the summary of a package from its file.

    Args:
        path: The file.
        source: Where it comes from, as a lock writes it.
        name: Its name where the place that it lies in gives it one; the manifest must not say otherwise.
        version: Its version, likewise.
        folder: Where paths among its dependencies start; None forbids it to ask for paths, as it came from elsewhere.

    Raises:
        WpmError: It cannot be read, is no package, or is another package than it should be.
    """
    from webc_parser import Container, WebcError

    # A pipe or a device would be read for ever.
    if not path.is_file():
        raise WpmError(f"{path}: there is no package file here")
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        summary = summarize_manifest(Container.open(path).manifest, source, path, folder=folder)
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (WebcError, WpmError) as error:
        raise WpmError(f"{path}: {error}") from None
    for wanted, found in ((name, summary.name), (version, summary.version)):
        if wanted and found and wanted != found:
            raise WpmError(f"{path}: the package in this file says that it is {summary.id}, not {name} {version}")
    return replace(summary, name=name or summary.name, version=version or summary.version, sha256=sha256, size=size)


def summarize_manifest(
    manifest: Manifest,
    source: str,
    location: Location,
    *,
    name: str = "",
    version: Version | None = None,
    folder: str | None = None,
) -> PackageSummary:
    """The summary that a manifest alone gives, without the hash and the size of its file.

    Args:
        manifest: The manifest.
        source: Where the package comes from, as a lock writes it.
        location: Where its file is.
        name: Its name, where whoever keeps it says so: then what the manifest calls it is not looked at.
        version: Its version, likewise.
        folder: Where paths among its dependencies start; None forbids it to ask for paths, as it came from elsewhere.

    Raises:
        WpmError: Something in it cannot be.
        WebcError: Something in it has the wrong type.
    """
    from binfactory.package import manifest_mounts, runnable_names

    _check_printable("alias of a dependency", manifest.use)
    named = manifest.package.name and manifest.package.version and not name
    commands, mounts = tuple(runnable_names(manifest)), manifest_mounts(manifest)
    _check_printable("command", (*commands, manifest.entrypoint or ""))
    for mount in mounts:
        _check_printable("mount", (mount.guest_path, mount.volume, mount.source_path, mount.dependency or ""))
    return PackageSummary(
        check_name(manifest.package.name or "") if named else name,
        Version.parse(manifest.package.version or "") if named else version,
        source,
        location,
        "",
        0,
        _dependencies({alias: dependency.spec for alias, dependency in manifest.use.items()}, folder),
        commands,
        manifest.entrypoint,
        mounts,
    )


def _check_printable(what: str, texts: Iterable[str]) -> None:
    """Texts of a package end in a lock and on terminals: what could move the cursor is refused."""
    for text in texts:
        if not text.isprintable() or len(text) > LONGEST_TEXT:
            raise WpmError(f"its {what} {text[:60]!r} is too long, or has characters that cannot be printed")


def _dependencies(specs: Mapping[str, str], folder: str | None) -> dict[str, PackageSource]:
    if len(specs) > MOST_DEPENDENCIES:
        raise WpmError(f"it has {len(specs)} dependencies: more than {MOST_DEPENDENCIES} are not followed")
    found: dict[str, PackageSource] = {}
    for alias, spec in specs.items():
        source = parse_source(spec)
        if isinstance(source, PathSource) and folder is not None:
            source = PathSource(os.path.normpath(os.path.join(folder, source.path)))
        elif isinstance(source, PathSource):
            raise WpmError(
                f"its dependency {alias!r} is a path of this machine ({spec!r}): a package may not ask for one"
            )
        found[alias] = source
    return found
