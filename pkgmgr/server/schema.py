"""The schema with its resolvers, and one query answered."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationType,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.type import is_abstract_type, is_object_type, is_scalar_type

from pkgmgr.errors import WpmError
from pkgmgr.server import types
from pkgmgr.server.answers import Subject, is_steady, subjects_of
from pkgmgr.server.limits import MOST_TOKENS, check_limits
from pkgmgr.server.moments import read_moment
from pkgmgr.server.mutations import MUTATION
from pkgmgr.server.plans import GaveUp, Plan, make_plan
from pkgmgr.server.queries import QUERY
from pkgmgr.server.session import Denied

if TYPE_CHECKING:
    from graphql import DocumentNode

    from pkgmgr.server.session import Session

_LOG: Final = logging.getLogger("wpm.registry")
_FIELDS: Final = {
    "Query": QUERY,
    "Mutation": MUTATION,
    "User": types.USER,
    "Namespace": types.NAMESPACE,
    "Package": types.PACKAGE,
    "PackageVersion": types.VERSION,
    "PackageWebc": types.RELEASE,
    "WebcImage": types.IMAGE,
    "PackageDistribution": types.DISTRIBUTION,
}


class NotAQuery(Exception):
    """A request that is answered with an error as a whole: the errors as GraphQL writes them."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors


@cache
def registry_schema() -> GraphQLSchema:
    """The schema of `schema.graphql`, each field with what answers it."""
    schema = build_schema(files("pkgmgr.server").joinpath("schema.graphql").read_text("utf-8"))
    for name, kind in schema.type_map.items():
        if is_object_type(kind):
            for field, resolve in _FIELDS.get(name, {}).items():
                kind.fields[field].resolve = resolve
        elif is_abstract_type(kind):
            kind.resolve_type = lambda value, *_: types.kind_of(value)
        elif is_scalar_type(kind) and name == "DateTime":
            # By setattr: it is a method of the class, and this is a function of this one scalar.
            setattr(kind, "coerce_input_value", read_moment)  # noqa: B010
    return schema


def answer(
    session: Session, query: str, variables: dict[str, Any] | None, operation: str | None, *, may_change: bool
) -> dict[str, Any]:
    """Answer one query.

    Args:
        session: What the resolvers may use.
        query: The document.
        variables: Its variables.
        operation: Which of the document's operations; None where there is one.
        may_change: Whether a mutation is allowed: not by GET.

    Returns:
        `data`, and `errors` where something could not be answered.

    Raises:
        NotAQuery: The document is none, asks for what is not there, or for too much.
    """
    document, plan = _checked(query)
    chosen = get_operation_ast(document, operation)
    if chosen is None:
        raise NotAQuery([{"message": "the document has no such operation, or several: name one"}])
    if chosen.operation is not OperationType.QUERY and not may_change:
        raise NotAQuery([{"message": "by GET only queries are answered: send it by POST"}])
    if plan is not None:
        with suppress(GaveUp):
            return {"data": plan.run(session, variables or {})}
    result = execute_sync(
        registry_schema(), document, context_value=session, variable_values=variables, operation_name=operation
    )
    reply: dict[str, Any] = {"data": result.data}
    if result.errors:
        reply["errors"] = [_formatted(error, str(session.catalog.root)) for error in result.errors]
    return reply


def _checked(query: str) -> tuple[DocumentNode, Plan | None]:
    """The document, parsed and found valid, and its plan where it has one."""
    known = _KNOWN.get(query)
    if known is not None:
        return known
    try:
        document = parse(query, max_tokens=MOST_TOKENS)
        check_limits(document)
        plan = make_plan(registry_schema(), document)
        errors = [] if plan is not None else validate(registry_schema(), document, max_errors=10)
    except GraphQLError as error:
        raise NotAQuery([_formatted(error)]) from None
    except RecursionError:
        raise NotAQuery([{"message": "the query is nested too deeply"}]) from None
    if errors:
        raise NotAQuery([_formatted(error) for error in errors])
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[query] = document, plan
    return document, plan


def subjects(query: str, variables: dict[str, Any] | None, operation: str | None) -> tuple[Subject, ...] | None:
    """The packages and versions that a query's answer follows from; None where other things matter, too.

    Raises:
        NotAQuery: As `answer`.
    """
    document, plan = _checked(query)
    if plan is None or not is_steady(plan) or get_operation_ast(document, operation) is None:
        return None
    try:
        return subjects_of(plan, plan.arguments(variables or {}))
    except GaveUp:
        return None


_KNOWN: Final[dict[str, tuple[DocumentNode, Plan | None]]] = {}
_MOST_KNOWN: Final = 256


def _formatted(error: GraphQLError, root: str = "") -> dict[str, Any]:
    """An error as GraphQL writes it. What went wrong inside is for the log alone, and so is where the registry lies."""
    cause = error.original_error
    if cause is not None and not isinstance(cause, (Denied, WpmError, GraphQLError)):
        _LOG.error("a query failed: %r", cause, exc_info=cause)
        return {**error.formatted, "message": "the registry failed to answer this"}
    said: dict[str, Any] = dict(error.formatted)
    return {**said, "message": error.message.replace(f"{root}/", "")} if root else said
