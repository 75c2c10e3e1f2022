"""Asking a registry for many things in a few requests, several at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from pkgmgr.errors import Refused, Unreachable, WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkgmgr.registry.endpoint import Answer, Endpoint
    from pkgmgr.registry.queries import Question

_T = TypeVar("_T")

BATCH: Final = 50
_BATCHES_AT_A_TIME: Final = 4
_TOO_MUCH: Final = (400, 413)
"""How servers refuse what is too much for them."""
_MOST_FAILURES: Final = 6
"""After so many failures in a row things are asked for one by one, when they are needed."""


class Batch(NamedTuple, Generic[_T]):
    """Things to ask for together.

    Attributes:
        items: The things.
        etag: The ETag of what is known of all of them, with the URL of who gave it.
        brief: Whether something older is known of all of them, so that nobody needs to wait long for who is not there.
    """

    items: Sequence[_T]
    etag: tuple[str, str] | None = None
    brief: bool = False


class Answered(NamedTuple, Generic[_T]):
    """What was asked for together, and the answer."""

    items: Sequence[_T]
    answer: Answer


class Asker:
    """Who asks; once the registry has refused often enough, it is left alone.

    Args:
        endpoint: The registry.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._failures = 0

    def ask(
        self, batches: Sequence[Batch[_T]], question: Callable[[Sequence[_T], bool], Question]
    ) -> Iterator[Answered[_T]]:
        """Ask for all of it; what could not be asked for is not among the answers.

        Args:
            batches: What to ask for.
            question: Makes the question for some of it, in the plain form where that is needed.
        """
        if len(batches) == 1:
            yield from self._ask(batches[0], question)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_BATCHES_AT_A_TIME, "ask") as pool:
            for answered in pool.map(lambda batch: self._ask(batch, question), batches):
                yield from answered

    def _ask(self, batch: Batch[_T], question: Callable[[Sequence[_T], bool], Question]) -> list[Answered[_T]]:
        if self._failures >= _MOST_FAILURES:
            return []
        try:
            answer = self._endpoint.ask(lambda plain: question(batch.items, plain), batch.etag, brief=batch.brief)
        except Unreachable:
            return []
        except WpmError as error:
            return self._ask_for_fewer(batch.items, question, error)
        with self._lock:
            self._failures = 0
        return [Answered(batch.items, answer)]

    def _ask_for_fewer(
        self, items: Sequence[_T], question: Callable[[Sequence[_T], bool], Question], error: WpmError
    ) -> list[Answered[_T]]:
        """Ask in two halves where that may help: for a registry that answers only so much, or stumbles over one name."""
        refused = isinstance(error, Refused) and error.status not in _TOO_MUCH
        with self._lock:
            self._failures = _MOST_FAILURES if refused else self._failures + 1
        half = len(items) // 2
        if not half or self._failures >= _MOST_FAILURES:
            return []
        return self._ask(Batch(items[:half]), question) + self._ask(Batch(items[half:]), question)


def in_batches(items: Sequence[_T]) -> list[Sequence[_T]]:
    """The items, as many together as are asked for in one request."""
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
