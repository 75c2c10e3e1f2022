"""Changing dependencies: nothing else in the file changes, whatever it looks like."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.manifest.edit import remove_dependency, set_dependency, write_manifest
from pkgmgr.manifest.reader import read_text

PLACE = Path("wasmer.toml")


def add(text: str, alias: str = "wpm/x", value: str = "^1.0.0") -> str:
    return set_dependency(text, PLACE, alias, value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[dependencies]\n"wpm/x" = "^1.0.0"\n'),
        ("# only a comment", '# only a comment\n\n[dependencies]\n"wpm/x" = "^1.0.0"\n'),
        (
            '[package]\nname = "a/b"\n',
            '[package]\nname = "a/b"\n\n[dependencies]\n"wpm/x" = "^1.0.0"\n',
        ),
        ('[dependencies]\n"a/b" = "1"', '[dependencies]\n"a/b" = "1"\n"wpm/x" = "^1.0.0"\n'),
        (
            '[dependencies]\n"a/b" = "1" # why\n\n# The next one.\n[fs]\n"/x" = "y"\n',
            '[dependencies]\n"a/b" = "1" # why\n"wpm/x" = "^1.0.0"\n\n# The next one.\n[fs]\n"/x" = "y"\n',
        ),
        (
            '[dependencies]\n"a/b" = "1"\n# "a/c" = "2"\n\n[fs]\n',
            '[dependencies]\n"a/b" = "1"\n# "a/c" = "2"\n"wpm/x" = "^1.0.0"\n\n[fs]\n',
        ),
        (
            '[dependencies]\n"a/b" = "1"\n# next\n[fs]\n',
            '[dependencies]\n"a/b" = "1"\n"wpm/x" = "^1.0.0"\n# next\n[fs]\n',
        ),
        ("[dependencies]\n# none yet\n\n[fs]\n", '[dependencies]\n# none yet\n"wpm/x" = "^1.0.0"\n\n[fs]\n'),
        ("[dependencies]\r\n\r\n[fs]\r\n", '[dependencies]\r\n"wpm/x" = "^1.0.0"\r\n\r\n[fs]\r\n'),
        ('dependencies."a/b" = "1"\n[fs]\n', 'dependencies."a/b" = "1"\ndependencies."wpm/x" = "^1.0.0"\n[fs]\n'),
    ],
)
def test_a_dependency_is_added_where_one_expects_it(before: str, after: str) -> None:
    assert add(before) == after


def test_an_inline_table_grows_in_its_line() -> None:
    changed = add('dependencies = { "a/b" = "1" }  # all\n\n[fs]\n"/x" = "y"\n')
    first, *rest = changed.split("\n")
    assert tomli.loads(first) == {"dependencies": {"a/b": "1", "wpm/x": "^1.0.0"}} and first.endswith("# all")
    assert rest == ["", "[fs]", '"/x" = "y"', ""]


def test_another_value_keeps_the_comment_and_the_place() -> None:
    before = '[dependencies]\n  "wpm/x"   =  \'^0.9\'   # keep\n"a/b" = "1"\n'
    assert add(before) == '[dependencies]\n  "wpm/x"   =  "^1.0.0"   # keep\n"a/b" = "1"\n'
    assert add(add(before)) == add(before)


def test_a_dependency_is_removed_with_its_line() -> None:
    before = '# top\n[dependencies]\n# about b\n"a/b" = "1" # why\n"a/c" = "2"\n\n# fs\n[fs]\n'
    after = '# top\n[dependencies]\n# about b\n"a/c" = "2"\n\n# fs\n[fs]\n'
    assert remove_dependency(before, PLACE, "a/b") == after


def test_what_tomlkit_cannot_keep_is_refused() -> None:
    # An entry in an odd form is either changed rightly or refused; here it is a table of its own.
    odd = '[dependencies."a/b"]\nversion = "1"\n'
    try:
        changed = add(odd)
    except WpmError as error:
        assert "by hand" in str(error)
    else:
        assert tomli.loads(changed)["dependencies"] == {"a/b": {"version": "1"}, "wpm/x": "^1.0.0"}


names = st.from_regex(r"[a-z][a-z0-9_.-]{0,6}/[a-z][a-z0-9.-]{0,6}", fullmatch=True)
requirements = st.sampled_from(["^1", "*", "=1.2.3", ">=1, <2", "./a#b", "https://x.example/p.webc?a=b#c"])
comments = st.sampled_from(["", "", "  # why", "#", " # \"x\" = '1'", " # ünïcode \t"])
blank = st.sampled_from(["", "", "\n", "# a comment\n", "\n# one\n\n# two\n", "  \n", "\t# indented\n"])
others = st.sampled_from(
    [
        '[fs]\n"/a" = "b" # c\n',
        '[[command]]\nname = "x"\nmodule = "m"\n',
        '[[module]]\nname = "m"\nsource = "m.wasm"\n\n[[module]]\nname = "n"\nsource="n.wasm"\n',
        '[package]\nname="me/it" # us\nversion = \'1.0.0\'\ndescription = """\nmany\n# lines\n"""\n',
        '[command.annotations.wasi]\nmain-args = [ "a", # first\n  "b",\n]\n',
        'package.name = "a/b"\n',
    ]
)


@st.composite
def manifests(draw: st.DrawFn) -> str:
    """Texts of manifests: sections in any order, with any comments and gaps, some with dependencies in some form."""
    wanted = draw(st.dictionaries(names, requirements, max_size=4))
    form = draw(st.sampled_from(["table", "inline", "none"]))
    quote = draw(st.sampled_from(['"', "'"]))
    lines = [f"{quote}{name}{quote} = {quote}{text}{quote}" for name, text in wanted.items()]
    dependencies = ""
    if form == "table":
        dependencies = "[dependencies]" + draw(comments) + "\n"
        for line in lines:
            dependencies += draw(blank) + draw(st.sampled_from(["", "  "])) + line + draw(comments) + "\n"
    sections = draw(st.lists(others, max_size=3, unique=True))
    roots = [each for each in sections if not each.startswith("[")]
    tables = [each for each in sections if each.startswith("[")]
    if form == "table":
        tables.insert(draw(st.integers(0, len(tables))), dependencies)
    if form == "inline":
        roots.append("dependencies = { " + ", ".join(lines) + " }" + draw(comments) + "\n")
    text = "".join(draw(blank) + each for each in [*roots, *tables]) + draw(blank)
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    if draw(st.integers(0, 3)) == 0:
        text = text.replace("\n", "\r\n")
    return text


def is_toml(text: str) -> bool:
    try:
        tomli.loads(text)
    except ValueError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(manifests().filter(is_toml), names, requirements, requirements)
def test_adding_changing_and_removing_leave_the_rest_alone(text: str, name: str, value: str, other: str) -> None:
    before = tomli.loads(text)
    added = set_dependency(text, PLACE, name, value)
    expected = {**before, "dependencies": {**before.get("dependencies", {}), name: value}}
    assert tomli.loads(added) == expected
    assert list(tomli.loads(added)["dependencies"]) == list(expected["dependencies"])
    assert added.count("#") - value.count("#") >= text.count("#") - before.get("dependencies", {}).get(name, "").count(
        "#"
    )
    assert ("\r\n" in text) == ("\r\n" in added) or "\n" not in text
    if "\r\n" in text:
        assert added.count("\n") == added.count("\r\n")
    changed = set_dependency(added, PLACE, name, other)
    assert tomli.loads(changed)["dependencies"][name] == other
    assert set_dependency(changed, PLACE, name, value) == added
    removed = remove_dependency(added, PLACE, name)
    left = {key: each for key, each in before.get("dependencies", {}).items() if key != name}
    assert tomli.loads(removed).get("dependencies", {}) == left
    if name not in before.get("dependencies", {}) and "dependencies =" not in text:
        ended = text if not text or text.endswith("\n") else text + ("\r\n" if "\r\n" in text else "\n")
        if "dependencies" in before:
            assert removed == ended
        else:
            assert removed.startswith(ended) and removed[len(ended) :].strip() in ("", "[dependencies]")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="[]{}\"'=#.,\n\r abdependencies/1\\", max_size=80), names)
def test_nonsense_is_refused_or_changed_rightly(text: str, name: str) -> None:
    try:
        changed = set_dependency(text, PLACE, name, "1")
    except WpmError as error:
        assert "\n" not in str(error)
        return
    assert tomli.loads(changed)["dependencies"][name] == "1"


def test_mode_mark_and_link_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_bytes("\ufeff[dependencies]\r\n".encode())
    real.chmod(0o640)
    link = tmp_path / "wasmer.toml"
    link.symlink_to(real)
    write_manifest(link, set_dependency(read_text(link), link, "a/b", "1"))
    assert real.read_bytes() == '\ufeff[dependencies]\r\n"a/b" = "1"\r\n'.encode()
    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["real.toml", "wasmer.toml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    path = tmp_path / "wasmer.toml"
    path.write_text("")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WpmError, match="cannot be written"):
            write_manifest(path, "[dependencies]\n")
    finally:
        tmp_path.chmod(0o700)
