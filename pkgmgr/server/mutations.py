"""What can be changed: the fields of `Mutation`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pkgmgr.errors import WpmError
from pkgmgr.registry.storing import place_release, place_version, yank
from pkgmgr.server.connections import read_opaque
from pkgmgr.server.session import refuse
from pkgmgr.server.types import Release, session
from pkgmgr.source import check_name, split_name
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pkgmgr.server.catalog import VersionEntry
    from pkgmgr.server.session import Info, Session

_EMBEDDED: Final = "wpm"


def _generate_upload_url(_: object, info: Info, input: Mapping[str, Any]) -> Any:
    asked = session(info)
    path = asked.uploads.begin(asked.writer().username, input.get("expiresAfterSeconds"))
    return {"signedUrl": {"url": asked.base_url + path}, "method": "PUT", **_echo(input)}


def _push(_: object, info: Info, input: Mapping[str, Any]) -> Any:
    asked = session(info)
    asked.writer(input["namespace"])
    upload = asked.uploads.take(input["signedUrl"])
    with _told(upload.path):
        placed = place_release(asked.catalog.root, upload.path)
    asked.uploads.end(upload)
    asked.catalog.forget()
    entry = asked.catalog.by_hash(placed.sha256)
    return {"success": True, "packageWebc": None if entry is None else Release(entry), **_echo(input)}


def _tag(_: object, info: Info, input: Mapping[str, Any]) -> Any:
    asked = session(info)
    asked.writer()
    kind, sha256 = read_opaque(input["packageReleaseId"])
    entry = asked.catalog.by_hash(sha256) if kind == "PackageWebc" else None
    if entry is None:
        refuse("no such release: push it first")
    version = _publish(asked, entry.path, input, entry.sha256)
    # From now on the version answers for the hash.
    asked.catalog.registry.release_path(entry.sha256).unlink(missing_ok=True)
    return {"success": True, "packageVersion": version, **_echo(input)}


def _publish_package(_: object, info: Info, input: Mapping[str, Any]) -> Any:
    asked = session(info)
    asked.writer()
    if not input.get("signedUrl"):
        refuse("a package is uploaded first: ask for an address with getSignedUrlForPackageUpload")
    upload = asked.uploads.take(input["signedUrl"])
    with _told(upload.path):
        if input.get("uploadFormat") == "webcv2" or _is_container(upload.path):
            entry = _publish(asked, upload.path, input)
        else:
            entry = _publish_archive(asked, upload.path, input)
    asked.uploads.end(upload)
    return {"success": True, "packageVersion": entry, "packageWebc": Release(entry), **_echo(input)}


def _yank(_: object, info: Info, input: Mapping[str, Any]) -> Any:
    asked = session(info)
    asked.writer()
    chosen = [_version(asked, text) for text in input["versionIds"]]
    if len({entry.package.name for entry in chosen}) > 1:
        refuse("the versions are of several packages: yank those of one at a time")
    for entry in chosen:
        asked.writer(entry.package.namespace)
    undo = bool(input.get("undo"))
    changed = [
        entry
        for entry in chosen
        if yank(asked.catalog.root, entry.package.name, entry.version, undo=undo, reason=input.get("reason") or "")
    ]
    now = [asked.catalog.version(entry.package.name, str(entry.version)) for entry in changed]
    return {"packageVersions": [entry for entry in now if entry is not None], **_echo(input)}


def _publish(asked: Session, path: Path, input: Mapping[str, Any], sha256: str | None = None) -> VersionEntry:
    """Give a file its name and version."""
    name = _name(input)
    version = Version.parse(input.get("version") or "")
    namespace, _ = split_name(name)
    asked.writer(namespace)
    if namespace == _EMBEDDED:
        refuse(f"{name}: the namespace {_EMBEDDED} is what wpm carries itself: choose another")
    if input.get("private"):
        refuse(f"{name}: is private, and everybody can read this registry: it is not published")
    place_version(asked.catalog.root, path, name, version, sha256=sha256)
    asked.catalog.forget()
    entry = asked.catalog.version(name, str(version))
    if entry is None:
        refuse(f"{name} {version}: was published and cannot be read")
    return entry


def _publish_archive(asked: Session, path: Path, input: Mapping[str, Any]) -> VersionEntry:
    """Build what older clients upload: a `.tar.gz` of the package's directory."""
    import tempfile
    from pathlib import Path as LocalPath

    from pkgmgr.building.build import build_package

    with tempfile.TemporaryDirectory(prefix="wpm-publish-") as folder:
        archive = LocalPath(folder, "package.tar.gz")
        archive.symlink_to(path.absolute())
        try:
            built = build_package(archive, LocalPath(folder, "package.webc"))
        except WpmError as error:
            refuse(f"the upload: {str(error).replace(f'{archive}: ', '').replace(f'{archive}/', '')}")
        return _publish(asked, built.path, input)


@contextmanager
def _told(upload: Path) -> Iterator[None]:
    """Call the file by what it is to whoever uploaded it."""
    try:
        yield
    except WpmError as error:
        refuse(str(error).replace(str(upload), "the upload"))


def _is_container(path: Path) -> bool:
    from pkgmgr.building.build import is_container

    return is_container(path)


def _version(asked: Session, text: str) -> VersionEntry:
    kind, value = read_opaque(text)
    name, _, version = value.rpartition("@")
    package = asked.catalog.package(name) if kind == "PackageVersion" else None
    entry = package.version(Version.parse(version)) if package is not None else None
    if entry is None:
        refuse("no such version: ask for the ids of a package's versions first")
    return entry


def _name(input: Mapping[str, Any]) -> str:
    """The name of what is published: clients send it whole, or its parts."""
    name, namespace = input.get("name") or "", input.get("namespace") or ""
    if not name:
        refuse("a package needs a name to be published: add it to [package] in its wasmer.toml")
    if "/" not in name and namespace:
        name = f"{namespace}/{name}"
    elif namespace and name.partition("/")[0] != namespace:
        refuse(f"{name}: is not in the namespace {namespace}")
    return check_name(name)


def _echo(input: Mapping[str, Any]) -> dict[str, Any]:
    return {"clientMutationId": input.get("clientMutationId")}


MUTATION: Final[dict[str, Callable[..., Any]]] = {
    "generateUploadUrl": _generate_upload_url,
    "pushPackageRelease": _push,
    "tagPackageRelease": _tag,
    "publishPackage": _publish_package,
    "yankPackageVersions": _yank,
}
