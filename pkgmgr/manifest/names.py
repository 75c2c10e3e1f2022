"""The spelling of names, versions and requirements in a manifest.

Packages are `namespace/name` or a bare `name`, of ASCII letters, digits, `_` and `-`. Versions are Semantic Versioning
2.0.0; requirements are cargo's (https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html). Here only
their form is checked; what a requirement means is the resolver's business.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME = 128
"""The longest namespace or package name, in characters."""

MAX_FILE_NAME = 255
"""The longest module or command name, in bytes: both become file names in a guest."""

_PACKAGE = re.compile(rf"(?:[A-Za-z0-9_-]{{1,{MAX_NAME}}}/)?[A-Za-z0-9_-]{{1,{MAX_NAME}}}")

_NUMBER = r"(?:0|[1-9][0-9]{0,18})"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_PRE = rf"(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)"
_BUILD = r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}{_PRE}?{_BUILD}?")
_WILD = r"[*xX]"
_COMPARATOR = re.compile(
    rf"(?:=|>=?|<=?|~|\^)?\s*{_NUMBER}(?:\.(?:{_NUMBER}\.(?:{_NUMBER}{_PRE}?{_BUILD}?|{_WILD})|{_NUMBER}|{_WILD}(?:\.{_WILD})?))?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_package_name(text: str) -> bool:
    """Whether the text is `namespace/name` or `name`."""
    return _PACKAGE.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Whether the text is a semantic version, of at most 256 characters."""
    return len(text) <= 256 and _VERSION.fullmatch(text) is not None


def is_requirement(text: str) -> bool:
    """Whether the text is a version requirement: `^1.2`, `>=1, <2`, `1.*`, `*`, `latest`."""
    if len(text) > 256:
        return False
    stripped = text.strip()
    if stripped in {"*", "x", "X", "latest"}:
        return True
    return all(_COMPARATOR.fullmatch(part.strip()) for part in stripped.split(","))


def is_file_name(text: str) -> bool:
    """Whether the text can be one name in a directory, printable and on one line."""
    if text in {"", ".", ".."} or "/" in text or _CONTROL.search(text):
        return False
    return len(text.encode("utf-8", "surrogatepass")) <= MAX_FILE_NAME


def shown(value: object) -> str:
    """A value as an error message shows it: quoted, on one line, clipped to 80 characters."""
    text = value if isinstance(value, str) else repr(value)
    clipped = text if len(text) <= 80 else text[:79] + "…"
    safe = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", clipped)
    return '"' + safe.encode("utf-8", "backslashreplace").decode() + '"'


def listed(names: Iterable[str]) -> str:
    """Some names, quoted, for an error message: the first five of them and how many there are besides."""
    quoted = [shown(name) for name in names]
    if not quoted:
        return "none"
    rest = len(quoted) - 5
    return ", ".join(quoted[:5]) + (f" and {rest} more" if rest > 0 else "")
