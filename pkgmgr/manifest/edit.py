"""Changing the `[dependencies]` of a manifest and nothing else: comments, layout, line ends and order stay as they are.

What was changed is read again before anybody may write it: all values but the one that was meant, and all text but its
own, must be what they were. So a manifest that is written in a way that cannot be changed safely is refused, never mangled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tomlkit.items import Item

_TABLE: Final = "dependencies"
_BOM: Final = "\ufeff".encode()


def set_dependency(text: str, path: Path, alias: str, value: str) -> str:
    """A manifest with one more dependency, or with another value for one that it has.

    Args:
        text: The manifest.
        path: Where it is, for errors.
        alias: The key in `[dependencies]`.
        value: Its value: a requirement, or a whole package source.

    Returns:
        The changed text. A new line stands after the last dependency, a new table at the end.

    Raises:
        WpmError: It is written in a way that cannot be changed without changing something else.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    whole = text if not text or text.endswith("\n") else text + end
    expected = _values(whole, path)
    before = expected.setdefault(_TABLE, {}).get(alias)
    expected[_TABLE][alias] = value
    if _TABLE not in _values(whole, path):
        # A table at the end is in nobody's way.
        gap = end if whole.strip() else ""
        changed = f"{whole}{gap}[{_TABLE}]{end}{_quoted(alias)} = {_quoted(value)}{end}"
        if _values_are(changed, expected, path):
            return changed
    most = 0 if before is None else len(_quoted(before)) if isinstance(before, str) else -1

    def change(entries: Any) -> None:
        if alias in entries:
            entries[alias] = _text_item(value)
        else:
            _append(entries, alias, value, end)

    for changed in _tries(whole, change):
        if _values_are(changed, expected, path) and len(_taken_away(whole, changed).strip()) <= most:
            return changed
    raise _refusal(path, alias, f"write {_quoted(alias)} = {_quoted(value)} into it by hand")


def remove_dependency(text: str, path: Path, alias: str) -> str:
    """A manifest without one of its dependencies; a comment at the end of its line goes with it.

    Raises:
        WpmError: It is written in a way that cannot be changed without changing something else.
    """
    expected = _values(text, path)
    del expected[_TABLE][alias]

    def change(entries: Any) -> None:
        del entries[alias]

    for changed in _tries(text, change):
        if _values_are(changed, expected, path) and not _taken_away(changed, text).strip(", \t\r\n"):
            return changed
    raise _refusal(path, alias, f"remove {_quoted(alias)} from it by hand")


def write_manifest(path: Path, text: str) -> None:
    """Replace a manifest whole or not at all; its mode, its byte order mark and a link to it stay.

    Raises:
        WpmError: It cannot be written; it is as it was.
    """
    from pkgmgr.files.replacing import replace_file

    target = path.resolve()
    try:
        with target.open("rb") as file:
            mark = _BOM if file.read(len(_BOM)) == _BOM else b""
        replace_file(target, mark + text.encode(), target.stat().st_mode & 0o7777)
    except OSError as error:
        raise WpmError(f"{path}: cannot be written: {error.strerror or error}") from None


def _append(entries: Any, alias: str, value: str, end: str) -> None:
    """Put an entry after the last one, before comments that lead to the next section."""
    from tomlkit.items import SingleKey, Table

    item = _text_item(value)
    if not isinstance(entries, Table):
        entries[alias] = item
        return
    item.trivia.trail = end
    body = entries.value.body
    tail: list[Any] = []
    while body and body[-1][0] is None:
        tail.insert(0, body.pop())
    # Comments right below the entries are about them; those after an empty line, or without one, about what follows.
    about_these = next((place for place, (_, each) in enumerate(tail) if "\n" in each.as_string()[:2]), None)
    if about_these is None:
        about_these = 0 if body else len(tail)
    body.extend(tail[:about_these])
    entries.append(SingleKey(alias, original=_quoted(alias), sep=" = "), item)
    body.extend(tail[about_these:])


def _tries(text: str, change: Callable[[Any], None]) -> Iterator[str]:
    """The text with its dependencies changed: their section alone, as most other sections are nothing to us, or all."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    for before, section, after in (*_sections(text), ("", text, "")):
        try:
            document = tomlkit.parse(section)
            if document.as_string() == section:
                change(document[_TABLE])
                yield before + document.as_string() + after
        except (TOMLKitError, ValueError, TypeError, AttributeError, RecursionError):
            continue


def _sections(text: str) -> Iterator[tuple[str, str, str]]:
    """The section `[dependencies]`, and what stands before all sections, each with what is before it and after it."""
    import re

    any_header = re.compile(r"(?m)^[ \t]*\[")
    header = re.search(rf"""(?m)^[ \t]*\[[ \t]*(["']?){_TABLE}\1[ \t]*\]""", text)
    if header is not None:
        following = any_header.search(text, header.end())
        end = following.start() if following else len(text)
        yield text[: header.start()], text[header.start() : end], text[end:]
    elif (first := any_header.search(text)) is not None:
        yield "", text[: first.start()], text[first.start() :]


def _values(text: str, path: Path) -> dict[str, Any]:
    import tomli

    try:
        return tomli.loads(text)
    except (ValueError, RecursionError) as error:
        raise WpmError(f"{path}: is not valid TOML: {str(error).splitlines()[0]}") from None


def _values_are(text: str, expected: dict[str, Any], path: Path) -> bool:
    """Whether the text says this, with its dependencies in this order; an empty table of them is as good as none."""
    try:
        found = _values(text, path)
    except WpmError:
        return False
    ours, theirs = found.pop(_TABLE, {}), expected.get(_TABLE, {})
    rest = {key: value for key, value in expected.items() if key != _TABLE}
    # Text, because a NaN is not equal to itself.
    return isinstance(ours, dict) and list(ours.items()) == list(theirs.items()) and repr(found) == repr(rest)


def _taken_away(before: str, after: str) -> str:
    """The part of a text that is not in another one, where they differ in one place."""
    start = _same(before, after)
    rest, other = before[start:], after[start:]
    return rest[: len(rest) - _same(rest[::-1], other[::-1])]


def _same(one: str, other: str) -> int:
    """How many characters two texts start with that are the same."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _quoted(text: str) -> str:
    """A basic string of TOML, which is one of JSON but for DEL."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text_item(value: str) -> Item:
    import tomlkit

    return tomlkit.string(value)


def _refusal(path: Path, alias: str, advice: str) -> WpmError:
    return WpmError(
        f"{path}: {_quoted(alias)} cannot be changed without changing something else, as the file is written: {advice}"
    )
