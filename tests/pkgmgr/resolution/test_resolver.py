"""The resolver against brute force, and what it says when there is no way."""

from collections.abc import Collection
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.registry.listing import FoundPackage, PackageAbout
from pkgmgr.registry.registries import Registries
from pkgmgr.resolution.resolver import resolve
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

    def __init__(self, graph: Graph, yanked: dict[str, set[str]] | None = None) -> None:
        self.graph = graph
        self.withdrawn = yanked or {}
        self.heard: list[set[str]] = []

    def versions(self, name: str) -> list[Version]:
        return [Version.parse(text) for text in self.graph.get(name, {})]

    def yanked(self, name: str) -> set[Version]:
        return {Version.parse(text) for text in self.withdrawn.get(name, ())}

    def prefetch_summaries(self, wanted: Collection[tuple[str, Version]]) -> None:
        pass

    def prefetch(self, names: Collection[str]) -> None:
        self.heard.append(set(names))

    def search(self, text: str, most: int) -> list[FoundPackage]:
        del text, most
        return []

    def about(self, name: str) -> PackageAbout | None:
        del name
        return None

    def summary(self, name: str, version: Version) -> PackageSummary:
        needs = self.graph[name][str(version)]
        digest = sha256(f"{name}@{version}".encode()).hexdigest()
        dependencies = {other: parse_dependency(other, text) for other, text in needs.items()}
        return PackageSummary(name, version, "registry", Path("/none"), digest, 1, dependencies)

    def similar(self, name: str) -> list[str]:
        return [other for other in self.graph if other[:-1] == name[:-1]][:1]

    def by_hash(self, sha256: str) -> PackageSummary | None:
        del sha256
        return None

    def location(self, name: str, version: Version) -> Path:
        return Path("/none") / name / str(version)


def choose(
    graph: Graph,
    wanted: dict[str, str],
    pins: dict[str, Version] | None = None,
    *,
    resolution: str = "highest",
    yanked: dict[str, set[str]] | None = None,
) -> dict[str, str]:
    def fetch(source: PackageSource) -> PackageSummary:
        raise WpmError(str(source))

    registry = GraphRegistry(graph, yanked)
    sources = {name: parse_dependency(name, text) for name, text in wanted.items()}
    result = resolve(sources, Registries(registry, registry), fetch, pins, resolution=resolution)
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
        assert "you asked for" in str(error)
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
        "  you asked for t/a ^1",
        "    t/a@1.2.0 needs t/c ^2",
        "  you asked for t/b ^1",
        "    t/b@1.0.0 needs t/c ~1.1",
        "  versions of t/c: 2.0.0, 1.1.0, 1.0.0",
    ]


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ({"t/x": "1"}, ["there is no package t/x in its registry: is t/c meant?", "  you asked for t/x ^1"]),
        ({"t/c": "^7"}, ["no version of t/c satisfies ^7", "  you asked for t/c ^7", "  versions of t/c: 1.0.0"]),
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


def test_a_version_that_nobody_can_have_does_not_hide_behind_the_others() -> None:
    graph: Graph = {
        "t/a": {version: {"t/b": "*"} for version in VERSIONS},
        "t/b": {version: {"t/c": f"={version}"} for version in VERSIONS},
        "t/c": {version: {} for version in [*VERSIONS, "4.0.0"]},
    }
    with pytest.raises(WpmError) as caught:
        choose(graph, {"t/a": "*", "t/c": "4"})
    assert str(caught.value).splitlines() == [
        "no version of t/c satisfies everyone who needs it",
        "  you asked for t/c ^4",
        "  you asked for t/a *",
        "    t/a@3.0.0 needs t/b *",
        "      t/b@3.0.0 needs t/c =3.0.0",
        "  versions of t/c: 4.0.0, 3.0.0, 2.0.0, 1.1.0, 1.0.0",
        "  no other version of t/a, t/b helps",
    ]


def test_a_long_way_is_told_in_a_few_lines() -> None:
    graph: Graph = {f"t/p{number}": {"1.0.0": {f"t/p{number + 1}": "1"}} for number in range(50)}
    graph["t/p50"] = {"1.0.0": {}}
    graph["t/p49"]["1.0.0"] = {"t/p50": "2"}
    with pytest.raises(WpmError) as caught:
        choose(graph, {"t/p0": "1"})
    lines = str(caught.value).splitlines()
    assert lines[0] == "no version of t/p50 satisfies ^2"
    assert lines[1] == "  you asked for t/p0 ^1"
    assert lines[-2].strip() == "t/p49@1.0.0 needs t/p50 ^2"
    assert len(lines) <= 8


def test_what_is_yanked_is_kept_where_it_is_locked_and_otherwise_refused() -> None:
    graph: Graph = {"t/a": {"1.0.0": {}, "1.1.0": {}}}
    yanked = {"t/a": {"1.1.0"}}
    assert choose(graph, {"t/a": "1"}, yanked=yanked) == {"t/a": "1.0.0"}
    assert choose(graph, {"t/a": "1"}, {"t/a": Version(1, 1, 0)}, yanked=yanked) == {"t/a": "1.1.0"}
    with pytest.raises(
        WpmError, match=r"^no version of t/a satisfies =1.1.0, but 1.1.0, which is yanked: ask for anoth"
    ):
        choose(graph, {"t/a": "=1.1.0"}, yanked=yanked)


def test_a_prerelease_is_chosen_where_it_is_asked_for_and_otherwise_told_of() -> None:
    graph: Graph = {"t/a": {"1.0.0": {}, "2.0.0-rc.1": {}}}
    assert choose(graph, {"t/a": "*"}) == {"t/a": "1.0.0"}
    assert choose(graph, {"t/a": ">=2.0.0-alpha"}) == {"t/a": "2.0.0-rc.1"}
    assert choose(graph, {"t/a": "=2.0.0-rc.1"}) == {"t/a": "2.0.0-rc.1"}
    for text in ("2", ">=2", "=2.0.0", ">1.0.0"):
        with pytest.raises(WpmError, match=r"there is 2.0.0-rc.1: ask for it with =2.0.0-rc.1\n"):
            choose(graph, {"t/a": text})


def test_the_lowest_versions_are_what_is_asked_for() -> None:
    graph: Graph = {
        "t/a": {"1.0.0": {"t/b": "^1.1"}, "1.1.0": {"t/b": "^1.1"}},
        "t/b": {"1.0.0": {}, "1.1.0": {}, "1.2.0": {}},
    }
    pins = {"t/a": Version(1, 1, 0)}
    assert choose(graph, {"t/a": "1"}, pins, resolution="lowest") == {"t/a": "1.0.0", "t/b": "1.1.0"}
    assert choose(graph, {"t/a": "1"}, pins, resolution="lowest-direct") == {"t/a": "1.0.0", "t/b": "1.2.0"}
    assert choose(graph, {"t/a": "1"}, pins) == {"t/a": "1.1.0", "t/b": "1.2.0"}


def test_a_registry_hears_of_whole_layers_before_it_is_asked() -> None:
    graph: Graph = {
        "t/a": {"1.0.0": {"t/b": "1", "t/c": "1"}},
        "t/b": {"1.0.0": {"t/d": "1"}},
        "t/c": {"1.0.0": {"t/e": "1"}},
        "t/d": {"1.0.0": {}},
        "t/e": {"1.0.0": {}},
    }
    registry = GraphRegistry(graph)
    source = parse_dependency("t/a", "1")
    resolve({"t/a": source}, Registries(registry, registry), lambda _: registry.summary("t/a", Version(1, 0, 0)))
    assert [names for names in registry.heard if names] == [{"t/a"}, {"t/b", "t/c"}, {"t/d", "t/e"}]


def test_nobody_gets_by_its_name_what_only_a_url_leads_to() -> None:
    """A package behind a URL that somebody asks for who is not chosen in the end is not taken for the name."""
    graph: Graph = {
        "t/a": {"2.0.0": {"t/c": "https://example.org/c.webc", "t/d": "9"}, "1.0.0": {}},
        "t/b": {"2.0.0": {"t/c": "^5"}, "1.0.0": {}},
        "t/c": {"1.0.0": {}},
        "t/d": {"1.0.0": {}},
    }
    registry = GraphRegistry({**graph, "t/c": {"1.0.0": {}}})
    elsewhere = PackageSummary("t/c", Version(5, 0, 0), "https://example.org/c.webc", Path("/none"), "c" * 64, 1)
    wanted = {name: parse_dependency(name, "*") for name in ("t/a", "t/b")}
    result = resolve(wanted, Registries(registry, registry), lambda _: elsewhere)
    assert set(result.packages) == {"t/a@1.0.0", "t/b@1.0.0"}
    # Where it is really asked for, it is good for those who ask for the name, too.
    del graph["t/a"]["2.0.0"]["t/d"]
    result = resolve(wanted, Registries(GraphRegistry(graph), GraphRegistry(graph)), lambda _: elsewhere)
    assert set(result.packages) == {"t/a@2.0.0", "t/b@2.0.0", "t/c@5.0.0"}
