"""Layers as one tree: against a model that knows nothing of speed, and hard links, whiteouts and conflicts one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.entry import Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.flattening import Conflict, flatten
from pkgmgr.rootfs.path_tree import PathTree

if TYPE_CHECKING:
    from collections.abc import Iterator


class Given:
    """A layer of these entries, as they come."""

    def __init__(self, title: str, *entries: Entry) -> None:
        self.title = title
        self._entries = entries

    def entries(self) -> Iterator[Entry]:
        return iter(self._entries)


def a_file(path: str, content: bytes = b"x") -> Entry:
    return Entry(path, Kind.FILE, size=len(content), content=memoryview(content))


def a_directory(path: str, mode: int = 0o755) -> Entry:
    return Entry(path, Kind.DIRECTORY, mode)


def a_link(path: str, target: str) -> Entry:
    return Entry(path, Kind.HARD_LINK, target=target)


def shown(*layers: Given) -> list[tuple[str, str, str]]:
    """Path, kind and what is in it, of every name."""
    return [
        (entry.path, entry.kind.value, entry.target or b"".join(entry.pieces()).decode())
        for entry in flatten(layers).entries
    ]


SHORT = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join)
THINGS = st.one_of(
    SHORT.map(a_directory),
    st.builds(a_file, SHORT, st.sampled_from([b"1", b"2"])),
    SHORT.map(lambda path: Entry(path, Kind.SYMLINK, target="t")),
    SHORT.map(lambda path: Entry(path, Kind.WHITEOUT)),
    SHORT.map(lambda path: Entry(path, Kind.OPAQUE)),
)


@st.composite
def a_layer(draw: st.DrawFn) -> list[Entry]:
    """A layer as it should be: ordered, each path once, nothing below what is no directory."""
    found: dict[str, Entry] = {}
    for entry in draw(st.lists(THINGS, max_size=5)):
        above = [found.get(way) for way in ways_to(entry.path)]
        if entry.path in found or any(each and each.kind not in (Kind.DIRECTORY, Kind.OPAQUE) for each in above):
            continue
        if entry.kind not in (Kind.DIRECTORY, Kind.OPAQUE) and any(path.startswith(entry.path + "/") for path in found):
            continue
        found[entry.path] = entry
        for way in ways_to(entry.path):
            found.setdefault(way, a_directory(way))
    return [found[path] for path in sorted(found, key=path_order)]


def overlaid(layers: list[list[Entry]]) -> dict[str, Entry]:
    """What an overlay of the layers shows, worked out name by name."""
    tree: dict[str, Entry] = {}
    for layer in layers:
        for entry in layer:
            keeps = entry.kind is Kind.DIRECTORY and entry.path in tree and tree[entry.path].kind is Kind.DIRECTORY
            if not keeps:
                tree = {path: each for path, each in tree.items() if not f"{path}/".startswith(f"{entry.path}/")}
            if entry.kind is Kind.OPAQUE:
                tree[entry.path] = entry._replace(kind=Kind.DIRECTORY)
            elif entry.kind is not Kind.WHITEOUT:
                tree[entry.path] = entry
    return tree


@settings(max_examples=300)
@given(st.lists(a_layer(), max_size=4))
def test_layers_lie_over_one_another(layers: list[list[Entry]]) -> None:
    found = flatten([Given(str(number), *layer) for number, layer in enumerate(layers)])
    expected = overlaid(layers)
    assert found.entries == [expected[path] for path in sorted(expected, key=path_order)]
    paths = {entry.path for entry in found.entries}
    assert all(way in paths for path in paths for way in ways_to(path))


def test_an_upper_file_hides_and_is_told() -> None:
    found = flatten(
        [Given("low", a_file("a", b"1"), a_file("b", b"2")), Given("up", a_file("a", b"other"), a_file("b", b"2"))]
    )
    assert found.conflicts == [Conflict("a", "low", "up")]


@pytest.mark.parametrize("upper", [a_file("a"), Entry("a", Kind.SYMLINK, target="b")])
def test_a_directory_that_is_hidden_loses_what_is_in_it(upper: Entry) -> None:
    found = flatten([Given("low", a_directory("a"), a_directory("a/b"), a_file("a/b/c")), Given("up", upper)])
    assert found.entries == [upper]
    assert found.conflicts == [Conflict("a", "low", "up")]
    again = flatten([Given("low", upper), Given("up", a_directory("a"), a_file("a/x"))])
    assert [entry.path for entry in again.entries] == ["a", "a/x"]
    assert again.conflicts == [Conflict("a", "low", "up")]


def test_directories_unite_and_the_upper_one_says_their_mode() -> None:
    found = flatten(
        [Given("low", a_directory("a", 0o700), a_file("a/x")), Given("up", a_directory("a", 0o711), a_file("a/y"))]
    )
    assert [(entry.path, entry.mode) for entry in found.entries] == [("a", 0o711), ("a/x", 0o644), ("a/y", 0o644)]
    assert not found.conflicts


def test_hard_links_stay_of_one_file_when_the_first_of_its_names_is_replaced() -> None:
    low = Given("low", a_file("a", b"old"), a_link("b", "a"), a_link("c", "a"))
    assert shown(low, Given("up", a_file("a", b"new"))) == [
        ("a", "file", "new"),
        ("b", "file", "old"),
        ("c", "hard link", "b"),
    ]
    assert shown(low, Given("up", Entry("a", Kind.WHITEOUT))) == [("b", "file", "old"), ("c", "hard link", "b")]


def test_a_hard_link_of_an_upper_layer_may_be_to_a_file_of_a_lower_one() -> None:
    low = Given("low", a_file("m", b"1"))
    assert shown(low, Given("up", a_link("z", "m"))) == [("m", "file", "1"), ("z", "hard link", "m")]
    assert shown(low, Given("up", a_link("b", "m"))) == [("b", "file", "1"), ("m", "hard link", "b")]


def test_a_command_of_many_names_is_a_conflict_only_where_it_differs() -> None:
    low = Given("low", a_file("a", b"1"), a_link("b", "a"))
    assert not flatten([low, Given("up", a_file("a", b"1"), a_link("b", "a"))]).conflicts
    assert [each.path for each in flatten([low, Given("up", a_file("a", b"2"), a_link("b", "a"))]).conflicts] == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("target", ["nothing", "d"])
def test_a_hard_link_to_no_file_is_refused(target: str) -> None:
    with pytest.raises(WpmError, match="hard link's target"):
        flatten([Given("odd", a_directory("d"), a_link("l", target))])


def test_directories_that_a_layer_forgets_are_made() -> None:
    assert shown(Given("odd", a_file("a/b/c"), a_file("a/d"))) == [
        ("a", "directory", ""),
        ("a/b", "directory", ""),
        ("a/b/c", "file", "x"),
        ("a/d", "file", "x"),
    ]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["put", "remove", "below"]), SHORT), max_size=30))
def test_the_tree_takes_out_what_is_below(steps: list[tuple[str, str]]) -> None:
    tree: PathTree[int] = PathTree()
    model: dict[str, int] = {}
    for number, (step, path) in enumerate(steps):
        if step == "put":
            tree.put(path, number)
            model[path] = number
        else:
            if step == "remove":
                tree.remove(path)
                model.pop(path, None)
            else:
                tree.remove_below(path)
            # What has no directory above it is nobody's: the tree is told of every directory.
            model = {each: value for each, value in model.items() if not each.startswith(path + "/")}
            for each in [each for each in tree.ordered() if each.startswith(path + "/")]:
                tree.remove(each)
    assert tree.ordered() == model
    assert len(tree) == len(model)
