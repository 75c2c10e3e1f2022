"""What stands in for `typing` and `enum` at run time does what those do."""

from __future__ import annotations

import copy
import enum
import pickle
import typing

import pytest

from runtime import typed
from runtime.abi import enumeration
from runtime.abi.errno import Errno
from runtime.signals import Signal


class Ours(typed.NamedTuple):
    first: int
    second: str
    third: object = None
    fourth: int = 3

    def both(self) -> str:
        return f"{self.first}{self.second}"


class Real(typing.NamedTuple):
    first: int
    second: str
    third: object = None
    fourth: int = 3

    def both(self) -> str:
        return f"{self.first}{self.second}"


class Below(Ours):
    pass


CALLS: list[tuple[tuple[typing.Any, ...], dict[str, typing.Any]]] = [
    ((1, "x"), {}),
    ((1, "x", 2, 4), {}),
    ((1,), {"second": "y", "fourth": 9}),
    ((), {"second": "y", "first": 9}),
    ((), {}),
    ((1,), {}),
    ((1, 2, 3, 4, 5), {}),
    ((1, 2), {"first": 2}),
    ((1, 2), {"fifth": 2}),
    ((1,), {"third": 2}),
]


def made(cls: type[typing.Any], values: tuple[object, ...], named: dict[str, object]) -> object:
    try:
        return cls(*values, **named)
    except TypeError:
        return TypeError


@pytest.mark.parametrize(("values", "named"), CALLS)
def test_a_named_tuple_takes_what_the_real_one_takes(values: tuple[object, ...], named: dict[str, object]) -> None:
    assert made(Ours, values, named) == made(Real, values, named)


def test_a_named_tuple_is_one() -> None:
    assert type(Ours(1, "x")) is Ours
    ours, real = Ours(1, "x"), Real(1, "x")
    assert repr(ours) == repr(real).replace("Real", "Ours")
    assert ours._asdict() == real._asdict() and ours._fields == real._fields == Ours.__match_args__
    assert tuple(ours._replace(second="z")) == tuple(real._replace(second="z")) and Ours._make([1, "x", 2, 3]) == Ours(
        1, "x", 2
    )
    assert hash(ours) == hash(real) and ours.both() == "1x"
    assert pickle.loads(pickle.dumps(ours)) == ours == copy.copy(ours) and not hasattr(ours, "__dict__")
    with pytest.raises(AttributeError):
        ours.first = 2  # type: ignore[misc]
    with pytest.raises(ValueError, match="fifth"):
        ours._replace(fifth=1)  # type: ignore[call-arg]
    match ours:
        case Ours(first, second):
            assert (first, second) == (1, "x")
    assert Below(1, "x").second == "x"


def test_a_default_is_behind_what_has_none() -> None:
    with pytest.raises(TypeError, match="without a default"):

        class Wrong(typed.NamedTuple):
            first: int = 1
            second: int  # type: ignore[misc]


def test_enumerations_are_those_of_the_standard_library() -> None:
    class Ours(enumeration.IntEnum):
        """Documented."""

        ONE = 1
        TWO = 2
        ALSO_TWO = 2

        def doubled(self) -> int:
            return self * 2

    class Real(enum.IntEnum):
        """Documented."""

        ONE = 1
        TWO = 2
        ALSO_TWO = 2

        def doubled(self) -> int:
            return self * 2

    for cls in (Ours, Real):
        assert cls(2) is cls.TWO is cls.ALSO_TWO is cls["TWO"] and cls.TWO.name == "TWO" and cls.TWO.value == 2
        assert [each.name for each in cls] == ["ONE", "TWO"] and list(cls.__members__) == ["ONE", "TWO", "ALSO_TWO"]
        assert len(cls) == 2 and repr(cls.TWO) == f"<{cls.__name__}.TWO: 2>" and f"{cls.TWO} {cls.TWO:03}" == "2 002"
        assert cls.TWO.doubled() == 4 and str(cls.ONE) == "1" and cls.TWO in cls
        with pytest.raises(ValueError, match="3 is not a valid"):
            cls(3)
    assert pickle.loads(pickle.dumps(Errno.NOSYS)) is Errno.NOSYS and Signal(3) is Signal.QUIT
