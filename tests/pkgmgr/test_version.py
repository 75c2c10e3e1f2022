"""Versions and requirements: cargo's own documented examples, and what must hold for all of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.version import Comparator, Requirement, Version

NUMBERS = st.integers(0, 4)
PRE = st.sampled_from(["", "", "", "0", "alpha", "alpha.1", "beta", "rc.1", "rc.10", "rc.2"])
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS, PRE, st.sampled_from(["", "", "wasix.1", "7"]))

# https://semver.org/spec/v2.0.0.html#spec-item-11
PRECEDENCE = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
]

# https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html: each requirement and the range it stands for.
DOCUMENTED = [
    ("1.2.3", ">=1.2.3, <2.0.0"),
    ("1.2", ">=1.2.0, <2.0.0"),
    ("1", ">=1.0.0, <2.0.0"),
    ("0.2.3", ">=0.2.3, <0.3.0"),
    ("0.2", ">=0.2.0, <0.3.0"),
    ("0.0.3", ">=0.0.3, <0.0.4"),
    ("0.0", ">=0.0.0, <0.1.0"),
    ("0", ">=0.0.0, <1.0.0"),
    ("^1.2.3", "1.2.3"),
    ("~1.2.3", ">=1.2.3, <1.3.0"),
    ("~1.2", ">=1.2.0, <1.3.0"),
    ("~1", ">=1.0.0, <2.0.0"),
    ("*", ">=0.0.0"),
    ("1.*", ">=1.0.0, <2.0.0"),
    ("1.2.*", ">=1.2.0, <1.3.0"),
    ("1.*.*", "1.*"),
    ("1.x", "1.*"),
    ("latest", "*"),
    (">1", ">=2.0.0"),
    (">1.2", ">=1.3.0"),
    ("<=1.2", "<1.3.0"),
    ("=1.2", ">=1.2.0, <1.3.0"),
    ("=1", ">=1.0.0, <2.0.0"),
    (">= 1.2, < 1.5", ">=1.2.0, <1.5.0"),
]


@settings(deadline=None)
@given(VERSIONS)
@pytest.mark.parametrize(("requirement", "same"), DOCUMENTED)
def test_a_documented_requirement_is_its_range(requirement: str, same: str, version: Version) -> None:
    plain = Version(version.major, version.minor, version.patch)
    assert Requirement.parse(requirement).matches(plain) is Requirement.parse(same).matches(plain)


@pytest.mark.parametrize(
    ("requirement", "version", "matches"),
    [
        ("1.2.3", "1.2.3", True),
        ("1.2.3", "1.2.2", False),
        ("0.0.3", "0.0.4", False),
        ("*", "1.0.0-rc.1", False),
        ("1", "1.1.0-rc.1", False),
        (">=1.0.0", "1.1.0-rc.1", False),
        (">=1.1.0-rc.1", "1.1.0-rc.2", True),
        (">=1.1.0-rc.2", "1.1.0-rc.1", False),
        (">=1.1.0-rc.1", "1.2.0-rc.1", False),
        ("^1.1.0-rc.1", "1.1.0", True),
        ("^1.1.0-rc.1", "1.1.0-rc.1", True),
        ("~1.1.0-rc.1", "1.1.0-rc.0", False),
        ("~1.1.0-rc.1", "1.1.0-rc.10", True),
        ("=1.1.0-rc.1", "1.1.0-rc.1", True),
        ("=1.1.0", "1.1.0-rc.1", False),
        ("<1.1.0", "1.1.0-rc.1", False),
        ("<1.1.0-rc.2", "1.1.0-rc.1", True),
        (">1.1.0-rc.1", "1.1.0-rc.1", False),
        ("<=1.1.0-rc.1", "1.1.0-rc.1", True),
        ("1.2.3", "1.2.3+wasix.2", True),
        ("1.2.3+wasix.2", "1.2.3+wasix.2", True),
        ("=1.2.3+wasix.2", "1.2.3", False),
    ],
)
def test_matching(requirement: str, version: str, matches: bool) -> None:
    assert Requirement.parse(requirement).matches(Version.parse(version)) is matches


def test_precedence() -> None:
    versions = [Version.parse(text) for text in PRECEDENCE]
    assert sorted({*versions}) == versions
    assert Version.parse("1.0.0+b.2") < Version.parse("1.0.0+b.10") < Version.parse("1.0.1")


@settings(deadline=None)
@given(VERSIONS, VERSIONS)
def test_versions_are_totally_ordered(left: Version, right: Version) -> None:
    assert (left < right) + (left > right) + (left == right) == 1
    assert Version.parse(str(left)) == left


@settings(deadline=None)
@given(VERSIONS, VERSIONS)
def test_equality_caret_and_complement(base: Version, version: Version) -> None:
    plain = Version(base.major, base.minor, base.patch, base.pre)
    compared = [Requirement((Comparator(op, *plain.core, plain.pre),)) for op in (">", "=", "<")]
    allowed = not version.pre or (plain.pre != "" and plain.core == version.core)
    assert sum(requirement.matches(version) for requirement in compared) == allowed
    assert Requirement.parse(f"^{plain}").matches(plain)
    assert Requirement.parse(f"~{plain}").matches(plain)
    if Requirement.parse(f"~{plain}").matches(version) and plain.major:
        assert Requirement.parse(f"^{plain}").matches(version)


@settings(deadline=None)
@given(st.text(alphabet="0123456789.*xX^~<>=, -+abc", max_size=24) | st.text(max_size=12))
def test_any_text_is_a_requirement_that_prints_itself_or_an_error(text: str) -> None:
    try:
        requirement = Requirement.parse(text)
    except WpmError as error:
        assert "\n" not in str(error)
        return
    assert Requirement.parse(str(requirement)) == requirement


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "1,",
        "1 2",
        "*, 1",
        "1.*.2",
        "^*",
        "1.2-rc",
        "01",
        "1.2.3-01",
        "1.2.3-",
        "1.2.3+",
        "1.2+b",
        ">=1.2.3+b",
        "v1",
        "9" * 21,
        f"{2**64}",
        ",".join(["1"] * 33),
        "1." * 200,
        "1.2.3-" + "a" * 300,
    ],
)
def test_what_is_no_requirement(text: str) -> None:
    with pytest.raises(WpmError, match="not a version"):
        Requirement.parse(text)


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.02.3", "1.2.3-rc..1", "1.2.3-é", " 1.2.3", "1.2.3\n"]
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(WpmError, match="not a version"):
        Version.parse(text)
