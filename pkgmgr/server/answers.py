"""Answers to queries about packages by their names, kept until something about these packages changes.

Whether it did is asked of the file system each time: the folder, the index and every package file must be those that
the answer was made from. What was changed just now is not kept, as it may change again within the clock's tick.
"""

from __future__ import annotations

import gzip
import json
from collections import OrderedDict
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from pkgmgr.server.plans import Plan

LARGEST: Final = 64 << 20
"""So many bytes of answers are kept; what was not asked for longest goes first."""

_WORTH_PACKING: Final = 1 << 10
_ROOTS: Final = frozenset(("getPackage", "getPackageVersion", "info"))
_STEADY: Final = _ROOTS | frozenset(
    (
        *("defaultFrontend", "packageName", "namespace", "package", "versions", "version", "lastVersion", "isArchived"),
        *("distribution", "piritaDownloadUrl", "piritaSha256Hash", "piritaSize", "piritaExpiresInSeconds"),
        *("webcManifest", "webcVersion"),
    )
)
"""The fields whose values follow from a package's files, and from nobody who asks."""


Subject = tuple[str, Version | None]
"""A package, and which of its versions; None is all of them."""


class KeptAnswer(NamedTuple):
    """The body of an answer, also compressed where that is worth it, and its ETag; None where there were errors."""

    body: bytes
    packed: bytes | None
    etag: str | None


def make_answer(reply: dict[str, Any]) -> KeptAnswer:
    """The answer for what GraphQL replies."""
    body = json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode()
    packed = gzip.compress(body, 1, mtime=0) if len(body) >= _WORTH_PACKING else None
    return KeptAnswer(body, packed, None if "errors" in reply else sha256(body).hexdigest()[:32])


class Answers:
    """The answers; one thread at a time may use them.

    Args:
        state: What tells whether a package is as it was; None for one that must not be relied on now.
    """

    def __init__(self, state: Callable[[str, Version | None], Hashable | None]) -> None:
        self._state = state
        self._kept: OrderedDict[Hashable, tuple[tuple[Subject, ...], tuple[Hashable, ...], KeptAnswer]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> KeptAnswer | None:
        """The answer to a question, if it is still right."""
        found = self._kept.get(key)
        if found is None:
            return None
        about, states, answer = found
        if self.states(about) != states:
            return None
        self._kept.move_to_end(key)
        return answer

    def states(self, about: Iterable[Subject]) -> tuple[Hashable, ...] | None:
        """The states of packages, taken before they are looked at; None where one cannot be relied on."""
        found = []
        for subject in about:
            if (state := self._state(*subject)) is None:
                return None
            found.append(state)
        return tuple(found)

    def put(self, key: Hashable, about: tuple[Subject, ...], states: tuple[Hashable, ...], answer: KeptAnswer) -> None:
        """Keep an answer that was made from packages in these states."""
        if (old := self._kept.pop(key, None)) is not None:
            self._bytes -= _size(old[2])
        self._kept[key] = about, states, answer
        self._bytes += _size(answer)
        while self._bytes > LARGEST:
            self._bytes -= _size(self._kept.popitem(last=False)[1][2])


def is_steady(plan: Plan) -> bool:
    """Whether the answer to a query follows from the files of the packages that it names."""
    return plan.roots <= _ROOTS and plan.fields <= _STEADY


def subjects_of(plan: Plan, arguments: Iterable[Mapping[str, str]]) -> tuple[Subject, ...]:
    """The packages, or single versions of them, that the answer to such a query follows from.

    Args:
        plan: The query.
        arguments: What each of its fields at the top is given.
    """
    found: dict[Subject, None] = {}
    for given in arguments:
        version = None
        if "versions" not in plan.fields and "lastVersion" not in plan.fields:
            with suppress(WpmError):
                version = Version.parse(given.get("version", ""))
        if "name" in given:
            found[given["name"], version] = None
    return tuple(found)


def _size(answer: KeptAnswer) -> int:
    return len(answer.body) + len(answer.packed or b"") + 10_000
