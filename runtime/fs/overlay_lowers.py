"""The lower side of a directory in an overlay: the directories of the lower layers, merged."""

from __future__ import annotations

from runtime.fs.node import Directory, DirEntry, Node
from runtime.fs.whiteout import find, is_opaque, is_reserved, whited_out
from runtime.typed import NamedTuple


class Layer(NamedTuple):
    """An inode of a lower layer; layers are numbered from 1 in the order in which they were added."""

    number: int
    node: Node


class LowerDirectories:
    """Directories of lower layers, the one that wins first; they do not change.

    Whiteouts in a layer hide what the layers below it have.

    Args:
        found: the inodes that a name has in the layers; what is not a directory is left out.
    """

    __slots__ = ("_index", "layers")

    def __init__(self, found: list[Layer]) -> None:
        self.layers: list[tuple[int, Directory]] = [
            (number, node) for number, node in found if isinstance(node, Directory)
        ]
        self._index: dict[str, list[tuple[int, Directory, DirEntry]]] | None = None

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def first(self) -> tuple[int, Directory]:
        """The number and the directory of the layer that wins."""
        return self.layers[0]

    def find(self, name: str) -> list[Layer]:
        """What is shown of a name: directories that merge, or one inode that is something else; empty for nothing."""
        if len(self.layers) <= 1:
            candidates = [(number, find(directory, name)) for number, directory in self.layers]
        else:
            having = self._indexed().get(name, ())
            candidates = [(number, find(directory, name)) for number, directory, _ in having]
        return merged([Layer(number, node) for number, node in candidates if node is not None])

    def entries(self) -> list[tuple[int, DirEntry]]:
        """Every name that is shown, as the layer has it that wins."""
        if len(self.layers) <= 1:
            return [
                (number, entry)
                for number, directory in self.layers
                for entry in directory.entries()
                if not is_reserved(entry.name)
            ]
        return [(having[0][0], having[0][2]) for having in self._indexed().values()]

    def _indexed(self) -> dict[str, list[tuple[int, Directory, DirEntry]]]:
        """Which layers show which names: made once, so that a hundred layers cost what one does."""
        if self._index is None:
            index: dict[str, list[tuple[int, Directory, DirEntry]]] = {}
            hidden: set[str] = set()
            for number, directory in self.layers:
                hiding: set[str] = set()
                for entry in directory.entries():
                    if is_reserved(entry.name):
                        hiding.add(whited_out(entry.name))
                    elif entry.name not in hidden:
                        index.setdefault(entry.name, []).append((number, directory, entry))
                hidden |= hiding
            self._index = index
        return self._index


def merged(found: list[Layer]) -> list[Layer]:
    """What shows of inodes that lie under one another: down to the first that lets nothing through."""
    shown: list[Layer] = []
    for layer in found:
        if shown:
            above = shown[-1].node
            if not isinstance(above, Directory) or not isinstance(layer.node, Directory) or is_opaque(above):
                break
        shown.append(layer)
    return shown
