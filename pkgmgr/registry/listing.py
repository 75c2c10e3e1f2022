"""What a registry tells people about its packages: `wpm search` and `wpm show` print it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pkgmgr.version import Version
    from webc_parser import Manifest


class FoundPackage(NamedTuple):
    """A package that a search found.

    Attributes:
        name: `namespace/name`, or `name` for a package without a namespace.
        version: The newest version that would be chosen; None where every one is yanked.
        description: One line, empty where there is none.
    """

    name: str
    version: Version | None
    description: str = ""


class Release(NamedTuple):
    """One version of a package.

    Attributes:
        version: Its version.
        yanked: Whether it was withdrawn: kept where it is locked, never newly chosen.
        sha256: The hash of its file, where the registry tells without reading it.
        size: The size of its file in bytes, likewise.
    """

    version: Version
    yanked: bool = False
    sha256: str | None = None
    size: int | None = None


class PackageAbout(NamedTuple):
    """A package as its newest version describes it.

    Attributes:
        name: `namespace/name`, or `name`.
        releases: Its versions, the newest first.
        description: One line, empty where there is none.
        license: An SPDX expression, as written.
        homepage: A URL.
        repository: A URL.
        commands: The names of its own commands.
        entrypoint: The command that runs where none is named.
        dependencies: What it needs: package sources as written, by alias.
    """

    name: str
    releases: tuple[Release, ...]
    description: str = ""
    license: str = ""
    homepage: str = ""
    repository: str = ""
    commands: tuple[str, ...] = ()
    entrypoint: str | None = None
    dependencies: tuple[tuple[str, str], ...] = ()


def about_file(path: Path, name: str, releases: Iterable[Release]) -> PackageAbout:
    """What a package's file says of the package.

    Args:
        path: The `.webc` of the version that speaks for all.
        name: The package's name.
        releases: All its versions, the newest first.

    Raises:
        WpmError: The file cannot be read, or is no package.
    """
    from webc_parser import Container, WebcError

    try:
        with Container.open(path) as container:
            return _about(container.manifest, name, releases)
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    except WebcError as error:
        raise WpmError(f"{path}: {error}") from None


def about_manifest(text: str, name: str, releases: Iterable[Release]) -> PackageAbout:
    """What a container's manifest, as JSON, says of the package; raises `WpmError` where it is none."""
    import json

    from webc_parser import WebcError, parse_manifest

    try:
        return _about(parse_manifest(json.loads(text)), name, releases)
    except (ValueError, RecursionError, WebcError) as error:
        raise WpmError(f"{name}: its manifest cannot be read: {error}") from None


def _about(manifest: Manifest, name: str, releases: Iterable[Release]) -> PackageAbout:
    info = manifest.package
    return PackageAbout(
        name,
        tuple(releases),
        one_line(info.description),
        one_line(info.license),
        one_line(info.homepage),
        one_line(info.repository),
        tuple(one_line(command) for command in manifest.commands),
        manifest.entrypoint and one_line(manifest.entrypoint),
        tuple((one_line(alias), one_line(each.spec)) for alias, each in manifest.use.items()),
    )
