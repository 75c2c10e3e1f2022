"""Search among the packages: the text in names first, then in descriptions."""

from __future__ import annotations

import operator
import time
from typing import TYPE_CHECKING, Any, Final

from pkgmgr.server.connections import connection
from pkgmgr.server.types import Namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkgmgr.server.catalog import VersionEntry
    from pkgmgr.server.session import Session

_DAY: Final = 24 * 3600.0
_WINDOWS: Final = {"LAST_DAY": _DAY, "LAST_WEEK": 7 * _DAY, "LAST_MONTH": 30 * _DAY, "LAST_YEAR": 365 * _DAY}
_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "EQUAL": operator.eq,
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN_OR_EQUAL": operator.le,
}


def search(asked: Session, text: str, wanted: Mapping[str, Any] | None, page: dict[str, Any]) -> dict[str, Any]:
    """The newest version of each package that fits.

    Args:
        asked: The session.
        text: What names or descriptions must have in them, whatever the case of its letters; empty is every package.
        wanted: A `PackagesFilter`. Where it is given it says the order too, as in Wasmer's registry; else packages come
            first whose name is the text, then those with the text in their names.
        page: Which page of the answer.
    """
    found = []
    for entry in asked.catalog.newest():
        if wanted and not _fits(entry, wanted):
            continue
        if (rank := _rank(entry, text.strip().casefold())) is not None:
            found.append((rank, entry))
    if wanted is None:
        found.sort(key=lambda each: (each[0], each[1].package.name))
    else:
        _order(found, wanted)
        del found[max(0, wanted.get("count") or 0) :]
    return connection([entry for _, entry in found], page)


def search_names(asked: Session, text: str, kinds: list[str] | None, page: dict[str, Any]) -> dict[str, Any]:
    """Packages and namespaces whose names begin with a text."""
    start = text.strip().casefold()
    found: list[Any] = []
    names = asked.catalog.registry.names()
    if not kinds or "NAMESPACE" in kinds:
        spaces = sorted(asked.catalog.namespaces())
        found += [Namespace(name) for name in spaces if name.casefold().startswith(start)]
    if not kinds or "PACKAGE" in kinds:
        found += [name for name in names if start in (name.casefold()[: len(start)], _last(name)[: len(start)])]

    def node(each: Any) -> Any:
        if isinstance(each, Namespace):
            return each
        package = asked.catalog.package(each)
        return None if package is None else package.last

    return connection(found, page, node)


def _last(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _rank(entry: VersionEntry, text: str) -> int | None:
    name = entry.package.name.casefold()
    if text in (name, _last(name)):
        return 0
    if text in name:
        return 1
    return 2 if text in (entry.manifest.package.description or "").casefold() else None


def _fits(entry: VersionEntry, wanted: Mapping[str, Any]) -> bool:
    license_ = (entry.manifest.package.license or "").casefold()
    since = time.time() - _WINDOWS[wanted["publishDate"]] if wanted.get("publishDate") else 0.0
    after = max(since, wanted.get("createdAfter") or 0.0, wanted.get("lastPublishedAfter") or 0.0)
    before = min(wanted.get("createdBefore") or 1e12, wanted.get("lastPublishedBefore") or 1e12)
    runs = bool(entry.record.summary.commands)
    return (
        not wanted.get("curated")
        and not wanted.get("deployable")
        and not wanted.get("publishedBy")
        and not wanted.get("withInterfaces")
        and (not wanted.get("hasBindings") or bool(entry.manifest.bindings))
        and (runs or not (wanted.get("hasCommands") or wanted.get("isStandalone")))
        and wanted.get("owner") in (None, entry.package.namespace)
        and (wanted.get("license") or "").casefold() in license_
        and after <= entry.seconds <= before
        and _counted(wanted.get("size"), entry.size)
        and _counted(wanted.get("downloads"), 0)
        and _counted(wanted.get("likes"), 0)
    )


def _counted(wanted: Mapping[str, Any] | None, count: int) -> bool:
    if not wanted:
        return True
    return _COMPARISONS[wanted.get("comparison") or "GREATER_THAN_OR_EQUAL"](count, wanted.get("count") or 0)


def _order(found: list[tuple[int, VersionEntry]], wanted: Mapping[str, Any]) -> None:
    down = wanted.get("sortBy") != "ASC"
    match wanted.get("orderBy"):
        case "ALPHABETICALLY":
            found.sort(key=lambda each: each[1].package.name, reverse=down)
        case "SIZE":
            found.sort(key=lambda each: (each[1].size, each[1].package.name), reverse=down)
        case _:
            found.sort(key=lambda each: (each[1].seconds, each[1].package.name), reverse=down)
