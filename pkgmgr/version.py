"""Semantic versions and the requirements that packages put on one another.

Versions follow https://semver.org/spec/v2.0.0.html. Requirements follow cargo
(https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html), which is what Wasmer's manifests use. One
thing is more than cargo's: a full version with build metadata (`1.2.3+wasix.2`) asks for exactly that rebuild.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from pkgmgr.errors import WpmError
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LONGEST: Final = 256
"""No version and no comparator is longer than this many characters."""

MOST_COMPARATORS: Final = 32
_LARGEST_NUMBER: Final = 2**64 - 1
_REMEMBERED: Final = 4096
"""How many texts are remembered with what they say: packages repeat one another's versions and requirements."""

_NUMBER = r"(0|[1-9][0-9]{0,19})"
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?"
_COMPARATOR = (
    rf"(=|>=|>|<=|<|~|\^)? *{_NUMBER}"
    rf"(?:\.(?:{_NUMBER}|[*xX])(?:\.(?:{_NUMBER}(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?|[*xX]))?)?"
)
_WILDCARD = r"\.[*xX](?:\.|$)"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """The compiled pattern; compiled when it is first needed, as not every run reads requirements."""
    return re.compile(text)


_Key = tuple[tuple[bool, int, str], ...]


def _identifiers_key(text: str) -> _Key:
    """An ordering key for dot-separated identifiers: numbers first and by value, then text by its ASCII."""
    if not text:
        return ()
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in text.split("."))


class Version(NamedTuple):
    """One version: `major.minor.patch`, with a pre-release and build metadata where they are not empty.

    Versions are ordered by semver's precedence (section 11). Build metadata, which has no precedence, breaks ties, so
    that the order is total and the newest rebuild of a version is the same one everywhere.
    """

    major: int
    minor: int
    patch: int
    pre: str = ""
    build: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a version; anything but a complete semver 2.0 version raises `WpmError`."""
        return _parse_version(text)

    @property
    def core(self) -> tuple[int, int, int]:
        """The three numbers."""
        return self.major, self.minor, self.patch

    def __lt__(self, other: tuple[object, ...]) -> bool:
        return isinstance(other, Version) and self.order() < other.order()

    def __le__(self, other: tuple[object, ...]) -> bool:
        return isinstance(other, Version) and self.order() <= other.order()

    def __gt__(self, other: tuple[object, ...]) -> bool:
        return isinstance(other, Version) and self.order() > other.order()

    def __ge__(self, other: tuple[object, ...]) -> bool:
        return isinstance(other, Version) and self.order() >= other.order()

    def order(self) -> tuple[tuple[int, int, int], bool, _Key, _Key, str]:
        """What versions are sorted by: as a sort's `key` it is made once for each version."""
        return self.core, not self.pre, _identifiers_key(self.pre), _identifiers_key(self.build), self.build

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return text + (f"-{self.pre}" if self.pre else "") + (f"+{self.build}" if self.build else "")


@lru_cache(maxsize=_REMEMBERED)
def _parse_version(text: str) -> Version:
    match = _pattern(_VERSION).fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise WpmError(f"not a version: {_shown(text)}: expected MAJOR.MINOR.PATCH as in 1.2.3 or 1.2.3-rc.1")
    major, minor, patch, pre, build = match.groups(default="")
    numbers = [int(part) for part in (major, minor, patch)]
    if max(numbers) > _LARGEST_NUMBER:
        raise WpmError(f"not a version: {_shown(text)}: a number in it is larger than 64 bits")
    if any(part.isdigit() and part[0] == "0" and part != "0" for part in pre.split(".")):
        raise WpmError(f"not a version: {_shown(text)}: a number in its pre-release starts with 0")
    return Version(numbers[0], numbers[1], numbers[2], pre, build)


@lru_cache(4096)
def version_or_none(text: str) -> Version | None:
    """The version that a text is; None where it is none, which is remembered too."""
    try:
        return Version.parse(text)
    except WpmError:
        return None


class Comparator(NamedTuple):
    """One part of a requirement: an operator and a version of which minor and patch may be left out.

    `operator` is one of `= > >= < <= ~ ^` and `*` (a wildcard: `1.*`).
    """

    operator: str
    major: int
    minor: int | None
    patch: int | None
    pre: str = ""

    def matches(self, version: Version) -> bool:
        """Whether the version is in this comparator's range; pre-releases need `allows_pre` of some part too."""
        match self.operator:
            case "=" | "*":
                return self._same(version)
            case ">":
                return self._compare(version) > 0
            case ">=":
                return self._same(version) or self._compare(version) > 0
            case "<":
                return self._compare(version) < 0
            case "<=":
                return self._same(version) or self._compare(version) < 0
            case "~":
                return self._tilde(version)
            case _:
                return self._caret(version)

    def allows_pre(self, version: Version) -> bool:
        """Whether this part names a pre-release of the very same `major.minor.patch`, and so lets pre-releases in."""
        return bool(self.pre) and version.core == (self.major, self.minor, self.patch)

    def _given(self) -> tuple[int, ...]:
        return tuple(part for part in (self.major, self.minor, self.patch) if part is not None)

    def _same(self, version: Version) -> bool:
        given = self._given()
        return version.core[: len(given)] == given and version.pre == self.pre

    def _compare(self, version: Version) -> int:
        """How the version stands to the parts that are given: -1, 0 or 1; parts left out are equal."""
        given = self._given()
        head = version.core[: len(given)]
        if head != given:
            return 1 if head > given else -1
        if len(given) < 3:
            return 0
        ours, theirs = _pre_key(self.pre), _pre_key(version.pre)
        return (theirs > ours) - (theirs < ours)

    def _tilde(self, version: Version) -> bool:
        given = self._given()
        if version.core[: len(given[:2])] != given[:2]:
            return False
        if self.patch is not None and version.patch != self.patch:
            return version.patch > self.patch
        return _pre_key(version.pre) >= _pre_key(self.pre)

    def _caret(self, version: Version) -> bool:
        """Changes to the right of the leftmost number that is not zero are compatible."""
        if version.major != self.major:
            return False
        if self.minor is None:
            return True
        if self.patch is None:
            return version.minor >= self.minor if self.major else version.minor == self.minor
        fixed = 1 if self.major else 2 if self.minor else 3
        given = (self.major, self.minor, self.patch)
        if version.core[:fixed] != given[:fixed] or version.core < given:
            return False
        return version.core > given or _pre_key(version.pre) >= _pre_key(self.pre)

    def __str__(self) -> str:
        text = ".".join(str(part) for part in self._given()) + (f"-{self.pre}" if self.pre else "")
        return f"{text}.*" if self.operator == "*" else self.operator + text


def _pre_key(pre: str) -> tuple[bool, _Key]:
    """An ordering key for pre-releases in which none at all is the newest."""
    return not pre, _identifiers_key(pre)


class Requirement(NamedTuple):
    """What a package asks of another's version: all of the comparators, or one exact rebuild.

    No comparator at all is `*`: any version but a pre-release.
    """

    comparators: tuple[Comparator, ...] = ()
    exact: Version | None = None

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Read a requirement in cargo's syntax; `latest` is `*`, as in Wasmer.

        Raises `WpmError` naming the part that is wrong.
        """
        return _parse_requirement(text)

    def matches(self, version: Version) -> bool:
        """Whether the version satisfies the requirement.

        A pre-release does only where a part of the requirement names a pre-release of the same three numbers.
        """
        if self.exact is not None:
            return version == self.exact
        for comparator in self.comparators:
            if not comparator.matches(version):
                return False
        return not version.pre or any(comparator.allows_pre(version) for comparator in self.comparators)

    def __str__(self) -> str:
        if self.exact is not None:
            return f"={self.exact}"
        return ", ".join(str(comparator) for comparator in self.comparators) or "*"


ANY: Final = Requirement()
"""`*`"""


@lru_cache(maxsize=_REMEMBERED)
def _parse_requirement(text: str) -> Requirement:
    stripped = text.strip(" ")
    if stripped in {"*", "x", "X", "latest"}:
        return Requirement()
    if "+" in stripped:
        return Requirement(exact=_exact_build(stripped, text))
    parts = stripped.split(",")
    if len(parts) > MOST_COMPARATORS:
        raise WpmError(f"not a version requirement: {_shown(text)}: more than {MOST_COMPARATORS} parts")
    return Requirement(tuple(_comparator(part.strip(" "), text) for part in parts))


def _exact_build(stripped: str, text: str) -> Version:
    try:
        return Version.parse(stripped.removeprefix("=").lstrip(" "))
    except WpmError:
        raise WpmError(
            f"not a version requirement: {_shown(text)}: build metadata (+) needs one full version, as in 1.2.3+build.4"
        ) from None


def _comparator(part: str, whole: str) -> Comparator:
    """One part between commas, without the spaces around it."""
    match = _pattern(_COMPARATOR).fullmatch(part) if len(part) <= LONGEST else None
    if match is None:
        why = (
            "* must stand alone"
            if part in {"*", "x", "X"}
            else f"{_shown(part)} is not like ^1.2, ~1.2, >=1.2.3 or 1.*"
        )
        raise WpmError(f"not a version requirement: {_shown(whole)}: {why}")
    operator, major, minor, patch, pre, _ = match.groups()
    wildcard = _pattern(_WILDCARD).search(part) is not None
    if wildcard and patch is not None:
        raise WpmError(f"not a version requirement: {_shown(whole)}: a number follows a wildcard")
    # The version's own parser judges what its numbers and its pre-release may be.
    checked = Version.parse(f"{major}.{minor or 0}.{patch or 0}" + (f"-{pre}" if pre else ""))
    return Comparator(
        operator or ("*" if wildcard else "^"),
        checked.major,
        None if minor is None else checked.minor,
        None if patch is None else checked.patch,
        checked.pre,
    )


def _shown(text: str) -> str:
    """The text as an error shows it: quoted, on one line, not too long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
