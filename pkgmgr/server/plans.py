"""Queries of the kind that resolvers of packages send by the thousand, carried out straight.

A query that selects fields of objects, with texts as its variables, is made into a plan once: nested lists of what to call
for which field. Carrying that out gives what the general executor gives, many times faster, as nothing about types has to
be looked up. What a plan cannot do (directives, interfaces, mutations, variables of other types) has none; and where
something goes wrong in one (a null that must not be, an exception), it gives up, and the general executor says what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graphql.language import (
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    VariableNode,
)
from graphql.type import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import DocumentNode, GraphQLSchema
    from graphql.language import ArgumentNode, SelectionSetNode
    from graphql.type import GraphQLField, GraphQLOutputType

    from pkgmgr.server.session import Session

_TEXTS: Final = frozenset(("String", "ID", "JSONString", "DateTime"))
_MOST_STEPS: Final = 5_000


class GaveUp(Exception):
    """A plan cannot give the answer: the general executor can."""


class _Unplanned(Exception):
    """A query is not of the kind that there are plans for."""


class _Info(NamedTuple):
    """What resolvers are given; they look at nothing but the session."""

    context: Session


class _Step(NamedTuple):
    """One field: the key of its value, what gives it, and with which arguments: given texts, and those in variables."""

    key: str
    resolve: Callable[..., Any]
    given: dict[str, str]
    variables: tuple[tuple[str, str], ...]
    complete: Callable[[Any, _Run], Any]


class _Run(NamedTuple):
    """One carrying out."""

    info: _Info
    variables: Mapping[str, str]


class Plan:
    """How to carry out one query.

    Attributes:
        fields: The names of all the fields in it.
        roots: The names of those at the top.
    """

    def __init__(self, steps: list[_Step], fields: frozenset[str], roots: frozenset[str], declared: set[str]) -> None:
        self._steps = steps
        self._declared = declared
        self.fields = fields
        self.roots = roots

    def run(self, session: Session, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of the answer.

        Raises:
            GaveUp: The general executor has to do it.
        """
        try:
            return _values(self._steps, None, _Run(_Info(session), self._texts(variables)))
        except Exception as error:
            raise GaveUp from error

    def arguments(self, variables: Mapping[str, Any]) -> list[dict[str, str]]:
        """What the fields at the top are given; raises `GaveUp` as `run`."""
        texts = self._texts(variables)
        return [step.given | {name: texts[variable] for name, variable in step.variables} for step in self._steps]

    def _texts(self, variables: Mapping[str, Any]) -> Mapping[str, str]:
        if not all(type(variables.get(name)) is str for name in self._declared):
            raise GaveUp
        return variables


def make_plan(schema: GraphQLSchema, document: DocumentNode) -> Plan | None:
    """The plan for a query; None where there can be none, or the query may not be valid.

    What has a plan is valid, by the rules of the specification (GraphQL, October 2021, section 5), as far as such queries can
    break them: it need not be validated, which takes longer than carrying it out.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        return None
    operation = operations[0]
    declared = {each.variable.name.value for each in operation.variable_definitions or ()}
    if (
        operation.directives
        or schema.query_type is None
        # Nothing but it, and fragments of different names; variables likewise.
        or len(document.definitions) != len(fragments) + 1
        or len(declared) != len(operation.variable_definitions or ())
    ):
        return None
    for variable in operation.variable_definitions or ():
        kind = variable.type.type if isinstance(variable.type, NonNullTypeNode) else None
        if not isinstance(kind, NamedTypeNode) or kind.name.value != "String":
            return None
        if variable.default_value is not None or variable.directives:
            return None
    planner = _Planner(fragments, declared)
    try:
        steps = planner.steps(operation.selection_set, schema.query_type)
    except _Unplanned:
        return None
    if planner.spread != fragments.keys() or planner.used != declared:
        return None
    return Plan(steps, frozenset(planner.fields), planner.roots, declared)


class _Planner:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], declared: set[str]) -> None:
        self._fragments = fragments
        self._declared = declared
        self.used: set[str] = set()
        self.spread: set[str] = set()
        self._count = 0
        self._made: dict[tuple[str, str], list[_Step]] = {}
        self.fields: set[str] = set()
        self.roots: frozenset[str] = frozenset()

    def steps(self, selections: SelectionSetNode, kind: GraphQLObjectType) -> list[_Step]:
        """What is selected of an object."""
        found: list[_Step] = []
        top = self._count == 0
        for node in selections.selections:
            if node.directives:
                raise _Unplanned
            if isinstance(node, FragmentSpreadNode):
                found += self._spread(node.name.value, kind)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is not None and node.type_condition.name.value != kind.name:
                    raise _Unplanned
                found += self.steps(node.selection_set, kind)
            elif isinstance(node, FieldNode):
                found.append(self._field(node, kind))
        if len({step.key for step in found}) < len(found):
            # Two selections of one field would have to be put together.
            raise _Unplanned
        if top:
            self.roots = frozenset(
                node.name.value if isinstance(node, FieldNode) else "..." for node in selections.selections
            )
        return found

    def _spread(self, name: str, kind: GraphQLObjectType) -> list[_Step]:
        known = self._made.get((name, kind.name))
        if known is None:
            fragment = self._fragments.get(name)
            # One that was begun already goes round in a circle.
            if fragment is None or name in self.spread or fragment.directives:
                raise _Unplanned
            if fragment.type_condition.name.value != kind.name or fragment.variable_definitions:
                raise _Unplanned
            self.spread.add(name)
            known = self._made[name, kind.name] = self.steps(fragment.selection_set, kind)
        return known

    def _field(self, node: FieldNode, kind: GraphQLObjectType) -> _Step:
        self._count += 1
        name = node.name.value
        self.fields.add(name)
        field = kind.fields.get(name)
        if self._count > _MOST_STEPS or field is None:
            raise _Unplanned
        given, variables = self._arguments(field, node.arguments or ())
        selected = node.selection_set
        complete = self._completion(field.type, selected)
        return _Step(
            node.alias.value if node.alias else name, field.resolve or _getter(name), given, variables, complete
        )

    def _arguments(
        self, field: GraphQLField, nodes: tuple[ArgumentNode, ...]
    ) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
        """The arguments of a field: what is given, and which are in variables."""
        given: dict[str, str] = {}
        variables: dict[str, str] = {}
        for node in nodes:
            name = node.name.value
            if name not in field.args or name in given or name in variables:
                raise _Unplanned
            kind = field.args[name].type
            kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
            match node.value:
                case StringValueNode(value=text) if kind is GraphQLString:
                    given[name] = text
                case EnumValueNode(value=text) if isinstance(kind, GraphQLEnumType) and text in kind.values:
                    given[name] = text
                case VariableNode(name=variable) if kind is GraphQLString and variable.value in self._declared:
                    variables[name] = variable.value
                    self.used.add(variable.value)
                case _:
                    raise _Unplanned
        for name, argument in field.args.items():
            must_be_given = argument.default is not None or isinstance(argument.type, GraphQLNonNull)
            if must_be_given and name not in given and name not in variables:
                raise _Unplanned
        return given, tuple(variables.items())

    def _completion(self, kind: GraphQLOutputType, selected: SelectionSetNode | None) -> Callable[[Any, _Run], Any]:
        """What makes of a resolver's value that of the answer."""
        if isinstance(kind, GraphQLNonNull):
            return _required(self._completion(kind.of_type, selected))
        if isinstance(kind, GraphQLList):
            return _listed(self._completion(kind.of_type, selected))
        if isinstance(kind, GraphQLObjectType) and selected is not None:
            return _object(self.steps(selected, kind))
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType) and selected is None:
            return _leaf(kind)
        raise _Unplanned


def _values(steps: list[_Step], source: Any, run: _Run) -> dict[str, Any]:
    found = {}
    info, texts = run
    for key, resolve, given, variables, complete in steps:
        if variables:
            given = given | {argument: texts[variable] for argument, variable in variables}
        found[key] = complete(resolve(source, info, **given), run)
    return found


def _getter(name: str) -> Callable[..., Any]:
    def get(source: Any, _: Any) -> Any:
        return source.get(name) if isinstance(source, dict) else getattr(source, name)

    return get


def _required(complete: Callable[[Any, _Run], Any]) -> Callable[[Any, _Run], Any]:
    def completed(value: Any, run: _Run) -> Any:
        if (found := complete(value, run)) is None:
            raise GaveUp
        return found

    return completed


def _listed(complete: Callable[[Any, _Run], Any]) -> Callable[[Any, _Run], Any]:
    def completed(values: Any, run: _Run) -> Any:
        return None if values is None else [complete(value, run) for value in values]

    return completed


def _object(steps: list[_Step]) -> Callable[[Any, _Run], Any]:
    def completed(value: Any, run: _Run) -> Any:
        return None if value is None else _values(steps, value, run)

    return completed


def _leaf(kind: GraphQLScalarType | GraphQLEnumType) -> Callable[[Any, _Run], Any]:
    plain: type = str if kind.name in _TEXTS else bool if kind.name == "Boolean" else type(None)

    def completed(value: Any, _: _Run) -> Any:
        return value if value is None or type(value) is plain else kind.coerce_output_value(value)

    return completed
