"""What is concluded and decided so far, why, and how to take a decision back without losing what does not rest on it.

What a package may be is a set of states, held as the bits of a number. The trail has for each package the steps that took
states away from it, in the order in which they were taken. A step that follows from others is undone with any of them.
Everything else stays: in a graph of thousands of packages a clash concerns a few, and to decide all that came later anew
costs as much for each clash as there are packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

F = TypeVar("F")

ABSENT: Final = 1
"""The state of a package that is not chosen, as a set."""


class Incompatibility(Generic[F]):
    """States of packages that cannot be together: either a fact says so, or it follows from two others.

    Attributes:
        terms: The states, by package.
        fact: What an explanation says of it.
        causes: The two that it follows from.
        step: The step of the trail that was concluded from it, while there is one.
    """

    __slots__ = ("causes", "fact", "step", "terms")

    def __init__(
        self,
        terms: dict[str, int],
        fact: F | None = None,
        causes: tuple[Incompatibility[F], Incompatibility[F]] | None = None,
    ) -> None:
        self.terms = terms
        self.fact = fact
        self.causes = causes
        self.step: Step[F] | None = None


class Step(Generic[F]):
    """One entry of the trail: a package has fewer states than before.

    Attributes:
        package: Which package.
        allowed: The states that the step leaves.
        cause: What it follows from; None where it was decided.
        time: Counts the steps.
        level: The time of the last decision that it follows from; 0 where it follows from none, its own if it is one.
        after: What this and the steps before it leave of the package.
        highest: The highest level of this and the steps before it that concern the package.
    """

    __slots__ = ("after", "allowed", "cause", "highest", "level", "package", "time")

    def __init__(self, package: str, allowed: int, cause: Incompatibility[F] | None, time: int, level: int) -> None:
        self.package = package
        self.allowed = allowed
        self.cause = cause
        self.time = time
        self.level = level
        self.after = allowed
        self.highest = level


class Trail(Generic[F]):
    """The steps, and the states that they leave.

    Attributes:
        states: What each package may be, after all steps.
        about: The incompatibilities that have a term about a package.
        decisions: The decision on each package that has one.
    """

    def __init__(self) -> None:
        self.states: dict[str, int] = {}
        self.about: dict[str, list[Incompatibility[F]]] = {}
        self.decisions: dict[str, Step[F]] = {}
        self._everything: dict[str, int] = {}
        self._history: dict[str, list[Step[F]]] = {}
        self._decided_at: dict[int, Step[F]] = {}
        self._time = 0

    def enter(self, package: str, everything: int) -> None:
        """Make a package known, with all its states."""
        self._everything[package] = self.states[package] = everything
        self.about[package] = []
        self._history[package] = []

    def index(self, incompatibility: Incompatibility[F]) -> None:
        """Make it known that packages concern one another."""
        for package in incompatibility.terms:
            self.about[package].append(incompatibility)

    def everything(self, package: str) -> int:
        """All states of a package, whatever is concluded."""
        return self._everything[package]

    def open_terms(self, incompatibility: Incompatibility[F]) -> list[str]:
        """The packages that still may be something else than what cannot be together."""
        return [name for name, mask in incompatibility.terms.items() if self.states[name] & ~mask]

    def conclude(self, package: str, cause: Incompatibility[F]) -> None:
        """Take the states of a package away that a cause forbids, all other terms of which are as it says."""
        level = 0
        for name, mask in cause.terms.items():
            if name != package:
                level = max(level, self.since(name, mask).highest)
        self._time += 1
        cause.step = self._add(Step(package, ~cause.terms[package], cause, self._time, level))

    def decide(self, package: str, state: int) -> None:
        """Let a package be in a state, of those that it has."""
        self._time += 1
        step: Step[F] = Step(package, state, None, self._time, self._time)
        self.decisions[package] = self._decided_at[self._time] = self._add(step)

    def decision_at(self, level: int) -> Step[F]:
        """The decision that a level stands for."""
        return self._decided_at[level]

    def since(self, package: str, mask: int) -> Step[F]:
        """The step with which the package first had no states but these."""
        for step in self._history[package]:
            if not step.after & ~mask:
                return step
        raise AssertionError(package)

    def take_back(self, decision: Step[F]) -> list[str]:
        """Undo a decision with all that rests on it.

        That is also every decision which is no longer for the most wanted of the states that are left: a package was
        given another only because of what is undone. Decisions on packages that nobody needs any more stay, as often
        somebody needs them again at once.

        Returns:
            The packages that lost steps, each once.
        """
        touched: dict[str, None] = {}
        waiting = [decision]
        self._forget(decision)
        while waiting:
            step = waiting.pop()
            touched[step.package] = None
            for each in self._resting_on(step):
                self._forget(each)
                waiting.append(each)
            self._remove(step)
            other = self.decisions.get(step.package)
            if other is not None and other.allowed != self._most_wanted(step.package):
                self._forget(other)
                waiting.append(other)
        return list(touched)

    def _add(self, step: Step[F]) -> Step[F]:
        history = self._history[step.package]
        step.after = self.states[step.package] & step.allowed
        if history:
            step.highest = max(step.level, history[-1].highest)
        history.append(step)
        self.states[step.package] = step.after
        return step

    def _resting_on(self, step: Step[F]) -> Iterator[Step[F]]:
        """What was concluded from the step, or might have been: from what its package was after it."""
        package = step.package
        for incompatibility in self.about[package]:
            concluded = incompatibility.step
            if (
                concluded is not None
                and concluded.package != package
                and self.since(package, incompatibility.terms[package]).time >= step.time
            ):
                yield concluded

    def _forget(self, step: Step[F]) -> None:
        """Mark a step as undone."""
        if step.cause is not None:
            step.cause.step = None
        else:
            del self.decisions[step.package]
            del self._decided_at[step.time]

    def _remove(self, step: Step[F]) -> None:
        history = self._history[step.package]
        place = history.index(step)
        del history[place]
        after, highest = self._everything[step.package], 0
        if place:
            after, highest = history[place - 1].after, history[place - 1].highest
        for later in history[place:]:
            after = later.after = after & later.allowed
            highest = later.highest = max(highest, later.level)
        self.states[step.package] = after

    def _most_wanted(self, package: str) -> int:
        """What would be decided on a package that has a decision."""
        state = self._everything[package] & ~ABSENT
        for step in self._history[package]:
            if step.cause is not None:
                state &= step.allowed
        return state & -state
