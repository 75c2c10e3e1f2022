"""What of `typing` there is at run time where a small run comes by.

`typing` takes 3 ms to import, and its `NamedTuple` writes a constructor for each class and compiles it: 0.1 ms for each of the
forty classes that a run has, ours a fifth of that. Type checkers see the real ones. What stands in annotations alone is
imported below `TYPE_CHECKING`, a constant of each module.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
    from typing import Protocol as Protocol
    from typing import cast as cast
else:
    from _collections import _tuplegetter

    class Protocol:
        """The base of what is declared for type checkers."""

        __slots__ = ()

    def cast(_type, value):
        """Give the value."""
        return value

    class _NamedTupleType(type):
        """Makes the annotated names of a class the names of its items, and what they are assigned their defaults."""

        def __new__(cls, name, bases, namespace):
            """Make the class."""
            if bases[0] is not tuple and bases[0]._fields:
                return super().__new__(cls, name, bases, namespace)  # a class below one with items adds none
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: an item without a default follows one with a default")
            namespace.update((field, _tuplegetter(index, None)) for index, field in enumerate(fields))
            namespace.update(__slots__=(), __match_args__=fields, _fields=fields, _field_defaults=defaults)
            return super().__new__(cls, name, bases, namespace)

    class NamedTuple(tuple, metaclass=_NamedTupleType):
        """A tuple whose items have names, declared as in `typing.NamedTuple`."""

        def __new__(cls, /, *values, **named):
            """Make one, of the items in order or by name."""
            if named or len(values) != len(cls._fields):
                values = _filled(cls, values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _make(cls, items):
            return cls(*items)

        def _replace(self, /, **named):
            items = {**self._asdict(), **named}
            if len(items) != len(self._fields):
                raise ValueError(f"{type(self).__name__} has no items {sorted(named.keys() - set(self._fields))}")
            return type(self)(*items.values())

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            pairs = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join([f'{name}={value!r}' for name, value in pairs])})"

    def _filled(cls, values, named):
        """All items of a new tuple: those given in order, then by name, then the defaults."""
        try:
            items = [*values]
            for field in cls._fields[len(values) :]:
                items.append(named.pop(field) if field in named else cls._field_defaults[field])  # noqa: PERF401
            if not named and len(items) == len(cls._fields):
                return items
        except KeyError:
            pass
        raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}; given {len(values)} in order and {[*named]}")
