"""A software bill of materials of a lock, in CycloneDX: what is in it, from where, under which licence, on what it rests.

The same lock gives the same bytes: the serial number is derived from it, there is no time but `SOURCE_DATE_EPOCH`, and
everything is in order. Within a package its WebAssembly modules are components of their own, known by their hashes.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import format_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from cyclonedx.model import ExternalReference, HashType, Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License
    from packageurl import PackageURL

    from pkgmgr.locks.lockfile import LockedPackage, Lockfile
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

FORMATS: Final = ("cyclonedx-json", "cyclonedx-xml")
SPEC_VERSIONS: Final = ("1.4", "1.5", "1.6", "1.7")
DEFAULT_SPEC_VERSION: Final = "1.6"
MEDIA_TYPE: Final = "application/wasm"

_LONGEST_EXPRESSION: Final = 500
_REGISTRY: Final = "registry+"
# What XML 1.0 cannot hold, not even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_URL: Final = re.compile(r"(?:https?|git|ssh|git\+https|git\+ssh)://[A-Za-z0-9\-._~/?#@!$&()*+,;=:%]+")


class About(NamedTuple):
    """What a package or project says of itself.

    Attributes:
        description: A line or more.
        license: An SPDX expression, or whatever else it is called.
        homepage: Where to read about it.
        repository: Where its sources are.
    """

    description: str | None = None
    license: str | None = None
    homepage: str | None = None
    repository: str | None = None


def project_sbom(project: Project, lock: Lockfile, store: Store) -> Bom:
    """The bill of materials of a project, itself the root component.

    Args:
        project: The project.
        lock: What it is locked to.
        store: Where the packages are; of one that is not there, only what the lock says is known.

    Raises:
        WpmError: A package is damaged, or `SOURCE_DATE_EPOCH` is no time.
    """
    manifest = project.manifest
    about = About(manifest.description, manifest.license, manifest.homepage, manifest.repository)
    name, version = manifest.name or project.root.name or "project", manifest.version
    root = _component(f"project:{name}@{version or ''}", name, version, _purl(name, version, {}), about)
    return _bom(lock, store, root, f"{name}@{version}", set(lock.roots.values()))


def packages_sbom(lock: Lockfile, store: Store) -> Bom:
    """The bill of materials of packages that no project asks for; where it is one, that is the root component.

    Args:
        lock: What they were resolved to.
        store: Where the packages are.

    Raises:
        WpmError: As `project_sbom`.
    """
    roots = set(lock.roots.values())
    if len(roots) != 1:
        return _bom(lock, store, None, "", set())
    (only,) = roots
    package = lock.packages[only]
    return _bom(lock, store, _package(package, store), package.id, set(package.dependencies.values()))


def render(bom: Bom, form: str = FORMATS[0], spec_version: str = DEFAULT_SPEC_VERSION) -> bytes:
    """A bill of materials as a file.

    Args:
        bom: The bill.
        form: One of `FORMATS`.
        spec_version: One of `SPEC_VERSIONS`.
    """
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    output = OutputFormat.JSON if form == FORMATS[0] else OutputFormat.XML
    text = make_outputter(bom, output, SchemaVersion.from_version(spec_version)).output_as_string(indent=2)
    return text.rstrip().encode() + b"\n"


def _bom(lock: Lockfile, store: Store, root: Component | None, identity: str, needed: set[str]) -> Bom:
    """Put the bill together: the root, what it needs directly, and all the packages of the lock beside it."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType

    from pkgmgr import __version__

    bom = Bom(serial_number=_serial_number(lock, identity), version=1)
    # The library would write the time of now, and none is a time for ever.
    bom.metadata.timestamp = _moment()  # type: ignore[assignment]
    bom.metadata.tools.components.add(Component(type=ComponentType.APPLICATION, name="wpm", version=__version__))
    components: dict[str, Component] = {}
    for package in lock.packages.values():
        if root is not None and root.bom_ref.value == package.id:
            components[package.id] = root
            continue
        components[package.id] = _package(package, store)
        bom.components.add(components[package.id])
    for package in lock.packages.values():
        below = sorted(set(package.dependencies.values()))
        bom.register_dependency(components[package.id], [components[each] for each in below])
    if root is not None:
        bom.metadata.component = root
        bom.register_dependency(root, [components[each] for each in sorted(needed)])
    return bom


def _package(package: LockedPackage, store: Store) -> Component:
    """The component of a package, with its modules within it where its file is here."""
    from binfactory.pinned import open_pinned
    from webc_parser import WebcError

    atoms: list[Component] = []
    about = About()
    if store.has(package.sha256):
        path = store.path(package.sha256)
        try:
            with open_pinned(path, package.sha256) as container:
                info = container.manifest.package
                about = About(info.description, info.license, info.homepage, info.repository)
                atoms = [_atom(package.id, name, content) for name, content in container.atoms.items()]
        except (OSError, WebcError) as error:
            raise WpmError(f"{package.id}: {path}: {error}") from None
    qualifiers = {"checksum": f"sha256:{package.sha256}"}
    if package.source.startswith(_REGISTRY):
        qualifiers["repository_url"] = package.source.removeprefix(_REGISTRY)
    elif "://" in package.source:
        key = "download_url" if package.source.startswith("http") else "repository_url"
        qualifiers[key] = package.source.removeprefix("oci://")
    name, version = package.name or package.id, package.version or None
    return _component(
        package.id, name, version, _purl(name, version, qualifiers), about, package.source, package.sha256, atoms
    )


def _component(
    reference: str,
    name: str,
    version: str | None,
    purl: PackageURL,
    about: About,
    source: str = "",
    sha256: str = "",
    atoms: Iterable[Component] = (),
) -> Component:
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType

    group, _, rest = name.rpartition("/")
    links, leftover = _references(about, source, sha256)
    if source:
        leftover.append(Property(name="wpm:source", value=_clean(source)))
    return Component(
        type=ComponentType.APPLICATION,
        bom_ref=reference,
        group=_clean(group) or None,
        name=_clean(rest),
        version=version,
        description=_clean(about.description or "") or None,
        licenses=_licenses(about.license),
        hashes=_hashes(sha256),
        purl=purl,
        external_references=links,
        properties=leftover,
        components=atoms,
    )


def _atom(package: str, name: str, content: memoryview) -> Component:
    from hashlib import sha256

    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        type=ComponentType.FILE,
        bom_ref=_clean(f"{package}#{name}"),
        name=_clean(name),
        hashes=_hashes(sha256(content).hexdigest()),
        # The field for it comes out of the library under a name that the JSON schema does not have.
        properties=[Property(name="wpm:media-type", value=MEDIA_TYPE)] if bytes(content[:4]) == b"\0asm" else (),
    )


def _hashes(sha256: str) -> Iterator[HashType]:
    from cyclonedx.model import HashAlgorithm, HashType

    if sha256:
        yield HashType(alg=HashAlgorithm.SHA_256, content=sha256)


def _purl(name: str, version: str | None, qualifiers: dict[str, str]) -> PackageURL:
    """A package URL: of type `generic`, as none is registered for Wasmer's packages."""
    from packageurl import PackageURL

    namespace, _, rest = name.rpartition("/")
    return PackageURL("generic", namespace or None, rest, version, qualifiers)


def _licenses(text: str | None) -> Iterator[License]:
    from cyclonedx.contrib.license.factories import LicenseFactory

    if text and (text := _clean(text).strip()):
        factory = LicenseFactory()
        # What reads expressions recurses.
        short = len(text) <= _LONGEST_EXPRESSION
        yield factory.make_from_string(text) if short else factory.make_with_name(text)


def _references(about: About, source: str, sha256: str) -> tuple[list[ExternalReference], list[Property]]:
    """Links to the package's places; what is no URL that the format takes becomes a property."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri

    found: list[ExternalReference] = []
    leftover: list[Property] = []
    for kind, key, text in (
        (ExternalReferenceType.WEBSITE, "homepage", about.homepage),
        (ExternalReferenceType.VCS, "repository", about.repository),
        (ExternalReferenceType.DISTRIBUTION, "source", source if source.startswith(("http://", "https://")) else ""),
    ):
        if text and _is_url(text):
            hashes = _hashes(sha256 if kind is ExternalReferenceType.DISTRIBUTION else "")
            found.append(ExternalReference(type=kind, url=XsUri(text), hashes=hashes))
        elif text and key != "source":
            leftover.append(Property(name=f"wpm:{key}", value=_clean(text)))
    return found, leftover


def _is_url(text: str) -> bool:
    from urllib.parse import urlsplit

    if not _URL.fullmatch(text) or text.count("#") > 1 or re.search("%(?![0-9A-Fa-f]{2})", text):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _clean(text: str) -> str:
    """The text without what no XML document can hold."""
    return _NOT_XML.sub("\ufffd", text)


def _serial_number(lock: Lockfile, identity: str) -> UUID:
    from hashlib import sha256
    from uuid import UUID

    digest = sha256(f"{identity}\n{format_lock(lock)}".encode()).digest()
    # Of version 8: a UUID whose bits are the maker's own affair (RFC 9562).
    number = int.from_bytes(digest[:16], "big") & ~(0xF << 76 | 0x3 << 62) | 8 << 76 | 2 << 62
    return UUID(int=number)


def _moment() -> datetime | None:
    """The time that `SOURCE_DATE_EPOCH` gives, if it is set."""
    from datetime import UTC, datetime

    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise WpmError(
            f"SOURCE_DATE_EPOCH: {text[:40]!r}: expected the seconds since 1970, as date +%s prints them"
        ) from None
