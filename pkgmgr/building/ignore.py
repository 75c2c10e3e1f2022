"""`.wasmerignore`: which files of a directory stay out of a package.

The files have gitignore's syntax (https://git-scm.com/docs/gitignore): one pattern a line, `#` comments, `!` takes a
pattern back, `/` at the end means directories only and anywhere else anchors the pattern to the file's own directory,
`*`, `?` and `[...]` stay within one name, `**` spans any number of directories. The last pattern that matches decides,
deeper files come after shallower ones, and nothing below an ignored directory is looked at.

Where a package has no `.wasmerignore` on the way from its root to a mapped directory, `.git` is left out, as
`wasmer package build` does. `.wpm`, what an install leaves in a project, is of one machine and stays out wherever it is,
unless a pattern takes it back. `.gitignore` plays no part, and neither do files above the package: a build depends on
nothing but the package.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_NAME = ".wasmerignore"
_INSTALLED = ".wpm"
MAX_SIZE = 1 << 20
"""The largest `.wasmerignore`, in bytes."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line: the names on the way to what it matches, `None` standing for `**`."""

    parts: tuple[re.Pattern[str] | None, ...]
    negated: bool
    directories_only: bool

    def matches(self, names: Sequence[str], is_directory: bool) -> bool:
        """Whether the path, taken apart and relative to the ignore file's directory, is meant."""
        if self.directories_only and not is_directory:
            return False
        # The positions in the pattern that are reachable after each name: linear, whatever the pattern is.
        reached = self._skip({0})
        for name in names:
            following: set[int] = set()
            for position in reached:
                if position == len(self.parts):
                    continue
                part = self.parts[position]
                if part is None:
                    following.add(position)
                elif part.match(name):
                    following.add(position + 1)
            reached = self._skip(following)
        return len(self.parts) in reached

    def _skip(self, positions: set[int]) -> set[int]:
        """The positions, and those after a `**` that stands for no name at all."""
        found = set(positions)
        for position in positions:
            if position < len(self.parts) and self.parts[position] is None:
                found.add(position + 1)
        return found


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The patterns of one `.wasmerignore`, and how many names deep its directory lies below the package."""

    depth: int
    patterns: tuple[Pattern, ...]


class Ignored:
    """The ignore files that hold in a directory, the package's own first."""

    __slots__ = ("files",)

    def __init__(self, files: tuple[IgnoreFile, ...] = ()) -> None:
        self.files = files

    def entering(self, directory: Path, depth: int) -> Ignored:
        """What holds in a directory: all of this, and its own `.wasmerignore` when it has one.

        Args:
            directory: The directory.
            depth: How many names it lies below the package.
        """
        patterns = _read(directory / FILE_NAME)
        return self if patterns is None else Ignored((*self.files, IgnoreFile(depth, patterns)))

    def or_git(self) -> Ignored:
        """This, or the rule that leaves out `.git` when there is no ignore file so far."""
        return self if self.files else Ignored((IgnoreFile(0, parse(".git")),))

    def ignores(self, names: Sequence[str], is_directory: bool) -> bool:
        """Whether a path stays out of the package.

        Args:
            names: The path from the package's root, taken apart.
            is_directory: Whether it is a directory.
        """
        for file in reversed(self.files):
            for pattern in reversed(file.patterns):
                if pattern.matches(names[file.depth :], is_directory):
                    return not pattern.negated
        return is_directory and names[-1] == _INSTALLED


def parse(text: str) -> tuple[Pattern, ...]:
    """The patterns of an ignore file's text; lines that cannot be patterns mean nothing, as in git."""
    return tuple(pattern for line in text.splitlines() if (pattern := _pattern(line)) is not None)


def _pattern(line: str) -> Pattern | None:
    line = re.sub(r"(?<!\\)[ \t]+$", "", line)
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    body = line.removeprefix("!")
    directories_only = body.endswith("/")
    body = body.rstrip("/") if directories_only else body
    anchored = "/" in body
    names = body.removeprefix("/").split("/")
    if "" in names:
        return None
    parts = [None if name == "**" else _name(name) for name in names]
    if parts[-1] is None:
        parts.append(_name("*"))  # `a/**` is what lies below a, not a itself
    if not anchored:
        parts.insert(0, None)
    # Of several `**` in a row one says it all.
    kept = [part for index, part in enumerate(parts) if part is not None or not index or parts[index - 1] is not None]
    return Pattern(tuple(kept), negated, directories_only)


def _name(glob: str) -> re.Pattern[str]:
    """A glob for one name: git's escapes and negated classes written the way that `fnmatch` reads them."""
    written = re.sub(
        r"\\(.)", lambda match: f"[{match[1]}]" if match[1] not in "^!" else match[1], glob, flags=re.DOTALL
    )
    return re.compile(fnmatch.translate(written.replace("[^", "[!").replace("**", "*")))


def _read(path: Path) -> tuple[Pattern, ...] | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_SIZE:
        raise WpmError(f"{path}: is larger than {MAX_SIZE} bytes: is it really a list of patterns?")
    return parse(data.decode("utf-8", "surrogateescape"))
