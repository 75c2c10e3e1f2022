"""Typed access to a decoded map: each value has the type that its key asks for, or the error names the key."""

from __future__ import annotations

from webc_parser.errors import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


class Fields:
    """A map of the manifest, at the dotted path `where`; `offset` is where in the file the manifest begins."""

    __slots__ = ("offset", "raw", "where")

    raw: Mapping[str, object]

    def __init__(self, raw: Mapping[Any, object], where: str, offset: int | None) -> None:
        self.where: str = where
        self.offset: int | None = offset
        for key in raw:
            if not isinstance(key, str):
                raise WebcError(f"{where} has the key {key!r}, which is not text", offset)
        self.raw = raw

    def wrong(self, key: str, wanted: str) -> WebcError:
        """The error for a key whose value is not what it should be."""
        held = type(self.raw.get(key)).__name__ if key in self.raw else "nothing"
        return WebcError(f"{self.where}.{key} should be {wanted} and is {held}", self.offset)

    def find(self, keys: tuple[str, ...]) -> object:
        """The value of the first of the keys (spellings of one name) that is there and not null."""
        for key in keys:
            value = self.raw.get(key)
            if value is not None:
                return value
        return None

    def optional_text(self, *keys: str) -> str | None:
        """A text, or `None` when there is none."""
        value = self.find(keys)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(next(key for key in keys if key in self.raw), "text")

    def text(self, *keys: str) -> str:
        """A text that must be there."""
        value = self.optional_text(*keys)
        if value is None:
            raise self.wrong(keys[0], "text")
        return value

    def flag(self, key: str) -> bool:
        """A boolean, false when it is not there."""
        value = self.find((key,))
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self.wrong(key, "a boolean")

    def texts(self, *keys: str) -> tuple[str, ...]:
        """A list of texts, empty when it is not there."""
        value = self.find(keys)
        if value is None:
            return ()
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self.wrong(next(key for key in keys if key in self.raw), "a list of texts")

    def fields(self, *keys: str) -> Fields | None:
        """A map, or `None` when there is none."""
        value = self.find(keys)
        if value is None:
            return None
        if isinstance(value, dict):
            return Fields(value, f"{self.where}.{keys[0]}", self.offset)
        raise self.wrong(next(key for key in keys if key in self.raw), "a map")

    def map(self, key: str) -> Mapping[str, object]:
        """A map as it is, empty when it is not there."""
        found = self.fields(key)
        return found.raw if found else {}

    def map_of_fields(self, key: str) -> Iterator[tuple[str, Fields]]:
        """The entries of a map of maps; none when it is not there."""
        outer = self.fields(key)
        if outer:
            for name, value in outer.raw.items():
                if not isinstance(value, dict):
                    raise outer.wrong(name, "a map")
                yield name, Fields(value, f"{outer.where}.{name}", self.offset)

    def list_of_fields(self, key: str) -> list[Fields] | None:
        """A list of maps, or `None` when there is none."""
        value = self.find((key,))
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise self.wrong(key, "a list of maps")
        items = []
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise self.wrong(key, "a list of maps")
            items.append(Fields(item, f"{self.where}.{key}[{index}]", self.offset))
        return items
