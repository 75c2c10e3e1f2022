"""What can be asked: the fields of `Query`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkgmgr.server.catalog import VersionEntry
from pkgmgr.server.connections import connection, read_opaque
from pkgmgr.server.search import search, search_names
from pkgmgr.server.session import refuse
from pkgmgr.server.types import Image, Namespace, Release, may_publish, namespaces_of, session

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.server.catalog import PackageEntry
    from pkgmgr.server.session import Session

MOST_NAMES: Final = 1000
"""So many packages may be asked for at once."""


def _package(asked: Session, name: str) -> PackageEntry | None:
    return asked.catalog.package(name)


def _version_of(asked: Session, text: str) -> VersionEntry | None:
    """The version that `ns/name`, or `ns/name@version`, asks for."""
    name, _, version = text.partition("@")
    return asked.catalog.version(name, version)


def _release(asked: Session, text: str | None) -> Release | None:
    entry = asked.catalog.by_hash(text or "")
    return None if entry is None else Release(entry)


def _by_hash(asked: Session, name: str, text: str) -> VersionEntry | None:
    entry = asked.catalog.by_hash(text)
    return entry if isinstance(entry, VersionEntry) and entry.package.name == name else None


def _instance(asked: Session, name: str, version: str | None, hash_: str | None) -> Any:
    if hash_:
        return _by_hash(asked, name, hash_)
    return asked.catalog.version(name, version or "")


def _image(asked: Session, text: str) -> Image | None:
    entry = asked.catalog.by_hash(text)
    return None if entry is None or entry.webc == "v1" else Image(entry)


def _few(names: list[str]) -> list[str]:
    if len(names) > MOST_NAMES:
        refuse(f"{len(names)} names at once: ask for at most {MOST_NAMES}")
    return names


def _user(asked: Session, username: str) -> Any:
    return asked.accounts.named(username)


def _namespace(asked: Session, name: str) -> Namespace | None:
    known = asked.catalog.namespaces()
    if asked.account is not None:
        known.update(each.name for each in namespaces_of(asked.account, asked))
    return Namespace(name) if name in known else None


def _versions(asked: Session, wrap: Callable[[VersionEntry], Any], **arguments: Any) -> Any:
    """Every version of every package, by the time at which it was written."""
    order = arguments.pop("sortBy", None)
    after = max(arguments.pop("createdAfter", None) or 0.0, arguments.pop("updatedAfter", None) or 0.0)
    places = [place for place in asked.catalog.places() if place.seconds >= after]
    if order != "OLDEST":
        places.reverse()

    def node(place: Any) -> Any:
        entry = asked.catalog.version(place.name, str(place.version))
        return None if entry is None else wrap(entry)

    return connection(places, arguments, node)


def _node(asked: Session, text: str) -> Any:
    kind, value = read_opaque(text)
    match kind:
        case "Package":
            return asked.catalog.package(value)
        case "PackageVersion":
            return _version_of(asked, value)
        case "PackageWebc":
            return _release(asked, value)
        case "WebcImage":
            return _image(asked, value)
        case "User":
            return _user(asked, value)
        case "Namespace":
            return _namespace(asked, value)
    return None


def _command(asked: Session, name: str) -> Any:
    """The command with this name of the first package that has one, as the older clients ask for it."""
    for entry in asked.catalog.newest():
        if name in entry.record.summary.commands:
            return {"command": name, "packageVersion": entry}
    return None


def _upload_url(asked: Session, seconds: int | None) -> dict[str, str]:
    account = asked.writer()
    return {"url": asked.base_url + asked.uploads.begin(account.username, seconds)}


QUERY: Final[dict[str, Callable[..., Any]]] = {
    "viewer": lambda _, info: session(info).account,
    "viewerCan": lambda _, info, action, ownerName: may_publish(session(info), ownerName, action),
    "getUser": lambda _, info, username: _user(session(info), username),
    "getNamespace": lambda _, info, name: _namespace(session(info), name),
    "getPackage": lambda _, info, name: _package(session(info), name),
    "getPackages": lambda _, info, names: [_package(session(info), name) for name in _few(names)],
    "getPackageVersion": lambda _, info, name, version="latest": session(info).catalog.version(name, version or ""),
    "getPackageVersions": lambda _, info, names: [_version_of(session(info), name) for name in _few(names)],
    "getPackageVersionByHash": lambda _, info, name, hash: _by_hash(session(info), name, hash),
    "getPackageHash": lambda _, info, hash, name=None: _release(session(info), hash),
    "getPackageRelease": lambda _, info, hash=None: _release(session(info), hash),
    "getPackageInstanceByVersionOrHash": lambda _, info, name, version=None, hash=None: _instance(
        session(info), name, version, hash
    ),
    "getWebcImage": lambda _, info, hash: _image(session(info), hash),
    "packages": lambda _, info, **page: connection(
        session(info).catalog.registry.names(), page, session(info).catalog.package
    ),
    "recentPackageVersions": lambda _, info, curated=None, **page: _versions(
        session(info), lambda entry: entry, **page
    ),
    "allPackageVersions": lambda _, info, **page: _versions(session(info), lambda entry: entry, **page),
    "allPackageReleases": lambda _, info, **page: _versions(session(info), Release, **page),
    "search": lambda _, info, query, packages=None, **page: search(session(info), query, packages, page),
    "searchAutocomplete": lambda _, info, query, kind=None, **page: search_names(session(info), query, kind, page),
    "getCommand": lambda _, info, name: _command(session(info), name),
    "getCommands": lambda _, info, names: [_command(session(info), name) for name in _few(names)[:10]],
    "getSignedUrlForPackageUpload": lambda _, info, expiresAfterSeconds=None, **_names: _upload_url(
        session(info), expiresAfterSeconds
    ),
    "node": lambda _, info, id: _node(session(info), id),
    "nodes": lambda _, info, ids: [_node(session(info), each) for each in _few(ids)],
    "info": lambda _, info: {
        "baseUrl": session(info).base_url,
        "defaultFrontend": session(info).base_url,
        "graphqlUrl": session(info).base_url + "/graphql",
        "createBlogpostUrl": None,
    },
}
