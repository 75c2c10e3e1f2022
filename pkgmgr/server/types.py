"""The fields of packages, versions and files, as Wasmer's registry names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.server.accounts import Account
from pkgmgr.server.catalog import HASH, Packaged, VersionEntry
from pkgmgr.server.connections import connection, opaque
from pkgmgr.server.moments import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.server.catalog import PackageEntry
    from pkgmgr.server.session import Info, Session
    from webc_parser.manifest import VolumePath

    Fields = dict[str, Callable[..., Any]]

LARGEST_INT: Final = 2**31 - 1
"""What GraphQL's `Int` can say."""

_FORMATS: Final = {"V2": "v2", "V3": "v3"}
_LARGEST_TEXT: Final = 1 << 20


class Namespace(NamedTuple):
    """Where packages have their names."""

    name: str


class Distribution(NamedTuple):
    """A version as one version of the container format; `entry` has it where `offered` says so."""

    entry: VersionEntry
    offered: bool


class Image(NamedTuple):
    """A file as a container."""

    entry: Packaged


class Release(NamedTuple):
    """A file as something that was pushed: it goes by its hash, whether or not it has a name."""

    entry: Packaged


def session(info: Info) -> Session:
    """The session of the request."""
    found: Session = info.context
    return found


def package_id(package: PackageEntry) -> str:
    """The id of a package."""
    return opaque("Package", package.name)


def version_id(entry: VersionEntry) -> str:
    """The id of a version."""
    return opaque("PackageVersion", f"{entry.package.name}@{entry.version}")


def release_id(entry: Packaged) -> str:
    """The id of a file as a release."""
    return opaque("PackageWebc", entry.sha256)


def _int(value: int) -> int | None:
    return value if value <= LARGEST_INT else None


def _distribution(entry: VersionEntry, info: Info, version: str | None = None) -> Distribution:
    del info
    has = entry.webc
    return Distribution(entry, has in _FORMATS.values() if version is None else has == _FORMATS[version])


def _image(entry: Packaged, version: str) -> Image | None:
    return Image(entry) if entry.webc == _FORMATS[version] else None


def _metadata(entry: VersionEntry, place: VolumePath | None) -> str | None:
    """A text in a volume of the package: its readme, its license."""
    from webc_parser import Container, VolumeFile, WebcError

    if place is None:
        return None
    try:
        with Container.open(entry.path) as container:
            found = container.volumes[place.volume].get(place.path)
            if not isinstance(found, VolumeFile) or len(found.content) > _LARGEST_TEXT:
                return None
            return bytes(found.content).decode("utf-8", "replace")
    except (WebcError, OSError, KeyError):
        return None


def _when_yanked(entry: VersionEntry) -> str | None:
    from pkgmgr.registry.directory import YANKED

    try:
        return moment(entry.path.with_suffix(YANKED).stat().st_mtime)
    except OSError:
        return None


def _tag(entry: Packaged) -> str:
    return str(entry.version) if isinstance(entry, VersionEntry) else HASH + entry.sha256


_OWNED: Final[Fields] = {
    "viewerCan": lambda owner, info, action: may_publish(session(info), owner_name(owner), action),
}

USER: Final[Fields] = {
    **_OWNED,
    "id": lambda user, info: opaque("User", user.username),
    "username": lambda user, info: user.username,
    "fullName": lambda user, info: user.username,
    "globalName": lambda user, info: user.username,
    "globalId": lambda user, info: opaque("User", user.username),
    "isViewer": lambda user, info: user == session(info).account,
    "namespaces": lambda user, info, role=None, **page: connection(namespaces_of(user, session(info)), page),
    "packages": lambda user, info, collaborating=False, **page: connection(
        [each for each in session(info).catalog.packages() if user.may_publish(each.namespace)], page
    ),
}

NAMESPACE: Final[Fields] = {
    **_OWNED,
    "id": lambda namespace, info: opaque("Namespace", namespace.name),
    "displayName": lambda namespace, info: namespace.name,
    "description": lambda namespace, info: "",
    "globalName": lambda namespace, info: namespace.name,
    "globalId": lambda namespace, info: opaque("Namespace", namespace.name),
    "viewerHasRole": lambda namespace, info, role: may_publish(session(info), namespace.name),
    "packages": lambda namespace, info, **page: connection(_packages_in(namespace, info), page),
    "packageVersions": lambda namespace, info, **page: connection(
        [version for package in _packages_in(namespace, info) for version in package.versions], page
    ),
}

PACKAGE: Final[Fields] = {
    **_OWNED,
    "id": lambda package, info: package_id(package),
    "packageName": lambda package, info: package.package_name,
    "displayName": lambda package, info: package.name,
    "alias": lambda package, info: None,
    "private": lambda package, info: False,
    "curated": lambda package, info: False,
    "isArchived": lambda package, info: all(version in package.yanked for version in package.found),
    "createdAt": lambda package, info: moment(min((each.seconds for each in package.versions), default=0.0)),
    "updatedAt": lambda package, info: moment(max((each.seconds for each in package.versions), default=0.0)),
    "icon": lambda package, info: "",
    "totalDownloads": lambda package, info: 0,
    "downloadsCount": lambda package, info: 0,
    "likersCount": lambda package, info: 0,
    "watchersCount": lambda package, info: 0,
    "globalName": lambda package, info: package.name,
    "globalId": lambda package, info: package_id(package),
    "viewerHasRole": lambda package, info, role: may_publish(session(info), package.namespace),
    "owner": lambda package, info: Namespace(package.namespace),
    "lastVersion": lambda package, info: package.last,
}

VERSION: Final[Fields] = {
    "id": lambda entry, info: version_id(entry),
    "version": lambda entry, info: str(entry.version),
    "tag": lambda entry, info: str(entry.version),
    "createdAt": lambda entry, info: moment(entry.seconds),
    "updatedAt": lambda entry, info: moment(entry.seconds),
    "deletedAt": lambda entry, info: None,
    "yankedAt": lambda entry, info: _when_yanked(entry) if entry.yanked else None,
    "yankReason": lambda entry, info: entry.package.registry.reason(entry.package.name, entry.version) or None,
    "description": lambda entry, info: entry.manifest.package.description or "",
    "manifest": lambda entry, info: entry.record.manifest,
    "license": lambda entry, info: entry.manifest.package.license,
    "licenseFile": lambda entry, info: _metadata(entry, entry.manifest.package.license_file),
    "readme": lambda entry, info: _metadata(entry, entry.manifest.package.readme),
    "repository": lambda entry, info: entry.manifest.package.repository,
    "homepage": lambda entry, info: entry.manifest.package.homepage,
    "isArchived": lambda entry, info: entry.yanked,
    "isLastVersion": lambda entry, info: entry.package.last is not None and entry.package.last.version == entry.version,
    "isSigned": lambda entry, info: False,
    "isCorrupt": lambda entry, info: False,
    "clientName": lambda entry, info: None,
    "file": lambda entry, info: session(info).url(entry),
    "fileSize": lambda entry, info: entry.size,
    "totalDownloads": lambda entry, info: 0,
    "hasBindings": lambda entry, info: bool(entry.manifest.bindings),
    "hasCommands": lambda entry, info: bool(entry.record.summary.commands),
    "commands": lambda entry, info: [
        {"command": command, "packageVersion": entry} for command in entry.record.summary.commands
    ],
    "webc": lambda entry, info: _image(entry, "V2"),
    "webcV3": lambda entry, info: _image(entry, "V3"),
    "piritaManifest": lambda entry, info: entry.record.manifest,
    "piritaFile": lambda entry, info: session(info).url(entry),
    "piritaFileSize": lambda entry, info: _int(entry.size),
    "pirita256hash": lambda entry, info: entry.sha256,
    "distribution": _distribution,
}

RELEASE: Final[Fields] = {
    "id": lambda release, info: release_id(release.entry),
    "createdAt": lambda release, info: moment(release.entry.seconds),
    "updatedAt": lambda release, info: moment(release.entry.seconds),
    "package": lambda release, info: release.entry.package if isinstance(release.entry, VersionEntry) else None,
    "webc": lambda release, info: _image(release.entry, "V2"),
    "webcV3": lambda release, info: _image(release.entry, "V3"),
    "piritaManifest": lambda release, info: release.entry.record.manifest,
    "isArchived": lambda release, info: isinstance(release.entry, VersionEntry) and release.entry.yanked,
    "clientName": lambda release, info: None,
    "tag": lambda release, info: _tag(release.entry),
    "webcUrl": lambda release, info: session(info).url(release.entry),
}

IMAGE: Final[Fields] = {
    "id": lambda image, info: opaque("WebcImage", image.entry.sha256),
    "version": lambda image, info: image.entry.webc.upper(),
    "fileSize": lambda image, info: image.entry.size,
    "manifest": lambda image, info: image.entry.record.manifest,
    "webcSha256": lambda image, info: image.entry.sha256,
    "targzSha256": lambda image, info: None,
    "createdAt": lambda image, info: moment(image.entry.seconds),
    "updatedAt": lambda image, info: moment(image.entry.seconds),
    "webcUrl": lambda image, info: session(info).url(image.entry),
}


def _offered(value: Callable[[VersionEntry, Info], Any]) -> Callable[..., Any]:
    """A field that is there only where the version's file is of the container format that is asked for."""
    return lambda has, info: value(has.entry, info) if has.offered else None


_URL: Final = _offered(lambda entry, info: session(info).url(entry))
_SIZE: Final = _offered(lambda entry, info: _int(entry.size))
_SHA256: Final = _offered(lambda entry, info: entry.sha256)

DISTRIBUTION: Final[Fields] = {
    "downloadUrl": lambda has, info: session(info).url(has.entry),
    "size": lambda has, info: _int(has.entry.size),
    "expiresInSeconds": lambda has, info: None,
    "piritaExpiresInSeconds": lambda has, info: None,
    "webcExpiresInSeconds": lambda has, info: None,
    "piritaDownloadUrl": _URL,
    "webcDownloadUrl": _URL,
    "piritaSize": _SIZE,
    "webcSize": _SIZE,
    "piritaSha256Hash": _SHA256,
    "webcSha256Hash": _SHA256,
    "webcVersion": _offered(lambda entry, info: entry.webc.upper()),
    "webcManifest": _offered(lambda entry, info: entry.record.manifest),
}


def owner_name(owner: Account | Namespace | PackageEntry) -> str:
    """The namespace that somebody, or a package, stands for."""
    match owner:
        case Account():
            return owner.username
        case Namespace():
            return owner.name
    return owner.namespace


def namespaces_of(account: Account, asked: Session) -> list[Namespace]:
    """Where a user may publish: what they were given, else every namespace that there is."""
    if account.namespaces is not None:
        return [Namespace(name) for name in sorted(account.namespaces)]
    return [Namespace(name) for name in sorted(asked.catalog.namespaces() | {account.username})]


def _packages_in(namespace: Namespace, info: Info) -> list[PackageEntry]:
    return [package for package in session(info).catalog.packages() if package.namespace == namespace.name]


def may_publish(asked: Session, namespace: str, action: str = "PUBLISH_PACKAGE") -> bool:
    """Whether who asks may do this in a namespace: publish, and nothing else, as there are no apps here."""
    may = asked.account is not None and not asked.read_only and action == "PUBLISH_PACKAGE"
    return may and asked.account is not None and asked.account.may_publish(namespace)


def kind_of(value: object) -> str:
    """The name of the GraphQL type of what a field of an interface or a union gave."""
    match value:
        case VersionEntry():
            return "PackageVersion"
        case Release():
            return "PackageWebc"
        case Account():
            return "User"
        case Namespace():
            return "Namespace"
        case Image():
            return "WebcImage"
    return "Package"
