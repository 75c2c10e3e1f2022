"""The resolver against brute force, and what it says when there is no way."""

from collections.abc import Collection
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.registry.listing import FoundPackage, PackageAbout
from pkgmgr.registry.registries import Registries
from pkgmgr.resolver import resolve
from pkgmgr.source import NamedSource, PackageSource, parse_dependency
from pkgmgr.summary import PackageSummary
from pkgmgr.version import Version

Graph = dict[str, dict[str, dict[str, str]]]
"""Package to version to what that needs: package to requirement."""

NAMES = ["t/a", "t/b", "t/c", "t/d"]
REQUIREMENTS = st.sampled_from(["*", "1", "^2", "=1.0.0", ">=1.1", "<2", "~1.1", ">=1, <3"])
VERSIONS = ["1.0.0", "1.1.0", "2.0.0", "3.0.0"]


class GraphRegistry:
    """A registry of nothing but names and requirements."""

    title = "the test's registry"
    needs_network = False

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def versions(self, name: str) -> list[Version]:
        return [Version.parse(text) for text in self.graph.get(name, {})]

    def yanked(self, name: str) -> set[Version]:
        del name
        return set()

    def prefetch(self, names: Collection[str]) -> None:
        pass

    def search(self, text: str, most: int) -> list[FoundPackage]:
        del text, most
        return []

    def about(self, name: str) -> PackageAbout | None:
        del name
        return None

    def summary(self, name: str, version: Version) -> PackageSummary:
        needs = self.graph[name][str(version)]
        digest = f"{NAMES.index(name) if name in NAMES else 9}{version.major}{version.minor}".ljust(64, "0")
        dependencies = {other: parse_dependency(other, text) for other, text in needs.items()}
        return PackageSummary(name, version, "registry", Path("/none"), digest, 1, dependencies)

    def similar(self, name: str) -> list[str]:
        return [other for other in self.graph if other[:-1] == name[:-1]][:1]

    def by_hash(self, sha256: str) -> PackageSummary | None:
        del sha256
        return None

    def location(self, name: str, version: Version) -> Path:
        return Path("/none") / name / str(version)


def choose(graph: Graph, wanted: dict[str, str], pins: dict[str, Version] | None = None) -> dict[str, str]:
    def fetch(source: PackageSource) -> PackageSummary:
        raise WpmError(str(source))

    registry = GraphRegistry(graph)
    sources = {name: parse_dependency(name, text) for name, text in wanted.items()}
    result = resolve(sources, Registries(registry, registry), fetch, pins)
    return {summary.name: str(summary.version) for summary in result.packages.values()}


def is_solution(graph: Graph, wanted: dict[str, str], chosen: dict[str, str]) -> bool:
    needs = [wanted, *(graph[name][version] for name, version in chosen.items())]
    return all(
        name in chosen and matches(text, chosen[name]) for need in needs for name, text in need.items()
    ) and is_acyclic(graph, chosen)


def matches(requirement: str, version: str) -> bool:
    source = parse_dependency("t/x", requirement)
    assert isinstance(source, NamedSource)
    return source.requirement.matches(Version.parse(version))


def is_acyclic(graph: Graph, chosen: dict[str, str]) -> bool:
    left = dict(chosen)
    while free := [name for name, version in left.items() if not set(graph[name][version]) & set(left)]:
        for name in free:
            del left[name]
    return not left


def solutions(graph: Graph, wanted: dict[str, str]) -> list[dict[str, str]]:
    """Every solution, by trying everything."""
    choices = [[None, *graph.get(name, {})] for name in NAMES]
    found = []
    for versions in product(*choices):
        chosen = {name: version for name, version in zip(NAMES, versions, strict=True) if version is not None}
        if is_solution(graph, wanted, chosen):
            found.append(chosen)
    return found


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Packages need only those after them in the alphabet: cycles are tested by themselves."""
    graph: Graph = {}
    for position, name in enumerate(NAMES):
        later = st.sampled_from(NAMES[position + 1 :] or ["t/e"])
        needs = st.dictionaries(later, REQUIREMENTS, max_size=2 if position < len(NAMES) - 1 else 0)
        graph[name] = draw(st.dictionaries(st.sampled_from(VERSIONS), needs, max_size=4))
    return graph


@settings(max_examples=100, deadline=None)
@given(graphs(), st.dictionaries(st.sampled_from(NAMES), REQUIREMENTS, min_size=1, max_size=3))
def test_it_finds_a_solution_exactly_where_there_is_one(graph: Graph, wanted: dict[str, str]) -> None:
    possible = solutions(graph, wanted)
    try:
        chosen = choose(graph, wanted)
    except WpmError as error:
        assert not possible
        assert str(error).splitlines()[0]
        assert "the project needs" in str(error) or " needs " in str(error)
        return
    assert is_solution(graph, wanted, chosen)
    # What was chosen already, the resolver chooses again, whatever is newer.
    for other in possible[:3]:
        kept = choose(graph, wanted, {name: Version.parse(version) for name, version in other.items()})
        assert kept == {name: other[name] for name in kept}


@settings(max_examples=50, deadline=None)
@given(graphs(), st.sampled_from(NAMES), REQUIREMENTS)
def test_a_single_package_is_the_newest_that_works(graph: Graph, name: str, requirement: str) -> None:
    possible = solutions(graph, {name: requirement})
    if possible:
        newest = max(Version.parse(solution[name]) for solution in possible)
        assert choose(graph, {name: requirement})[name] == str(newest)


def test_it_goes_back_to_an_older_version_where_the_newest_cannot_be() -> None:
    graph: Graph = {
        "t/a": {"1.0.0": {"t/b": "1"}, "2.0.0": {"t/b": "2"}},
        "t/b": {"1.0.0": {}, "2.0.0": {}},
        "t/c": {"1.0.0": {"t/b": "<2"}},
    }
    assert choose(graph, {"t/a": "*", "t/c": "*"}) == {"t/a": "1.0.0", "t/b": "1.0.0", "t/c": "1.0.0"}


def test_a_conflict_says_who_asked_for_what_and_what_there_is() -> None:
    graph: Graph = {
        "t/a": {"1.2.0": {"t/c": "^2"}},
        "t/b": {"1.0.0": {"t/c": "~1.1"}},
        "t/c": {"1.0.0": {}, "1.1.0": {}, "2.0.0": {}},
    }
    with pytest.raises(WpmError) as caught:
        choose(graph, {"t/a": "1", "t/b": "1"})
    assert str(caught.value).splitlines() == [
        "no version of t/c satisfies everyone who needs it",
        "  t/a@1.2.0 needs t/c ^2",
        "  t/b@1.0.0 needs t/c ~1.1",
        "  versions of t/c: 2.0.0, 1.1.0, 1.0.0",
    ]


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ({"t/x": "1"}, ["there is no package t/x in its registry: is t/c meant?", "  the project needs t/x ^1"]),
        ({"t/c": "^7"}, ["no version of t/c satisfies ^7", "  the project needs t/c ^7", "  versions of t/c: 1.0.0"]),
    ],
)
def test_what_is_not_there(wanted: dict[str, str], lines: list[str]) -> None:
    with pytest.raises(WpmError) as caught:
        choose({"t/c": {"1.0.0": {}}}, wanted)
    assert str(caught.value).splitlines()[: len(lines)] == lines


def test_a_circle_is_an_error() -> None:
    graph: Graph = {"t/a": {"1.0.0": {"t/b": "1"}}, "t/b": {"1.0.0": {"t/a": "1"}}}
    with pytest.raises(WpmError, match=r"circle: t/a@1.0.0 -> t/b@1.0.0 -> t/a@1.0.0"):
        choose(graph, {"t/a": "1"})
