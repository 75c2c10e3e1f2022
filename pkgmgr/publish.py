"""`publish`: a project, or a package that is built already, into a registry: a directory or a server."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.source import check_name
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.manifest import ProjectManifest
    from pkgmgr.registry.posting import PackageFile
    from webc_parser import Container

EMBEDDED_NAMESPACE: Final = "wpm"
_LARGEST_README: Final = 1 << 20


class Published(NamedTuple):
    """A package that is in a registry, or would be.

    Attributes:
        name: `namespace/name`.
        version: Its version.
        sha256: The hash of its file.
        size: Its size in bytes.
        registry: The registry: a directory or a URL.
        is_new: Whether it was not there yet.
        warnings: What is odd in the manifest, one line each.
    """

    name: str
    version: str
    sha256: str
    size: int
    registry: str
    is_new: bool
    warnings: tuple[str, ...] = ()


def publish(
    target: Path,
    registry: str | None = None,
    *,
    dry_run: bool = False,
    progress: Callable[[int], object] | None = None,
    building: Callable[[str], object] | None = None,
) -> Published:
    """Publish a package.

    Args:
        target: A directory with a `wasmer.toml`, or a `.webc`.
        registry: The registry: a directory, its `file://` URL, or the URL of a server; None asks `WPM_REGISTRY` and the
            user's configuration.
        dry_run: Whether everything is done but the publishing itself.
        progress: Called with the number of bytes after each piece that was sent to a server.
        building: Told what is being published, in one line, before it is sent.

    Raises:
        WpmError: It is no package that can be published, another package has its name and version, or the registry says no.
        OSError: A file cannot be read.
    """
    with ExitStack() as stack:
        package, warnings = _prepared(target, stack)
        place, default = _places(package.name, registry)
        _check_namespace(package.name, place)
        if building is not None:
            building(f"{package.name} {package.version} ({package.size:,} bytes) to {place}")
        if "://" in place:
            is_new = _publish_to_server(place, default, package, dry_run, progress)
        else:
            is_new = _publish_to_directory(Path(place), package, dry_run)
    return Published(package.name, package.version, package.sha256, package.size, place, is_new, warnings)


def _prepared(target: Path, stack: ExitStack) -> tuple[PackageFile, tuple[str, ...]]:
    """The package as a file, and what is odd about it."""
    from pkgmgr.building.build import build_package, is_container

    if is_container(target):
        return _described(target, None), ()
    from pkgmgr.manifest import load_manifest

    if not target.is_dir() and target.suffix != ".toml":
        raise WpmError(f"{target}: not a package: expected a directory with a wasmer.toml, or a .webc")
    manifest = load_manifest(target)
    if manifest.name is None or manifest.version is None:
        raise WpmError(f"{manifest.path}: a package needs a name and a version to be published: add them to [package]")
    if manifest.private:
        raise WpmError(f"{manifest.path}: the package is private: remove private = true from [package] to publish it")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wpm-publish-")))
    built = build_package(target, folder / "package.webc")
    return _described(built.path, manifest), built.warnings


def _described(path: Path, manifest: ProjectManifest | None) -> PackageFile:
    """What is published, checked: every checksum in it, and who it says it is."""
    from hashlib import file_digest

    from pkgmgr.registry.posting import PackageFile
    from webc_parser import Container, WebcError

    try:
        with path.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
        with Container.open(path) as container:
            container.verify()
            info, size = container.manifest.package, container.size
            if not info.name or not info.version:
                raise WpmError(
                    f"{path}: the package has no name and version in it: publish the directory it is built from"
                )
            if info.private:
                raise WpmError(f"{path}: the package is private: build it without private = true to publish it")
            about = {key: text for key in _SHOWN if (text := getattr(info, key))}
            if readme := _readme(container):
                about["readme"] = readme
    except WebcError as error:
        raise WpmError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None
    if manifest is not None:
        about["manifest"] = manifest.path.read_text("utf-8")
    return PackageFile(path, check_name(info.name), str(Version.parse(info.version)), sha256, size, about)


_SHOWN: Final = ("description", "license", "homepage", "repository")


def _readme(container: Container) -> str | None:
    from webc_parser import VolumeFile

    place = container.manifest.package.readme
    volume = container.volumes.get(place.volume) if place is not None else None
    found = volume.get(place.path) if volume is not None and place is not None else None
    if not isinstance(found, VolumeFile) or found.size > _LARGEST_README:
        return None
    return bytes(found.content).decode("utf-8", "replace")


def _places(name: str, registry: str | None) -> tuple[str, str]:
    """The registry for a package, and the one for every name: `WPM_TOKEN` is a token of the latter. Both in their one form."""
    from pkgmgr.registry.opening import default_place
    from pkgmgr.registry.place import EMBEDDED_PLACE
    from pkgmgr.settings.config import Configuration

    configuration = Configuration.load()
    default = default_place(configuration, registry)
    place = default if registry else configuration.place(name) or default
    return str(_embedded()) if place == EMBEDDED_PLACE else place, default


def _embedded() -> Path:
    import registry_fixtures

    return registry_fixtures.ROOT


def _check_namespace(name: str, place: str) -> None:
    if name.startswith(f"{EMBEDDED_NAMESPACE}/") and place != str(_embedded()):
        raise WpmError(f"{name}: the namespace {EMBEDDED_NAMESPACE} is what wpm carries itself: choose another")


def _publish_to_directory(root: Path, package: PackageFile, dry_run: bool) -> bool:
    from pkgmgr.registry.directory import DirectoryRegistry
    from pkgmgr.registry.storing import place_version

    if not (root / "packages").is_dir():
        raise WpmError(f"{root}: not a registry: there is no directory 'packages' in it (make one to begin a registry)")
    version = Version.parse(package.version)
    if not dry_run:
        return place_version(root, package.path, package.name, version, sha256=package.sha256).is_new
    registry = DirectoryRegistry(root, "", str(root))
    if version not in registry.versions(package.name):
        return True
    _check_same(package, frozenset((registry.summary(package.name, version).sha256,)))
    return False


def _publish_to_server(
    url: str, default: str, package: PackageFile, dry_run: bool, progress: Callable[[int], object] | None
) -> bool:
    from pkgmgr.http.client import HttpClient
    from pkgmgr.http.origin import origin_of
    from pkgmgr.registry.place import is_network
    from pkgmgr.registry.posting import Poster
    from pkgmgr.settings.credentials import Credentials

    credentials = Credentials(default_origin=origin_of(default) if is_network(default) else None)
    if not dry_run and credentials.token(origin_of(url)) is None:
        raise WpmError(
            f"{url}: a token is needed to publish there: log in with wpm login --registry {url}, or set WPM_TOKEN"
        )
    client = HttpClient(credentials.token)
    try:
        poster = Poster(url, client)
        there = poster.published(package.name, package.version)
        if there is not None:
            _check_same(package, there)
            return False
        if not dry_run:
            poster.post(package, progress)
            _check_same(package, poster.published(package.name, package.version) or frozenset())
    finally:
        client.close()
    return True


def _check_same(package: PackageFile, there: frozenset[str]) -> None:
    """See that what the registry has is this package."""
    if package.sha256 not in there:
        raise WpmError(
            f"{package.name} {package.version} is published already, with other bytes: "
            "versions do not change: raise the version"
        )
