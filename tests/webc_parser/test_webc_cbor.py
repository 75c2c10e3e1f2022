"""The CBOR codec: what the RFC's appendix says, what a container may not make it do."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webc_parser import WebcError
from webc_parser.cbor import MAX_DEPTH, MAX_VALUES, decode, decode_prefix, encode

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8) | st.integers(0, 300), inner, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("encoded", "value"),
    [  # RFC 8949, appendix A
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1bffffffffffffffff", 18446744073709551615),
        ("3bffffffffffffffff", -18446744073709551616),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("f97bff", 65504.0),
        ("fa47c35000", 100000.0),
        ("fb3ff199999999999a", 1.1),
        ("f97c00", math.inf),
        ("f4", False),
        ("f6", None),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("62c3bc", "\u00fc"),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ],
)
def test_values_of_the_standard(encoded: str, value: object) -> None:
    assert decode(bytes.fromhex(encoded)) == value
    assert encode(value) == bytes.fromhex(encoded)


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("c11a514b67b0", 1363896240),
        ("f7", None),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("1b0000000000000001", 1),
    ],
)
def test_other_spellings_are_read(encoded: str, value: object) -> None:
    assert decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    ("encoded", "offset", "what"),
    [
        ("", 100, "ends in the middle of a value"),
        ("19ff", 100, "ends in the middle of a number"),
        ("5bffffffffffffffff00", 100, "string of 18446744073709551615 bytes where 1 are left"),
        ("8161", 101, "string of 1 bytes"),
        ("9b7fffffffffffffff00", 100, "array of"),
        ("bb7fffffffffffffff00", 100, "map of"),
        ("a201020103", 103, "comes twice"),
        ("a1800100", 101, "map key"),
        ("1c", 100, "reserved"),
        ("ff", 100, "break"),
        ("1f", 100, "indefinite"),
        ("f8ff", 100, "simple value"),
        ("f818", 100, "simple value"),
        ("62ffff", 100, "UTF-8"),
        ("5f6161ff", 101, "chunk"),
        ("0000", 101, "1 bytes follow"),
    ],
)
def test_faults_name_their_offset(encoded: str, offset: int, what: str) -> None:
    with pytest.raises(WebcError, match=what) as caught:
        decode(bytes.fromhex(encoded), 100)
    assert caught.value.offset == offset
    assert str(caught.value).endswith(f"(at byte {offset})")


@pytest.mark.parametrize("opener", [b"\x81", b"\x9f", b"\xa1\x00", b"\xbf\x00", b"\xc1"])
def test_nesting_has_a_limit(opener: bytes) -> None:
    with pytest.raises(WebcError, match="nested deeper"):
        decode(opener * 100_000)


def test_the_number_of_values_has_a_limit() -> None:
    with pytest.raises(WebcError, match="more than"):
        decode(b"\x9f" + b"\x80" * (MAX_VALUES + 1) + b"\xff")


def test_what_cannot_be_encoded() -> None:
    deep: object = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    for value in (1 << 64, -(1 << 64) - 1, object(), deep, "\udc00", {1, 2}):
        with pytest.raises(WebcError, match="cannot encode"):
            encode(value)


def test_the_order_of_a_map_does_not_matter() -> None:
    assert (
        encode({"b": 1, "a": 2, "aa": 0})
        == encode({"aa": 0, "a": 2, "b": 1})
        == bytes.fromhex("a361610261620162616100")
    )


@given(values)
@example(float("nan"))
def test_round_trip(value: object) -> None:
    encoded = encode(value)
    decoded = decode(encoded)
    assert decoded == value or value != value
    assert encode(decoded) == encoded


@given(st.binary(max_size=64))
def test_any_bytes(data: bytes) -> None:
    try:
        value, used = decode_prefix(data)
    except WebcError as error:
        assert error.offset is not None and 0 <= error.offset <= len(data)
    else:
        assert 0 < used <= len(data)
        assert decode(encode(value)) == value or value != value or "nan" in repr(value)
