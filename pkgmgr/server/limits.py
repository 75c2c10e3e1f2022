"""How much one query may ask for. Everybody may ask: what a query costs must not grow faster than its length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphql import GraphQLError
from graphql.language import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, IntValueNode
from graphql.language import OperationDefinitionNode as Operation

if TYPE_CHECKING:
    from graphql import DocumentNode
    from graphql.language import SelectionSetNode

LARGEST_BODY: Final = 1 << 20
"""No request with a query has more bytes."""

MOST_TOKENS: Final = 20_000
MOST_DEPTH: Final = 15
MOST_FIELDS: Final = 5_000
"""So many fields a query may have when its fragments are put in their places."""

MOST_COST: Final = 200_000
"""So many fields an answer may have by estimation: a page counts as long as it was asked for."""

MOST_ROOTS: Final = 500
"""So many packages, searches and so on may be asked for at once."""

_PAGE: Final = 100
_LISTS: Final = frozenset(("edges",))
_LOOKS_THROUGH: Final = 20_000
"""What a field counts that looks through every package."""

_THROUGH_ALL: Final = frozenset(
    (
        *("search", "searchAutocomplete", "packages", "packageVersions", "allPackageVersions", "allPackageReleases"),
        *("recentPackageVersions", "getCommand", "getCommands", "namespaces"),
    )
)
_VERSION_LISTS: Final = frozenset(("versions", "commands"))
_VERSIONS: Final = 20
_VERSIONS_AGAIN: Final = 500
"""Versions of the packages of versions: nobody needs them, and each level has the square of the one above it."""


def check_limits(document: DocumentNode) -> None:
    """See that a document asks for no more than the limits.

    Raises:
        GraphQLError: It does.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    for definition in document.definitions:
        if isinstance(definition, Operation):
            _Weigher(fragments).weigh(definition.selection_set, 0, 1)


class _Weigher:
    """Walks through one operation; fragments are walked through wherever they are used."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._fields = 0
        self._roots = 0
        self._cost = 0
        self._within = 0
        self._open: set[str] = set()

    def weigh(self, selections: SelectionSetNode | None, depth: int, factor: int, page: int = _PAGE) -> None:
        for node in selections.selections if selections is not None else ():
            if isinstance(node, FragmentSpreadNode):
                self._spread(node.name.value, depth, factor, page)
            elif isinstance(node, InlineFragmentNode):
                self.weigh(node.selection_set, depth, factor, page)
            elif isinstance(node, FieldNode):
                self._field(node, depth, factor, page)

    def _spread(self, name: str, depth: int, factor: int, page: int) -> None:
        fragment = self._fragments.get(name)
        # What is not there, or goes round, the validation will tell.
        if fragment is None or name in self._open:
            return
        self._count()
        self._open.add(name)
        self.weigh(fragment.selection_set, depth, factor, page)
        self._open.discard(name)

    def _field(self, node: FieldNode, depth: int, factor: int, page: int) -> None:
        self._count()
        self._cost += factor * (_LOOKS_THROUGH if node.name.value in _THROUGH_ALL else 1)
        if self._cost > MOST_COST:
            raise GraphQLError("the query asks for too much: ask for shorter pages, or for less of each", node)
        if depth >= MOST_DEPTH:
            raise GraphQLError(f"the query is nested too deeply: at most {MOST_DEPTH} levels are answered", node)
        if depth == 0:
            self._roots += 1
            if self._roots > MOST_ROOTS:
                raise GraphQLError(f"the query asks for too many things at once: at most {MOST_ROOTS}", node)
        if node.selection_set is None:
            return
        asked = _asked_page(node)
        name = node.name.value
        if name in _LISTS:
            factor *= page
        elif name in _VERSION_LISTS:
            factor *= _VERSIONS_AGAIN if self._within else _VERSIONS
            self._within += 1
            self.weigh(node.selection_set, depth + 1, factor, asked)
            self._within -= 1
            return
        elif name.startswith("__") and depth > 0:
            raise GraphQLError("the schema is asked for at the top", node)
        self.weigh(node.selection_set, depth + 1, factor, asked)

    def _count(self) -> None:
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise GraphQLError(f"the query has more than {MOST_FIELDS} fields")


def _asked_page(node: FieldNode) -> int:
    """How long a page was asked for; a number in a variable counts as the longest."""
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last") and isinstance(argument.value, IntValueNode):
            return max(1, min(int(argument.value.value[:10]), _PAGE)) if argument.value.value.isdigit() else _PAGE
    return _PAGE
