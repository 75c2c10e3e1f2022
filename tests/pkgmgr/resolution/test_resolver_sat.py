"""The resolver against a SAT solver: 200 graphs that can be solved and 200 that cannot, and what is newest."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
from test_resolver import Graph, choose, matches

from pkgmgr.errors import WpmError
from pkgmgr.version import Version

VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "2.0.0", "2.1.0", "3.0.0")
REQUIREMENTS = ("*", "1", "^1.1", "~1.2", "=1.0.0", "^2", "=2.1.0", ">=2", ">=1.2, <3", "<2", "<3", "3", "^4")
fits = cache(matches)


def random_graph(chance: random.Random) -> tuple[Graph, dict[str, str]]:
    """From 5 to 30 packages, each of which needs only later ones; and what is wanted of them."""
    names = [f"t/p{number:02}" for number in range(chance.randint(5, 30))]
    most = chance.choice((2, 3, 4))

    def requirements(known: list[str], count: int) -> dict[str, str]:
        # Wide requirements are more usual, and what is solvable should not be trivial.
        some = chance.sample(known, min(count, len(known)))
        return {name: chance.choice(REQUIREMENTS if chance.random() < 0.55 else REQUIREMENTS[:3]) for name in some}

    graph: Graph = {}
    for position, name in enumerate(names):
        versions = chance.sample(VERSIONS, chance.randint(2, len(VERSIONS)))
        later = names[position + 1 :]
        graph[name] = {version: requirements(later, chance.randint(0, most)) for version in versions}
    return graph, requirements(names, chance.randint(1, 4))


class Sat:
    """The same question as clauses: one variable for each version of each package."""

    def __init__(self, graph: Graph, wanted: dict[str, str]) -> None:
        solvers = pytest.importorskip("pysat.solvers")
        places = [(name, version) for name, versions in graph.items() for version in versions]
        self.variables = {place: number for number, place in enumerate(places, 1)}
        self.solver: Any = solvers.Solver(name="g4")
        for name, versions in graph.items():
            own = [self.variables[name, version] for version in versions]
            for first in range(len(own)):
                for second in range(first):
                    self.solver.add_clause([-own[first], -own[second]])
            for version, needs in versions.items():
                for other, requirement in needs.items():
                    self._need(graph, other, requirement, [-self.variables[name, version]])
        for name, requirement in wanted.items():
            self._need(graph, name, requirement, [])

    def _need(self, graph: Graph, name: str, requirement: str, unless: list[int]) -> None:
        fitting = [self.variables[name, version] for version in graph[name] if fits(requirement, version)]
        self.solver.add_clause([*unless, *fitting])

    def can(self, chosen: dict[str, str]) -> bool:
        return bool(self.solver.solve(assumptions=[self.variables[place] for place in chosen.items()]))


def test_200_graphs_that_can_be_solved_and_200_that_cannot() -> None:
    chance = random.Random(20)
    solved = refused = hard = 0
    while solved < 200 or refused < 200:
        graph, wanted = random_graph(chance)
        sat = Sat(graph, wanted)
        if sat.can({}):
            if solved == 200:
                continue
            solved += 1
            chosen = choose(graph, wanted)
            needs = [wanted, *(graph[name][version] for name, version in chosen.items())]
            assert all(fits(text, chosen[name]) for need in needs for name, text in need.items())
            # Nothing that nobody needs, and the SAT solver has nothing against it either.
            assert set(chosen) == {name for need in needs for name in need}
            assert sat.can(chosen)
            greedy = all(version == max(graph[name], key=Version.parse) for name, version in chosen.items())
            hard += not greedy
        elif refused < 200:
            refused += 1
            with pytest.raises(WpmError) as caught:
                choose(graph, wanted)
            first, *rest = str(caught.value).splitlines()
            assert first.startswith("no version of t/p")
            assert rest and len(rest) < 12
            assert rest[0].startswith("  you asked for ")
    assert hard > 100


def test_the_one_package_that_is_asked_for_is_the_newest_that_can_be() -> None:
    chance = random.Random(21)
    older = 0
    for _ in range(300):
        graph, _ = random_graph(chance)
        name = next(iter(graph))
        sat = Sat(graph, {name: "*"})
        possible = [version for version in graph[name] if sat.can({name: version})]
        if possible:
            newest = max(possible, key=Version.parse)
            older += newest != max(graph[name], key=Version.parse)
            assert choose(graph, {name: "*"})[name] == newest
            lowest = min(possible, key=Version.parse)
            assert choose(graph, {name: "*"}, resolution="lowest")[name] == lowest
    assert older > 20
