"""Choosing one candidate of everything that is needed, so that nobody is left without what it needs.

The method is PubGrub's (https://github.com/dart-lang/pub/blob/master/doc/solver.md), which is that of a SAT solver that
learns: what cannot be together is written down as an *incompatibility*; whatever follows from one is concluded; and
where two conclusions clash, what led to both is learned as a new incompatibility, so that no dead end is walked twice.

What a package may be is a set of states, held as the bits of a number: bit 0 says that it is not chosen at all, bit N
that its Nth candidate is, the first being the most wanted. Every step is then one operation on numbers. This file knows
nothing of versions, names and registries.

A clash takes back the last of the decisions that led to it, with what rests on that, and nothing else (see `trail`). It comes
to an end: a clash with a new decision adds an incompatibility that there was not, of which there are finitely many, and every
other clash leaves one decision less.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeVar

from pkgmgr.resolution.trail import ABSENT, Incompatibility, Trail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkgmgr.resolution.trail import Step

F = TypeVar("F")

_MOST_CLEANINGS: Final = 20
"""How many times to look whether there is something better without what nobody needs any more."""
_Changed = dict[str, None]
"""The packages about which something may follow, each once."""


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
        self._trail: Trail[F] = Trail()
        self._needs: dict[tuple[str, int], list[str]] = {}
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
        changed: _Changed = {}
        needed: list[str] = []
        for demand in roots:
            needed.append(demand.package)
            self._learn_or_conclude(self._add(None, 0, demand), changed)
        cleanings = 0
        while True:
            self._propagate(changed)
            if (package := self._next()) is not None:
                self._decide(package, changed)
                continue
            chosen = self._reached(needed)
            unneeded = [name for name in self._trail.decisions if name not in chosen]
            # Without them others may get what is more wanted; few rounds are enough, and any may be the last.
            if not unneeded or cleanings == _MOST_CLEANINGS:
                return {name: state.bit_length() - 1 for name, state in chosen.items()}
            cleanings += 1
            for name in unneeded:
                if (decision := self._trail.decisions.get(name)) is not None:
                    self._take_back(decision, changed)

    def _reached(self, roots: list[str]) -> dict[str, int]:
        """The decisions on the packages that the roots need, or others that they need."""
        found: dict[str, int] = {}
        waiting = roots[::-1]
        while waiting:
            package = waiting.pop()
            if package not in found:
                state = found[package] = self._trail.decisions[package].allowed
                waiting += self._needs[package, state]
        return found

    def _enter(self, package: str) -> int:
        """All the states of a package, which is made known where it is not."""
        if package not in self._order:
            self._trail.enter(package, (2 << self._problem.count(package)) - 1)
            self._order[package] = len(self._order)
            self._trouble[package] = 0
        return self._trail.everything(package)

    def _add(self, asking: str | None, state: int, demand: Demand[F]) -> Incompatibility[F]:
        """Write down that who asks (None from the start) cannot be in its state while what it needs is not there."""
        everything = self._enter(demand.package)
        refused = everything & ~demand.candidates
        terms = {} if asking is None else {asking: state}
        if asking == demand.package:
            terms[demand.package] = refused & state
        elif refused != everything:
            terms[demand.package] = refused
        incompatibility = Incompatibility(terms, demand.fact)
        self._trail.index(incompatibility)
        return incompatibility

    def _next(self) -> str | None:
        """The needed package to decide: first what made trouble before, otherwise what was heard of first."""
        while self._queue:
            trouble, _, package = heappop(self._queue)
            if package in self._undecided and -trouble == self._trouble[package]:
                return package
        return None

    def _note(self, package: str) -> None:
        """Queue a package to be decided if it has to be."""
        if self._trail.states[package] & ABSENT or package in self._trail.decisions:
            self._undecided.discard(package)
        else:
            self._undecided.add(package)
            heappush(self._queue, (-self._trouble[package], self._order[package], package))

    def _made_trouble(self, package: str) -> None:
        self._trouble[package] += 1
        self._note(package)

    def _decide(self, package: str, changed: _Changed) -> None:
        """Choose the most wanted candidate that is left, unless what it needs forbids it."""
        states = self._trail.states
        state = states[package] & -states[package]
        if (package, state) not in self._needs:
            needs = self._needs[package, state] = []
            for demand in self._problem.demands(package, state.bit_length() - 1):
                needs.append(demand.package)
                incompatibility = self._add(package, state, demand)
                # Whether it clashes shows before anything follows from the decision.
                others = [(name, mask) for name, mask in incompatibility.terms.items() if name != package]
                if all(not states[name] & ~mask for name, mask in others) and incompatibility.terms[package]:
                    self._made_trouble(package)
                    self._learn_or_conclude(incompatibility, changed)
            if changed:
                self._note(package)
                return
        self._trail.decide(package, state)
        self._undecided.discard(package)
        changed[package] = None

    def _take_back(self, decision: Step[F], changed: _Changed) -> None:
        for package in self._trail.take_back(decision):
            self._effort += len(self._trail.about[package])
            self._note(package)
            changed[package] = None

    def _propagate(self, changed: _Changed) -> None:
        """Conclude what follows, until nothing does any more; `changed` is used up."""
        states = self._trail.states
        while changed:
            package, _ = changed.popitem()
            about = self._trail.about[package]
            self._effort += len(about)
            if self._effort > self._most_effort:
                raise TooMuch
            for incompatibility in reversed(about):
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
                        # The rest is looked at afterwards, with what is left then.
                        changed[package] = None
                        self._learn_or_conclude(incompatibility, changed)
                        break
                    self._conclude(open_package, incompatibility, changed)

    def _conclude(self, package: str, cause: Incompatibility[F], changed: _Changed) -> None:
        needed = not self._trail.states[package] & ABSENT
        self._trail.conclude(package, cause)
        changed[package] = None
        if not needed:
            self._note(package)

    def _learn_or_conclude(self, incompatibility: Incompatibility[F], changed: _Changed) -> None:
        """Conclude what follows from one incompatibility, learning from the clash where it is one."""
        while not (open_packages := self._trail.open_terms(incompatibility)):
            incompatibility = self._learn(incompatibility, changed)
        package = open_packages[0]
        if len(open_packages) == 1 and self._trail.states[package] & incompatibility.terms[package]:
            self._conclude(package, incompatibility, changed)

    def _learn(self, clash: Incompatibility[F], changed: _Changed) -> Incompatibility[F]:
        """Find what led to a clash, take back the last decision that did, and give what clashed because of it alone.

        With the decision on one package taken back, one of the terms is open, unless the others would do for a clash.
        """
        learned = clash
        while True:
            if not learned.terms:
                raise Unsolvable(_facts(learned))
            steps = [self._trail.since(name, mask) for name, mask in learned.terms.items()]
            level = max(step.highest for step in steps)
            last = [step for step in steps if step.highest == level]
            if level and len(last) == 1:
                break
            step = max(last, key=lambda each: each.time)
            # A decision is before all that follows from it: where two are of a level, the later is none.
            assert step.cause is not None
            learned = self._resolve(learned, step.cause, step.package)
        if learned is not clash:
            self._trail.index(learned)
            # Who only followed somebody else into a clash is no trouble: to prefer them all tries three times as many.
            for name in learned.terms:
                self._made_trouble(name)
        self._take_back(self._trail.decision_at(level), changed)
        return learned

    def _resolve(self, first: Incompatibility[F], second: Incompatibility[F], package: str) -> Incompatibility[F]:
        """What cannot be together either, whatever the package is."""
        terms = dict(first.terms)
        for name, mask in second.terms.items():
            terms[name] = terms.get(name, self._trail.everything(name)) & mask
        either = first.terms[package] | second.terms[package]
        if either == self._trail.everything(package):
            del terms[package]
        else:
            terms[package] = either
        return Incompatibility(terms, causes=(first, second))


def _facts(proved: Incompatibility[F]) -> list[F]:
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
