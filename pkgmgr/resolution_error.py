"""Telling why there is no resolution: who asked for what, and what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.source import NamedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pkgmgr.resolver import Need
    from pkgmgr.summary import PackageSummary
    from pkgmgr.version import Version

_MOST_VERSIONS: Final = 12


def explain(
    asked: Iterable[tuple[Need, PackageSummary | None]],
    versions: Callable[[str], Sequence[Version]],
    similar: Callable[[str], Sequence[str]],
) -> str:
    """The message: a line that says what is wrong, and below it one block for each package in question.

    Args:
        asked: The requirements that cannot all be met, each with the package that has it; None is the project.
        versions: The versions that there are of a package.
        similar: Names that may be meant where there is no package of a name.
    """
    blocks: dict[str, list[tuple[Need, PackageSummary | None]]] = {}
    for need, parent in asked:
        block = blocks.setdefault(need.key, [])
        if not any(need == other and parent == another for other, another in block):
            block.append((need, parent))
    known = {key: _known(key, versions) for key in blocks}
    lines = [_summary(blocks, known, similar)]
    for key, block in sorted(blocks.items()):
        block.sort(key=_order)
        lines += [f"  {_who(parent)} needs {_what(need)}" for need, parent in block]
        lines.append(f"  versions of {key}: {_listed(known[key])}")
    return "\n".join(lines)


def _summary(
    blocks: dict[str, list[tuple[Need, PackageSummary | None]]],
    known: dict[str, list[Version]],
    similar: Callable[[str], Sequence[str]],
) -> str:
    names = sorted(blocks)
    if len(names) > 1:
        return f"the requirements on {', '.join(names[:-1])} and {names[-1]} cannot be met together"
    key = names[0]
    needs = [need for need, _ in blocks[key]]
    named = [need.source for need in needs if isinstance(need.source, NamedSource)]
    if named and len(named) == len(needs) and not known[key]:
        meant = " or ".join(similar(key))
        return f"there is no package {key} in its registry: " + (f"is {meant} meant?" if meant else "check its name")
    for source in named:
        if known[key] and not any(source.requirement.matches(version) for version in known[key]):
            return f"no version of {key} satisfies {source.requirement}"
    return f"no version of {key} satisfies everyone who needs it"


def _known(key: str, versions: Callable[[str], Sequence[Version]]) -> list[Version]:
    try:
        return sorted(versions(key), reverse=True)
    except WpmError:
        return []


def _order(asked: tuple[Need, PackageSummary | None]) -> tuple[str, tuple[int, int, int], str]:
    """The project first, then packages by their names and versions."""
    need, parent = asked
    if parent is None:
        return "", (0, 0, 0), need.alias
    return parent.key, parent.version.core if parent.version else (0, 0, 0), need.alias


def _who(parent: PackageSummary | None) -> str:
    return "the project" if parent is None else parent.id


def _what(need: Need) -> str:
    if isinstance(need.source, NamedSource):
        return f"{need.key} {need.source.requirement}"
    return f"{need.key} from {need.source}" + (f" ({need.direct.id})" if need.direct else "")


def _listed(versions: list[Version]) -> str:
    if not versions:
        return "none"
    rest = len(versions) - _MOST_VERSIONS
    return ", ".join(map(str, versions[:_MOST_VERSIONS])) + (f" and {rest} older" if rest > 0 else "")
