"""Choosing one candidate of everything that is needed, so that nobody is left without what it needs.

The method is PubGrub's (https://github.com/dart-lang/pub/blob/master/doc/solver.md), which is that of a SAT solver that
learns: what cannot be together is written down as an *incompatibility*; whatever follows from one is concluded; and
where two conclusions clash, what led to both is learned as a new incompatibility, so that no dead end is walked twice.

What a package may be is a set of states, held as the bits of a number: bit 0 says that it is not chosen at all, bit N
that its Nth candidate is, the first being the most wanted. Every step is then one operation on numbers. This file knows
nothing of versions, names and registries.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

F = TypeVar("F")

ABSENT: Final = 1
"""The state of a package that is not chosen, as a set."""


class Demand(NamedTuple, Generic[F]):
    """Somebody needs one of some candidates of a package.

    Attributes:
        package: Which package.
        candidates: The set of those that will do; it may be empty.
        fact: What an explanation says of it.
    """

    package: str
    candidates: int
    fact: F


class Problem(Protocol[F]):
    """What the solver asks."""

    def count(self, package: str) -> int:
        """How many candidates there are of a package."""

    def demands(self, package: str, number: int) -> Sequence[Demand[F]]:
        """What a candidate needs; asked when the candidate is about to be chosen."""


class Unsolvable(Exception, Generic[F]):
    """There is no solution.

    Attributes:
        facts: Those of the demands that prove it, each once.
    """

    def __init__(self, facts: Sequence[F]) -> None:
        super().__init__(len(facts))
        self.facts = facts


class TooMuch(Exception):
    """Neither a solution nor a proof was found with the effort that was allowed."""


class _Incompatibility(Generic[F]):
    """States of packages that cannot be together: either a fact says so, or it follows from two others."""

    __slots__ = ("causes", "fact", "terms")

    def __init__(
        self,
        terms: dict[str, int],
        fact: F | None = None,
        causes: tuple[_Incompatibility[F], _Incompatibility[F]] | None = None,
    ) -> None:
        self.terms = terms
        self.fact = fact
        self.causes = causes


class _Step(NamedTuple, Generic[F]):
    """One entry of the trail: a package has fewer states than before.

    Attributes:
        package: Which package.
        before: Its states before.
        after: Its states from here on.
        cause: What it follows from; None where it was decided.
        level: How many decisions had been taken, this one included.
    """

    package: str
    before: int
    after: int
    cause: _Incompatibility[F] | None
    level: int


class Solver(Generic[F]):
    """One search.

    Args:
        problem: What there is, and what that needs.
        most_effort: How many times to look at an incompatibility before giving up; a second is some millions.
    """

    def __init__(self, problem: Problem[F], most_effort: int) -> None:
        self._problem = problem
        self._most_effort = most_effort
        self._effort = 0
        self._everything: dict[str, int] = {}
        self._states: dict[str, int] = {}
        self._about: dict[str, list[_Incompatibility[F]]] = {}
        self._trail: list[_Step[F]] = []
        self._history: dict[str, list[int]] = {}
        self._level = 0
        self._known: set[tuple[str, int]] = set()
        self._undecided: set[str] = set()
        self._queue: list[tuple[int, int, str]] = []
        self._trouble: dict[str, int] = {}
        self._order: dict[str, int] = {}

    def solve(self, roots: Iterable[Demand[F]]) -> dict[str, int]:
        """Choose.

        Args:
            roots: What is needed from the start.

        Returns:
            The number of the candidate for each package that is chosen, from 1.

        Raises:
            Unsolvable: Nothing satisfies everyone.
            TooMuch: It takes more effort than allowed.
        """
        changed: list[str] = []
        for demand in roots:
            self._learn_or_conclude(self._add(None, 0, demand), changed)
        while True:
            self._propagate(changed)
            package = self._next()
            if package is None:
                return {step.package: step.after.bit_length() - 1 for step in self._trail if step.cause is None}
            changed = self._decide(package)

    def _enter(self, package: str) -> int:
        """All the states of a package, which is made known where it is not."""
        everything = self._everything.get(package)
        if everything is None:
            everything = self._everything[package] = (2 << self._problem.count(package)) - 1
            self._states[package] = everything
            self._about[package] = []
            self._history[package] = []
            self._order[package] = len(self._order)
            self._trouble[package] = 0
        return everything

    def _add(self, asking: str | None, state: int, demand: Demand[F]) -> _Incompatibility[F]:
        """Write down that who asks (None from the start) cannot be in its state while what it needs is not there."""
        everything = self._enter(demand.package)
        refused = everything & ~demand.candidates
        terms = {} if asking is None else {asking: state}
        if asking == demand.package:
            terms[demand.package] = refused & state
        elif refused != everything:
            terms[demand.package] = refused
        incompatibility = _Incompatibility(terms, demand.fact)
        self._index(incompatibility)
        return incompatibility

    def _index(self, incompatibility: _Incompatibility[F]) -> None:
        for package in incompatibility.terms:
            self._about[package].append(incompatibility)

    def _next(self) -> str | None:
        """The needed package to decide: first what made trouble before, otherwise what was heard of first."""
        while self._queue:
            trouble, _, package = heappop(self._queue)
            if package in self._undecided:
                if -trouble == self._trouble[package]:
                    return package
                self._enqueue(package)
        return None

    def _enqueue(self, package: str) -> None:
        heappush(self._queue, (-self._trouble[package], self._order[package], package))

    def _decide(self, package: str) -> list[str]:
        """Choose the most wanted candidate that is left, unless what it needs forbids it; gives what changed."""
        state = self._states[package] & -self._states[package]
        changed: list[str] = []
        if (package, state) not in self._known:
            self._known.add((package, state))
            for demand in self._problem.demands(package, state.bit_length() - 1):
                incompatibility = self._add(package, state, demand)
                # Whether it clashes shows before anything follows from the decision.
                others = [(name, mask) for name, mask in incompatibility.terms.items() if name != package]
                if all(not self._states[name] & ~mask for name, mask in others) and incompatibility.terms[package]:
                    self._trouble[package] += 1
                    self._learn_or_conclude(incompatibility, changed)
            if changed:
                self._enqueue(package)
                return changed
        self._level += 1
        self._undecided.discard(package)
        self._narrow(package, state, None)
        return [package]

    def _narrow(self, package: str, after: int, cause: _Incompatibility[F] | None) -> None:
        before = self._states[package]
        self._history[package].append(len(self._trail))
        self._trail.append(_Step(package, before, after, cause, self._level))
        self._states[package] = after
        if cause is not None and before & ABSENT and not after & ABSENT:
            self._undecided.add(package)
            self._enqueue(package)

    def _propagate(self, changed: list[str]) -> None:
        """Conclude what follows, until nothing does any more; `changed` is used up."""
        states = self._states
        while changed:
            package = changed.pop()
            self._effort += len(self._about[package])
            if self._effort > self._most_effort:
                raise TooMuch
            for incompatibility in reversed(self._about[package]):
                # Most are about other states than those that are left: they say nothing here.
                if not states[package] & incompatibility.terms[package]:
                    continue
                open_package = ""
                for name, mask in incompatibility.terms.items():
                    state = states[name]
                    if not state & ~mask:
                        continue
                    if open_package or not state & mask:
                        break
                    open_package = name
                else:
                    if not open_package:
                        changed.clear()
                        self._learn_or_conclude(incompatibility, changed)
                        break
                    self._narrow(
                        open_package, states[open_package] & ~incompatibility.terms[open_package], incompatibility
                    )
                    changed.append(open_package)

    def _learn_or_conclude(self, incompatibility: _Incompatibility[F], changed: list[str]) -> None:
        """Conclude what follows from one incompatibility, learning from the clash where it is one."""
        open_packages = [name for name, mask in incompatibility.terms.items() if self._states[name] & ~mask]
        if not open_packages:
            incompatibility = self._learn(incompatibility)
            open_packages = [name for name, mask in incompatibility.terms.items() if self._states[name] & ~mask]
        if len(open_packages) == 1 and self._states[open_packages[0]] & incompatibility.terms[open_packages[0]]:
            package = open_packages[0]
            self._narrow(package, self._states[package] & ~incompatibility.terms[package], incompatibility)
            changed.append(package)

    def _learn(self, clash: _Incompatibility[F]) -> _Incompatibility[F]:
        """Find what led to a clash, go back to where that shows, and give it: one of its terms is open there."""
        learned = clash
        while True:
            if not learned.terms:
                raise Unsolvable(_facts(learned))
            latest, package, level = -1, "", 0
            for name, mask in learned.terms.items():
                when = self._since(name, mask)
                if when > latest:
                    latest, package, level = when, name, max(level, self._trail[latest].level if latest >= 0 else 0)
                else:
                    level = max(level, self._trail[when].level)
            step = self._trail[latest]
            if step.cause is None or level < step.level:
                break
            learned = self._resolve(learned, step.cause, package)
        for name in learned.terms:
            self._trouble[name] += 1
        if learned is not clash:
            self._index(learned)
        self._go_back(level)
        return learned

    def _since(self, package: str, mask: int) -> int:
        """Where in the trail the package first had no states but these."""
        for index in self._history[package]:
            if not self._trail[index].after & ~mask:
                return index
        raise AssertionError(package)

    def _resolve(self, first: _Incompatibility[F], second: _Incompatibility[F], package: str) -> _Incompatibility[F]:
        """What cannot be together either, whatever the package is."""
        terms = dict(first.terms)
        for name, mask in second.terms.items():
            terms[name] = terms.get(name, self._everything[name]) & mask
        either = first.terms[package] | second.terms[package]
        if either == self._everything[package]:
            del terms[package]
        else:
            terms[package] = either
        return _Incompatibility(terms, causes=(first, second))

    def _go_back(self, level: int) -> None:
        """Undo every decision above a level, and what followed from it."""
        while self._trail and self._trail[-1].level > level:
            package, before, after, cause, _ = self._trail.pop()
            self._history[package].pop()
            self._states[package] = before
            if cause is None:
                self._undecided.add(package)
                self._enqueue(package)
            elif before & ABSENT and not after & ABSENT:
                self._undecided.discard(package)
        self._level = level


def _facts(proved: _Incompatibility[F]) -> list[F]:
    """The facts that something was learned from, each once."""
    found: list[F] = []
    seen: set[int] = set()
    waiting = [proved]
    while waiting:
        incompatibility = waiting.pop()
        if id(incompatibility) in seen:
            continue
        seen.add(id(incompatibility))
        if incompatibility.causes is not None:
            waiting += incompatibility.causes
        elif incompatibility.fact is not None:
            found.append(incompatibility.fact)
    return found
