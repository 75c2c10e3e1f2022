"""Whatever the text, a manifest is read or refused in one line."""

import random
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.manifest import parse_manifest
from pkgmgr.manifest.paths import guest_path, inside

WHOLE = (Path(__file__).parent / "whole.toml").read_text()
PATH = Path("/project/wasmer.toml")


def ends_well(text: str) -> None:
    try:
        manifest = parse_manifest(text, PATH)
    except WpmError as error:
        assert "\n" not in str(error) and str(error).startswith(str(PATH))
        assert len(str(error)) < 2000
    else:
        assert all("\n" not in warning for warning in manifest.warnings)
        for module in manifest.modules:
            assert not module.source.startswith("/") and ".." not in module.source.split("/")


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    ends_well(text)


@settings(max_examples=200)
@given(st.randoms(use_true_random=False))
def test_a_good_manifest_with_some_characters_changed(chance: random.Random) -> None:
    text = list(WHOLE)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(text))
        match chance.randrange(3):
            case 0:
                text[place] = chance.choice("\"'[]{}=.,\n#\\/:0aé\x00\u2028")
            case 1:
                del text[place : place + chance.randint(1, 30)]
            case _:
                text[place:place] = text[chance.randrange(len(text)) :][: chance.randint(1, 30)]
    ends_well("".join(text))


KEYS = [
    "name",
    "version",
    "module",
    "source",
    "abi",
    "kind",
    "runner",
    "main_args",
    "annotations",
    "from",
    "volume",
    "file",
]
VALUES = st.recursive(
    st.sampled_from(
        ["1", "true", "nan", "1979-05-27", '""', '"a"', '"a/b"', '"../x"', '"a/b:c"', '"\\u0000"', '"*"', '"wasi"']
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items.items()) + "}"
        ),
    ),
    max_leaves=6,
)
SECTIONS = st.sampled_from(
    [
        "[package]",
        "[dependencies]",
        "[fs]",
        "[[fs]]",
        "[[module]]",
        "[module.bindings]",
        "[[command]]",
        "[command.annotations.wasi]",
    ]
)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(SECTIONS, st.dictionaries(st.sampled_from([*KEYS, '"a/b"', '"/x"']), VALUES, max_size=4)), max_size=5
    )
)
def test_sections_with_the_wrong_things_in_them(sections: list[tuple[str, dict[str, str]]]) -> None:
    ends_well("\n".join(head + "\n" + "\n".join(f"{k} = {v}" for k, v in body.items()) for head, body in sections))


@example(".\\a:")
@given(st.text(alphabet="./\\a:\0", max_size=12))
def test_no_path_leaves_the_package(text: str) -> None:
    relative = inside(text)
    if relative is not None:
        assert not relative.startswith("/") and {"", ".", ".."}.isdisjoint(relative.split("/") if relative else [])
        assert inside(relative) == relative
    guest = guest_path(text)
    assert guest is None or (guest.startswith("/") and guest_path(guest) == guest)
