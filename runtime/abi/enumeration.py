"""`IntEnum` and `IntFlag` as those of `enum`, made at once.

The specification names some three hundred numbers, and `enum` takes 10 us to make a member of each: 4 ms of a small run, and
1 ms to be imported. Here members are integers with a name. Type checkers see the real ones.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import IntEnum as IntEnum
    from enum import IntFlag as IntFlag
else:

    class _EnumerationType(type):
        """Makes the integers in the body of a class its members."""

        def __new__(cls, name, bases, namespace):
            """Make the class; of two names for one number the first is the member's."""
            made = super().__new__(cls, name, bases, {**namespace, "__slots__": ()})
            made.__members__, made._members, made._names = {}, {}, {}
            for word, value in namespace.items():
                if type(value) is int and not word.startswith("_"):
                    member = made._members.setdefault(value, int.__new__(made, value))
                    made._names.setdefault(value, word)
                    made.__members__[word] = member
                    setattr(made, word, member)
            return made

        def __call__(cls, value):
            """The member with this number; raises `ValueError` where there is none."""
            try:
                return cls._members[value]
            except (KeyError, TypeError):
                raise ValueError(f"{value!r} is not a valid {cls.__name__}") from None

        def __getitem__(cls, name):
            """The member of this name."""
            return cls.__members__[name]

        def __contains__(cls, value):
            """Whether there is a member with this number."""
            return value in cls._members

        def __iter__(cls):
            """The members, in order."""
            return iter(cls._members.values())

        def __len__(cls):
            return len(cls._members)

    class IntEnum(int, metaclass=_EnumerationType):
        """Integers, each with a name."""

        @property
        def name(self):
            """What the specification calls it."""
            return type(self)._names[self]

        @property
        def value(self):
            """The number alone."""
            return int(self)

        def __reduce__(self):
            return type(self), (int(self),)

        def __repr__(self):
            return f"<{type(self).__name__}.{self.name}: {int(self)}>"

        # Text is that of the number, as that of the real one is.
        __str__ = int.__repr__
        __format__ = int.__format__

    class IntFlag(IntEnum):
        """Bits, each with a name; what they are put together to are plain integers."""
