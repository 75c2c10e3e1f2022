"""A line of a shell as it is being typed, and words as the shell wants them inserted."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_BLANK: Final = " \t\n"
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_UNQUOTED: Final = re.compile(r"[^A-Za-z0-9_@%+=:,./\-\u0080-\U0010ffff]")
_DOUBLE_QUOTED: Final = re.compile(r'[$`"\\]')


class Line(NamedTuple):
    """A command line up to the cursor.

    Attributes:
        words: The words before the one at the cursor, without the program, as the program would get them.
        current: The word at the cursor, likewise.
        quote: The quotation mark that is open at the cursor; empty where none is.
        raw: The word at the cursor as it is typed.
    """

    words: tuple[str, ...]
    current: str
    quote: str
    raw: str


def parse_line(text: str) -> Line:
    """Take a line apart as POSIX shells do, as far as quoting goes; what is not finished is as it is.

    Args:
        text: The line from the command's first character to the cursor.
    """
    words: list[str] = []
    word, raw, quote, started = "", "", "", False
    position = 0
    while position < len(text):
        char = text[position]
        following = text[position + 1 : position + 2]
        raw += char
        position += 1
        if quote == "'":
            quote, word = ("", word) if char == "'" else (quote, word + char)
        elif quote == '"':
            if char == "\\" and following and following in '$`"\\':
                word, raw, position = word + following, raw + following, position + 1
            else:
                quote, word = ("", word) if char == '"' else (quote, word + char)
        elif char in _BLANK:
            if started:
                words.append(word)
            word, raw, started = "", "", False
            continue
        elif char in "'\"":
            quote = char
        elif char == "\\":
            word, raw, position = word + following, raw + following, position + 1
        else:
            word += char
        started = True
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    return Line(tuple(words[1:]), word, quote, raw)


def insertion(candidate: str, line: Line, breaks: str, *, ends: bool) -> str | None:
    """What bash shall insert for a candidate, in the place of what it takes for the word at the cursor.

    Args:
        candidate: The whole word that is meant.
        line: The line.
        breaks: `COMP_WORDBREAKS`: behind these characters bash thinks that a new word begins.
        ends: Whether the word is finished, so that a space follows.

    Returns:
        The text; None where the candidate cannot be written in the quotation marks that are open.
    """
    if line.quote == "'":
        return None if "'" in candidate else candidate
    if line.quote == '"':
        return _DOUBLE_QUOTED.sub(r"\\\g<0>", candidate)
    # An @ begins the name of a host to bash, and so belongs to the new word.
    cut = max((number + (char != "@") for number, char in enumerate(line.current) if char in breaks), default=0)
    if "'" in line.raw or '"' in line.raw or "\\" in line.raw:
        # Bash does not break a word within quotation marks; where it does is its own affair.
        cut = 0
    keep = 1 if not cut and candidate.startswith("~") else 0
    text = candidate[cut:]
    return text[:keep] + _UNQUOTED.sub(r"\\\g<0>", text[keep:]) + (" " if ends else "")
