"""The table of a package's layer: found in the store, or put there."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from binfactory.pinned import map_pinned
from pkgmgr.rootfs.packed_table import PackedTable, packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from binfactory.package import PackagePart
    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.store.tables import LayerTables

_FORMAT: Final = 1
"""Of tables, and of what packages' layers are: to be counted up when either changes, or the headers of tars do."""


def table_key(part: PackagePart) -> str | None:
    """A sha256, in hex, of all that a package's layer depends on; None where nobody vouches for some of it."""
    node = part.node
    others = [(alias, other.id, other.sha256) for alias, other in node.dependencies.items()]
    if node.sha256 is None or node.path is None or node.container is not None or None in [each[2] for each in others]:
        return None
    said = [_FORMAT, sys.byteorder, node.sha256, node.mounts, node.commands, others]
    return sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()


def kept_table(tables: LayerTables, key: str, part: PackagePart) -> PackedTable | None:
    """The table of a package's layer that the store has; None where it has none that can be used."""
    data = tables.get(key)
    if data is None:
        return None
    nodes = {node.sha256: node for node in (part.node, *part.node.dependencies.values())}
    try:
        table = PackedTable(data)
        containers = {}
        for origin in table.origins:
            path = nodes[origin].path
            if path is None:
                return None
            containers[origin] = map_pinned(path, origin)
        table.attach(containers)
    except (OSError, ValueError, KeyError):
        # What is wrong with a package is told where it is parsed.
        return None
    return table


def new_table(
    tables: LayerTables, key: str, part: PackagePart, entries: Sequence[Entry], offsets: Mapping[str, int]
) -> PackedTable | None:
    """Make the table of a package's layer, and keep it; None where it cannot have one.

    Args:
        tables: Those of the store.
        key: Its key.
        part: The package.
        entries: All of the layer.
        offsets: Of files by path, where in their container their bytes begin.
    """
    owners = [*[mount.origin for mount in part.mounts], *[command.origin for command in part.commands.values()]]
    mapped = {package.node.sha256: package.container.mapped for package in dict.fromkeys(owners)}
    containers = {digest: each for digest, each in mapped.items() if digest is not None and each is not None}
    if len(containers) < len(mapped):
        return None
    data = packed(entries, containers, offsets)
    if data is None:
        return None
    tables.keep(key, data)
    table = PackedTable(data)
    table.attach({digest: memoryview(each) for digest, each in containers.items()})
    return table
