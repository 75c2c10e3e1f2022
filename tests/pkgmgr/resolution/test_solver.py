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


def test_what_was_another_choice_only_because_of_what_is_taken_back_is_chosen_anew() -> None:
    """`a1` clashes with `d`, which is heard of late; until then it has kept `y` from its first candidate."""
    needs: Needs = {
        ("b", 1): [("c", anything(1)), ("y", anything(2))],
        ("c", 1): [("d", anything(1))],
        ("d", 1): [("z", 1 << 1)],
    }
    counts = {**dict.fromkeys("abcdxz", 2), "y": 2}
    expected = {"a": 2, "b": 1, "c": 1, "d": 1, "z": 1, "y": 1}
    roots = ("a", anything(2)), ("b", 1 << 1)
    directly: Needs = {("a", 1): [("y", 1 << 2), ("z", 1 << 2)]}
    assert Graph(counts, needs | directly).solve(*roots) == expected
    by_what_nobody_else_needs: Needs = {("a", 1): [("x", 1 << 1), ("z", 1 << 2)], ("x", 1): [("y", 1 << 2)]}
    assert Graph(counts, needs | by_what_nobody_else_needs).solve(*roots) == expected


@pytest.mark.parametrize("width", [100, 1000])
def test_each_clash_costs_as_much_as_it_concerns_however_many_packages_there_are(width: int) -> None:
    needs: Needs = {}
    for number in range(width):
        needs[f"stubborn{number}", 1] = [(f"shared{number}", 1 << 2), (f"other{number}", anything(2))]
        needs[f"stubborn{number}", 2] = [(f"other{number}", anything(2))]
        for candidate in (1, 2):
            needs[f"other{number}", candidate] = [(f"late{number}", anything(2))]
            needs[f"late{number}", candidate] = [(f"shared{number}", 1 << 1)]
    names = [f"{kind}{number}" for number in range(width) for kind in ("stubborn", "shared", "other", "late")]
    graph = Graph(dict.fromkeys(names, 2), needs)
    roots = [(f"stubborn{number}", anything(2)) for number in range(width)]
    chosen = graph.solve(*roots, effort=100 * width)
    assert chosen == {name: 2 if name.startswith("stubborn") else 1 for name in names}


def test_nobody_could_be_given_more_wanted_candidates_while_all_others_stay() -> None:
    chance = random.Random(6)
    not_first = 0
    for _ in range(200):
        names = [f"p{number}" for number in range(chance.randint(5, 40))]
        counts = {name: chance.randint(2, 6) for name in names}

        def fitting(name: str, counts: dict[str, int] = counts) -> int:
            first = chance.randint(1, counts[name])
            last = chance.randint(first, counts[name])
            return (2 << last) - (1 << first) if chance.random() < 0.6 else anything(counts[name])

        needs: Needs = {
            (name, number): [
                (other, fitting(other))
                for other in chance.sample(names[place + 1 :], min(chance.randint(0, 4), len(names) - place - 1))
            ]
            for place, name in enumerate(names)
            for number in range(1, counts[name] + 1)
        }
        roots = [(name, anything(counts[name])) for name in names[:3]]
        try:
            chosen = Graph(counts, needs).solve(*roots)
        except Unsolvable:
            continue
        asked = [*roots, *(need for choice in chosen.items() for need in needs[choice])]
        assert {name for name, _ in asked} == set(chosen)
        for name, number in chosen.items():
            not_first += number > 1
            others = [*roots, *(need for choice in chosen.items() if choice[0] != name for need in needs[choice])]
            for better in range(1, number):
                trial = {**chosen, name: better}
                wanted = [*others, *needs[name, better]]
                assert any(not mask >> trial.get(other, 0) & 1 for other, mask in wanted)
    assert not_first > 500
