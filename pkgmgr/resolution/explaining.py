"""Telling why there is no resolution: the chains of reasons from the manifest to what cannot be.

The solver proves that there is none from facts ("this needs that"), often many. What people want to see is one contradiction
with the shortest ways to it: whoever follows what is most wanted along these facts runs into one.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.resolution.candidates import Reason
from pkgmgr.source import NamedSource
from pkgmgr.version import Requirement, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pkgmgr.registry import Registries
    from pkgmgr.resolution.candidates import Candidates, Need

_MOST_VERSIONS: Final = 12
_MOST_LINES: Final = 12
_MOST_NAMES: Final = 4
_LONGEST_CHAIN: Final = 4
_PATIENCE: Final = 50

Chain = tuple[Reason, ...]
"""From what the project asks for to who needs the package in question."""


def explain(
    facts: Iterable[Reason],
    candidates: Candidates,
    registries: Registries,
    line_of: Callable[[str], str] | None = None,
) -> str:
    """The message: a line that says what is wrong, and below it the chains of reasons and what there is.

    Args:
        facts: What the proof rests on.
        candidates: What there is.
        registries: Asked for names that may be meant where there is no package of a name.
        line_of: The manifest's line for an alias; None where no manifest asks.
    """
    chains = _fewest(_contradiction(facts, candidates), candidates)
    needs = [chain[-1].need for chain in chains]
    found = _Found.of(needs[0].key, registries)
    lines = [_headline(needs, found)]
    room = _MOST_LINES - 1 - bool(found.usable)
    for number, chain in enumerate(chains):
        block = _shown(chain, line_of)
        rest = len(chains) - number
        if number and len(block) > room - (rest > 1):
            lines.append(f"  and {rest} more {'needs' if rest == 1 else 'need'} {needs[0].key}")
            break
        lines += block
        room -= len(block)
    if found.usable:
        lines.append(f"  versions of {needs[0].key}: {_listed(found.usable)}")
        room -= 1
    return "\n".join([*lines, *_others(chains, candidates)[: max(0, room + 1)]])


class _Found(NamedTuple):
    """What a registry has of the package in question: its versions, the newest first, without the yanked; and those.

    `offline` is whether those are also what cannot be fetched.
    """

    usable: list[Version]
    yanked: list[Version]
    similar: tuple[str, ...]
    offline: bool = False

    @classmethod
    def of(cls, key: str, registries: Registries) -> _Found:
        if key.startswith("sha256:"):
            return cls([], [], ())
        try:
            withdrawn = registries.yanked(key)
            versions = sorted(registries.versions(key), key=Version.order, reverse=True)
            similar = () if versions else tuple(registries.similar(key))
        except WpmError:
            return cls([], [], ())
        usable = [version for version in versions if version not in withdrawn]
        offline = registries.offline and registries.answering(key).needs_network
        return cls(usable, [version for version in versions if version in withdrawn], similar, offline)


def _contradiction(facts: Iterable[Reason], candidates: Candidates) -> list[Chain]:
    """Chains to one package that no candidate can satisfy all of."""
    below: dict[str | None, list[Reason]] = {}
    for fact in facts:
        known = below.setdefault(None if fact.parent is None else fact.parent.sha256, [])
        if fact not in known:
            known.append(fact)
    for known in below.values():
        known.sort(key=lambda fact: (fact.need.alias, fact.need.key))
    chosen: dict[str, int] = {}
    kept: dict[str, list[Chain]] = {}
    for patience in range(len(below) + 2 * _PATIENCE):
        # Who swings between two choices is held to all that was ever asked of it.
        if patience < _PATIENCE:
            kept = {}
        _walk(below, chosen, candidates, kept)
        before = dict(chosen)
        for key, chains in kept.items():
            common = _common((chain[-1].need for chain in chains), candidates)
            if not common:
                return chains
            chosen[key] = (common & -common).bit_length() - 1
        if chosen == before:
            break
    # Not reached with facts that prove anything; whatever is asked for is still worth telling.
    return max(kept.values(), key=len)


def _walk(
    below: dict[str | None, list[Reason]], chosen: dict[str, int], candidates: Candidates, found: dict[str, list[Chain]]
) -> None:
    """Gather the shortest chain for each need that can be reached, through what is chosen."""
    layer: list[Chain] = [(fact,) for fact in below.get(None, ())]
    seen: set[str] = set()
    while layer:
        following: list[Chain] = []
        for chain in layer:
            need = chain[-1].need
            chains = found.setdefault(need.key, [])
            if not any(chain[-1] == other[-1] for other in chains):
                chains.append(chain)
            if need.key in seen:
                continue
            seen.add(need.key)
            accepted = candidates.accepted(need)
            number = chosen.get(need.key) or (accepted & -accepted).bit_length() - 1
            if number > 0:
                parent = candidates.summary(need.key, number)
                following += [(*chain, fact) for fact in below.get(parent.sha256, ()) if fact.parent == parent]
        layer = following


def _common(needs: Iterable[Need], candidates: Candidates) -> int:
    common = -1
    for need in needs:
        common &= candidates.accepted(need)
    return common


def _fewest(chains: list[Chain], candidates: Candidates) -> list[Chain]:
    """As few of the chains as contradict one another, the shortest of them."""
    by_length = sorted(chains, key=len)
    for count in (1, 2):
        for some in combinations(by_length, count):
            if not _common((chain[-1].need for chain in some), candidates):
                return list(some)
    for chain in reversed(by_length):
        rest = [each for each in by_length if each is not chain]
        if rest and not _common((each[-1].need for each in rest), candidates):
            by_length = rest
    return by_length


def _headline(needs: list[Need], found: _Found) -> str:
    key = needs[0].key
    source = needs[0].source
    if len(needs) > 1 or not isinstance(source, NamedSource):
        return f"no version of {key} satisfies everyone who needs it"
    if not found.usable and not found.yanked:
        meant = " or ".join(found.similar)
        return f"there is no package {key} in its registry: " + (f"is {meant} meant?" if meant else "check its name")
    requirement = source.requirement
    nothing = f"no version of {key} satisfies {requirement}"
    if withdrawn := [version for version in found.yanked if requirement.matches(version)]:
        which = "which is" if len(withdrawn) == 1 else "which are"
        why = "not in the store, and --offline forbids to fetch it" if found.offline else "yanked"
        return f"{nothing}, but {_listed(withdrawn)}, {which} {why}: ask for another version"
    early = [version for version in found.usable if version.pre and _core_fits(requirement, version)]
    if early:
        return f"{nothing}: there is {early[0]}: ask for it with ={early[0]}"
    return nothing


def _core_fits(requirement: Requirement, version: Version) -> bool:
    """Whether only being a pre-release keeps a version out."""
    return requirement.matches(Version(*version.core)) or all(part.matches(version) for part in requirement.comparators)


def _shown(chain: Chain, line_of: Callable[[str], str] | None) -> list[str]:
    """The lines of one chain, each further in than the one before."""
    first = chain[0].need
    lines = [line_of(first.alias) if line_of is not None else f"you asked for {_what(first)}"]
    links = chain[1:]
    if len(links) > _LONGEST_CHAIN - 1:
        left_out = len(links) - _LONGEST_CHAIN + 2
        links = (links[0], *links[left_out + 1 :])
        lines += [_link(links[0]), f"... and so on through {left_out} packages"]
        links = links[1:]
    lines += [_link(link) for link in links]
    if line_of is not None and len(chain) == 1 and first.direct is not None:
        lines[0] += f" is {first.direct.id}"
    return [f"{'  ' * depth}{line}" for depth, line in enumerate(lines, 1)]


def _link(reason: Reason) -> str:
    return f"{reason.parent.id if reason.parent else 'the project'} needs {_what(reason.need)}"


def _what(need: Need) -> str:
    if isinstance(need.source, NamedSource):
        return f"{need.key} {need.source.requirement}"
    return f"{need.key} from {need.source}" + (f" ({need.direct.id})" if need.direct else "")


def _others(chains: list[Chain], candidates: Candidates) -> list[str]:
    """A line that says for which packages on the way other versions would be allowed, all of which were tried."""
    names: list[str] = []
    for chain in chains:
        for before in chain[:-1]:
            if candidates.accepted(before.need).bit_count() > 1 and before.need.key not in names:
                names.append(before.need.key)
    if not names:
        return []
    rest = len(names) - _MOST_NAMES
    return [f"  no other version of {', '.join(names[:_MOST_NAMES])}{f' and {rest} more' if rest > 0 else ''} helps"]


def _listed(versions: Sequence[Version]) -> str:
    rest = len(versions) - _MOST_VERSIONS
    return ", ".join(map(str, versions[:_MOST_VERSIONS])) + (f" and {rest} older" if rest > 0 else "")
