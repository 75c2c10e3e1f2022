"""The order in which the packages of a graph speak: a package before those that it uses, no cycles."""

from __future__ import annotations

from binfactory.errors import FactoryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from binfactory.node import PackageNode


def reach(root: PackageNode) -> list[PackageNode]:
    """Every package of the graph once, dependents before their dependencies, earlier declared before later.

    The first package to say a thing (a command's name, an entrypoint, a file's path) is the one that is heard.

    Args:
        root: The package whose graph it is.

    Raises:
        FactoryError: packages depend on each other in a circle.
    """
    # Depth first without recursion: a chain of dependencies may be longer than Python's stack.
    finished: list[PackageNode] = []
    done: set[str] = set()
    path: list[tuple[PackageNode, Iterator[PackageNode]]] = [(root, _backwards(root))]
    on_path = {root.id}
    while path:
        node, remaining = path[-1]
        following = next(remaining, None)
        if following is None:
            path.pop()
            on_path.discard(node.id)
            done.add(node.id)
            finished.append(node)
        elif following.id in on_path:
            ids = [each.id for each, _ in path]
            circle = [*ids[ids.index(following.id) :], following.id]
            raise FactoryError(f"{root.id}: its dependencies form a cycle: {' -> '.join(circle)}; remove one of them")
        elif following.id not in done:
            path.append((following, _backwards(following)))
            on_path.add(following.id)
    finished.reverse()
    return finished


def _backwards(node: PackageNode) -> Iterator[PackageNode]:
    return reversed(list(node.dependencies.values()))
