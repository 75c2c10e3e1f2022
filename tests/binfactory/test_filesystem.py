"""United trees, against a model of dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from binfactory.copying import copy_directory
from binfactory.filesystem import unite
from runtime.fs.node import Directory, File
from runtime.fs.readonly import ReadOnlyFileSystem
from runtime.fs.static_tree import LazyDirectory, StaticDirectory, StaticFile
from runtime.fs.tmpfs import TmpFileSystem

if TYPE_CHECKING:
    from runtime.fs.readonly import TreeDirectory, TreeFile

Tree = dict[str, Any]

NAMES = st.sampled_from("abc")
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(NAMES, st.binary(max_size=3), max_size=3),
    lambda below: st.dictionaries(NAMES, st.one_of(st.binary(max_size=3), below), max_size=3),
    max_leaves=12,
)


def tree_of(model: Tree) -> TreeDirectory:
    entries: dict[str, TreeFile | TreeDirectory] = {
        name: StaticFile(value) if isinstance(value, bytes) else lazily(value) for name, value in model.items()
    }
    return StaticDirectory(entries)


def lazily(model: Tree) -> TreeDirectory:
    return LazyDirectory(lambda: tree_of(model))


def united(models: list[Tree]) -> Tree:
    """The rule in dictionaries: the first that has a name decides, directories merge with the directories behind."""
    result: Tree = {}
    for name in {name: None for model in models for name in model}:
        values = [model[name] for model in models if name in model]
        if isinstance(values[0], bytes):
            result[name] = values[0]
        else:
            result[name] = united([value for value in values if isinstance(value, dict)])
    return result


def contents(directory: Directory) -> Tree:
    result: Tree = {}
    for entry in directory.entries():
        node = directory.lookup(entry.name)
        if isinstance(node, Directory):
            result[entry.name] = contents(node)
        elif isinstance(node, File):
            buffer = bytearray(node.stat().size)
            handle = node.open(read=True, write=False)
            handle.readv([memoryview(buffer)], 0)
            handle.close()
            result[entry.name] = bytes(buffer)
    return result


@given(st.lists(TREES, min_size=1, max_size=4))
@settings(max_examples=100)
def test_the_first_decides_and_directories_merge(models: list[Tree]) -> None:
    layer = ReadOnlyFileSystem(unite([tree_of(model) for model in models]))
    assert contents(layer.root) == united(models)


@given(st.lists(TREES, min_size=1, max_size=4))
@settings(max_examples=50)
def test_copies_fill_up_what_is_missing(models: list[Tree]) -> None:
    target = TmpFileSystem()
    for model in models:
        copy_directory(ReadOnlyFileSystem(tree_of(model)).root, target.root)
    assert contents(target.root) == united(models)
