"""Frozen records: what a frozen dataclass with slots is, without the milliseconds that importing `dataclasses` costs.

Opening a container is on the way of every program that runs a package, so the import time of this package counts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: object):
        """At run time, nothing; type checkers read the real one (PEP 681)."""
        return lambda decorated: decorated


@dataclass_transform(eq_default=True, frozen_default=True)
class RecordType(type):
    """Makes the annotated names of a class its slots, and the parameters of its constructor in that order."""

    names: tuple[str, ...]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, object]) -> RecordType:
        """Make the class."""
        annotations = namespace.get("__annotations__")
        names = tuple(annotations) if isinstance(annotations, dict) else ()
        namespace["__slots__"] = namespace["__match_args__"] = names
        made = super().__new__(cls, name, bases, namespace)
        made.names = names
        return made


class Record(metaclass=RecordType):
    """The base of records: immutable, compared by their fields."""

    def __init__(self, *values: object, **named: object) -> None:
        names = type(self).names
        if len(values) + len(named) != len(names):
            raise TypeError(f"{type(self).__name__} takes {', '.join(names)}")
        for name, value in zip(names, values, strict=False):
            object.__setattr__(self, name, value)
        for name, value in named.items():
            if name not in names[len(values) :]:
                raise TypeError(f"{type(self).__name__} takes {', '.join(names)}")
            object.__setattr__(self, name, value)

    def fields(self) -> tuple[object, ...]:
        """The values of the fields, in order."""
        return tuple([getattr(self, name) for name in type(self).names])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Record) and self.fields() == other.fields()

    def __hash__(self) -> int:
        return hash(self.fields())

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self.fields()

    def __repr__(self) -> str:
        pairs = zip(type(self).names, self.fields(), strict=True)
        return f"{type(self).__name__}({', '.join([f'{name}={value!r}' for name, value in pairs])})"
