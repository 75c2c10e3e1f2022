"""Versions are members of an enumeration as the standard library makes them."""

import copy
import enum
import pickle

import pytest

from webc_parser import enumeration
from webc_parser.version import Version


class Ours(enumeration.Enum):
    """Documented."""

    A = b"1"
    B = b"2"

    def lower(self) -> str:
        return self.name.lower()


class Real(enum.Enum):
    """Documented."""

    A = b"1"
    B = b"2"

    def lower(self) -> str:
        return self.name.lower()


@pytest.mark.parametrize("cls", [Ours, Real])
def test_members(cls: type[Ours]) -> None:
    assert [(each.name, each.value, each.lower()) for each in cls] == [("A", b"1", "a"), ("B", b"2", "b")]
    assert cls(b"2") is cls["B"] is cls.B is cls(cls.B) and len(cls) == 2 and list(cls.__members__) == ["A", "B"]
    assert len(set(cls)) == 2 and {cls.A: 1}[cls.A] == 1 and isinstance(cls.A, cls)
    assert str(cls.A) == f"{cls.__name__}.A" and repr(cls.A) == f"<{cls.__name__}.A: b'1'>"
    assert pickle.loads(pickle.dumps(cls.A)) is copy.copy(cls.A) is copy.deepcopy(cls.A) is cls.A
    with pytest.raises(ValueError, match="b'3' is not a valid"):
        cls(b"3")
    with pytest.raises(KeyError):
        cls["C"]


def test_versions() -> None:
    assert [str(version) for version in Version] == ["v1", "v2", "v3"] and Version["V3"] is Version(b"003")
