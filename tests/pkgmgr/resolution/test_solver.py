"""The solver by itself: graphs that are meant to make it walk in circles, and the facts that it proves with."""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest

from pkgmgr.resolution.solver import Demand, Solver, TooMuch, Unsolvable

Needs = dict[tuple[str, int], list[tuple[str, int]]]
"""For candidates (a package and a number) what they need: packages, and sets of numbers as bits."""
EFFORT = 2_000_000


class Graph:
    """A problem that is written down."""

    def __init__(self, counts: dict[str, int], needs: Needs) -> None:
        self.counts = counts
        self.needs = needs

    def count(self, package: str) -> int:
        return self.counts[package]

    def demands(self, package: str, number: int) -> list[Demand[str]]:
        return [
            Demand(other, fitting, f"{package}{number} {other}")
            for other, fitting in self.needs.get((package, number), ())
        ]

    def solve(self, *roots: tuple[str, int], effort: int = EFFORT) -> dict[str, int]:
        return Solver(self, effort).solve([Demand(package, fitting, f"root {package}") for package, fitting in roots])


def anything(count: int) -> int:
    return (2 << count) - 2


def chain(length: int, last: list[tuple[str, int]]) -> Graph:
    """Each package's candidate needs the same of the next."""
    names = [f"p{number}" for number in range(length)]
    needs: Needs = {
        (name, number): [(following, 1 << number)] for name, following in pairwise(names) for number in range(1, 21)
    }
    needs |= {(names[-1], number): last for number in range(1, 21)}
    return Graph(dict.fromkeys([*names, "none"], 20), needs)


def test_a_long_chain_that_only_its_last_candidate_satisfies() -> None:
    graph = chain(200, [])
    chosen = graph.solve(("p0", anything(20)), ("p199", 1 << 20))
    assert chosen == {f"p{number}": 20 for number in range(200)}


def test_a_long_chain_that_nothing_satisfies() -> None:
    with pytest.raises(Unsolvable) as caught:
        chain(50, [("none", 0)]).solve(("p0", anything(20)))
    assert len(caught.value.facts) == len(set(caught.value.facts)) == 1 + 20 * 50


def test_a_thousand_packages_between_two_that_disagree() -> None:
    width = 1000
    needs: Needs = {("q0", number): [("z", 1 << (1 if number < 20 else 2))] for number in range(1, 21)}
    needs |= {(f"q{width - 1}", number): [("z", 1 << 2)] for number in range(1, 21)}
    names = [f"q{number}" for number in range(width)]
    chosen = Graph(dict.fromkeys([*names, "z"], 20), needs).solve(*((name, anything(20)) for name in names))
    assert chosen == {**dict.fromkeys(names, 1), "q0": 20, "z": 2}


def pigeons(holes: int) -> tuple[Graph, list[tuple[str, int]]]:
    """One pigeon more than there are holes: every proof is long."""
    names = [f"pigeon{number}" for number in range(holes + 1)]
    counts = {**dict.fromkeys(names, holes), **{f"hole{number}": holes + 1 for number in range(1, holes + 1)}}
    needs: Needs = {
        (name, hole): [(f"hole{hole}", 2 << place)] for place, name in enumerate(names) for hole in range(1, holes + 1)
    }
    return Graph(counts, needs), [(name, anything(holes)) for name in names]


def test_what_has_no_short_proof_is_proved_or_given_up() -> None:
    graph, roots = pigeons(5)
    with pytest.raises(Unsolvable):
        graph.solve(*roots)
    graph, roots = pigeons(12)
    with pytest.raises(TooMuch):
        graph.solve(*roots, effort=100_000)


def test_circles_and_what_needs_itself_come_to_an_end() -> None:
    graph = Graph(
        {"a": 3, "b": 2},
        {("a", 1): [("a", 0b100)], ("a", 2): [("b", 0b100)], ("b", 2): [("a", 0b1000)], ("a", 3): [("a", 0b1000)]},
    )
    assert graph.solve(("a", anything(3))) == {"a": 3}
    with pytest.raises(Unsolvable):
        graph.solve(("a", 0b110))


def test_small_graphs_with_circles_against_trying_everything() -> None:
    chance = random.Random(5)
    answers = {True: 0, False: 0}
    for _ in range(400):
        names = ["a", "b", "c", "d"]
        counts = {name: chance.randint(1, 3) for name in names}

        def fitting(name: str, counts: dict[str, int] = counts) -> int:
            return chance.randrange(2 << counts[name]) & ~1

        needs: Needs = {
            (name, number): [(other, fitting(other)) for other in chance.sample(names, chance.randint(0, 3))]
            for name in names
            for number in range(1, counts[name] + 1)
        }
        roots = [(name, fitting(name)) for name in chance.sample(names, chance.randint(1, 2))]

        def fits(chosen: dict[str, int], needs: Needs = needs, roots: list[tuple[str, int]] = roots) -> bool:
            wanted = [*roots, *(each for one in chosen.items() if one[1] for each in needs[one])]
            return all(chosen.get(name) and mask >> chosen[name] & 1 for name, mask in wanted)

        possible = any(
            fits(dict(zip(names, numbers, strict=True)))
            for numbers in product(*(range(counts[name] + 1) for name in names))
        )
        answers[possible] += 1
        try:
            chosen = Graph(counts, needs).solve(*roots)
        except Unsolvable:
            assert not possible
        else:
            assert possible
            assert fits(chosen)
    assert min(answers.values()) > 50
