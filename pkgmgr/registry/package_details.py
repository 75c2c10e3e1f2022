"""Everything that a registry knows of one version of a package: what `wpm show` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.source import NamedSource, parse_source
from pkgmgr.version import ANY, Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkgmgr.registry import Registries
    from pkgmgr.registry.listing import PackageAbout, Release

_MOST_SIMILAR = 5


class PackageDetails(NamedTuple):
    """One version of a package.

    Attributes:
        about: What the registry tells of the package; its texts are those of its newest version.
        release: The version.
        sha256: The hash of its file.
        size: The size of its file in bytes.
        commands: The names of its own commands that can be run.
        entrypoint: The command that runs where none is named.
        dependencies: What it needs: package sources, by alias.
        registry: The registry as errors name it.
    """

    about: PackageAbout
    release: Release
    sha256: str
    size: int
    commands: tuple[str, ...]
    entrypoint: str | None
    dependencies: tuple[tuple[str, str], ...]
    registry: str


def find_details(text: str, registries: Registries) -> PackageDetails:
    """Look up a package.

    Args:
        text: `NAMESPACE/NAME`, `NAMESPACE/NAME@VERSION` or `NAMESPACE/NAME@REQUIREMENT`.
        registries: Where.

    Raises:
        WpmError: There is no such package or version, or its registry cannot be asked.
    """
    source = parse_source(text)
    if not isinstance(source, NamedSource):
        raise WpmError(f"{text}: not the name of a package: wpm inspect shows what is in a file")
    registries.check(source)
    about = registries.about(source.name)
    if about is None or not about.releases:
        raise WpmError(_missing(source.name, registries))
    release = _chosen(source, text.partition("@")[2].strip(), about)
    speaker = next((each for each in about.releases if not each.yanked), about.releases[0])
    registry = registries.answering(source.name).title
    if release is speaker and release.sha256 is not None and release.size is not None:
        return PackageDetails(
            about,
            release,
            release.sha256,
            release.size,
            about.commands,
            about.entrypoint,
            about.dependencies,
            registry,
        )
    summary = registries.summary(source.name, release.version)
    return PackageDetails(
        about,
        release,
        summary.sha256,
        summary.size,
        tuple(one_line(command) for command in summary.commands),
        summary.entrypoint and one_line(summary.entrypoint),
        tuple((one_line(alias), one_line(str(each))) for alias, each in summary.dependencies.items()),
        registry,
    )


def _chosen(source: NamedSource, tag: str, about: PackageAbout) -> Release:
    """The version that is meant: the very one that is written, else the newest that satisfies the requirement."""
    releases: Sequence[Release] = about.releases
    try:
        exact = Version.parse(tag.removeprefix("="))
    except WpmError:
        exact = None
    for release in releases:
        if release.version == exact:
            return release
    wanted = [each for each in releases if source.requirement.matches(each.version)]
    for candidates in (wanted, releases if source.requirement == ANY else ()):
        if candidates:
            return next((each for each in candidates if not each.yanked), candidates[0])
    newest = ", ".join(str(each.version) for each in releases[:5])
    raise WpmError(
        f"{source.name}: no version satisfies {source.requirement}: there are {newest}"
        + (f" and {len(releases) - 5} more" if len(releases) > 5 else "")
    )


def _missing(name: str, registries: Registries) -> str:
    near = list(registries.similar(name))
    if not near:
        last = name.rpartition("/")[2]
        found = registries.search(last, _MOST_SIMILAR, lambda *_: None)
        near = [each.name for each in found if each.name.rpartition("/")[2] == last]
    hint = f": did you mean {' or '.join(near[:3])}?" if near else ": wpm search looks for words"
    return f"{name}: there is no such package in {registries.answering(name).title}{hint}"
