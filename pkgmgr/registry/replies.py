"""What a registry answers, which may be anything: every value is checked before anything relies on it.

A version that is not a version, or of which there is no file that can be checked, is passed over: registries keep much that
is old. What is no answer to the question at all is a `WpmError`, without the registry's name: whoever asked knows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.source import GLOBAL_NAMESPACE, check_name, check_sha256
from pkgmgr.store import LARGEST
from pkgmgr.version import Version, version_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from webc_parser import Manifest

V2: Final = "v2"
V3: Final = "v3"

LONGEST_URL: Final = 8192
"""Signed URLs are long."""
LARGEST_MANIFEST: Final = 16 << 20

_USUAL_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(?::[1-9][0-9]{0,4})?/[!#-;=?-Z_a-z~]*")
_SHA256: Final = re.compile("[0-9a-f]{64}")
_MOST_VERSIONS: Final = 10_000
_MOST_FOUND: Final = 1000
_LONGEST: Final = 4096


class Distribution(NamedTuple):
    """One file of a version.

    Attributes:
        format: The version of the container format: `v2` or `v3`.
        url: Where it can be had: absolute, http(s); empty where only its hash was asked for.
        sha256: Its hash.
        size: Its size in bytes, where the registry says it.
        expires: For how many seconds after the answer the URL is good; None where that is not said.
        manifest: The container's manifest as it was sent: JSON in a text, or the value; None where it was not.
    """

    format: str
    url: str
    sha256: str
    size: int | None
    expires: float | None
    manifest: object

    @property
    def is_detailed(self) -> bool:
        """Whether more than its hash was asked for."""
        return bool(self.url)


class Offer(NamedTuple):
    """One version of a package, as a registry offers it.

    Attributes:
        version: Its version.
        archived: Whether it was withdrawn.
        distributions: Its files, the one that is taken first.
    """

    version: Version
    archived: bool
    distributions: tuple[Distribution, ...]


class Found(NamedTuple):
    """A package that a search found: its name, the version that matched (None: not a version, or archived), its description."""

    name: str
    version: Version | None
    description: str


def read_package(value: object, name: str, base: str) -> dict[Version, Offer] | None:
    """The versions in the answer for one package; None where the registry has no such package.

    Args:
        value: The value of `getPackage`.
        name: The package that was asked for.
        base: The URL of who answered, which relative URLs start at.

    Raises:
        WpmError: It is no such answer, or one for another package.
    """
    if value is None:
        return None
    package = _object(value, "a package")
    answered = package_name(package)
    if answered != name:
        # A package that was renamed, or has a short name there: a lock must have the one name that it has here.
        raise WpmError(f"there it is called {answered}: ask for that")
    versions = package.get("versions")
    if versions is not None and not isinstance(versions, list):
        raise WpmError("its answer is not as expected: versions is no list")
    if versions is not None and len(versions) > _MOST_VERSIONS:
        raise WpmError(f"it has {len(versions)} versions of one package: more than {_MOST_VERSIONS} are not looked at")
    offers = (read_offer(each, base) for each in versions or ())
    found = {offer.version: offer for offer in offers if offer is not None}
    last = read_offer(package.get("lastVersion"), base)
    if last is not None and last.version in found and all(each.is_detailed for each in last.distributions):
        found[last.version] = last
    return found


def read_detail(value: object, name: str, version: Version, base: str) -> Offer:
    """The version in the answer for one; raises `WpmError` where it is another one, or has no file that can be checked."""
    offer = read_offer(_object(value, "a version"), base)
    if offer is None:
        raise WpmError("there is no file that can be checked")
    answered = package_name(_object(_object(value, "a version").get("package"), "its package"))
    if (answered, offer.version) != (name, version):
        raise WpmError(f"its answer is about {answered} {offer.version}")
    if not all(each.is_detailed for each in offer.distributions):
        raise WpmError("its answer is not as expected: a file without a URL")
    return offer


def read_offer(value: object, base: str) -> Offer | None:
    """One of the versions; None where it is none, or has no file that can be checked."""
    if not isinstance(value, dict) or not isinstance(text := value.get("version"), str):
        return None
    if (version := version_or_none(text)) is None:
        return None
    found = [read_distribution(value.get(key), key, base) for key in (V3, V2)]
    distributions = tuple(each for each in found if each is not None)
    return Offer(version, value.get("isArchived") is True, distributions) if distributions else None


def read_distribution(value: object, expected: str, base: str) -> Distribution | None:
    """A file of a version; None where there is none, or the answer does not say what it must be."""
    if not isinstance(value, dict):
        return None
    said = value.get("piritaSha256Hash")
    if not isinstance(said, str):
        return None
    try:
        sha256 = (
            said if _SHA256.fullmatch(said) else check_sha256(_text(said, "a sha256").lower().removeprefix("sha256:"))
        )
        if "piritaDownloadUrl" not in value:
            return Distribution(expected, "", sha256, None, None, None)
        url = read_url(value["piritaDownloadUrl"], base)
    except WpmError:
        return None
    said = value.get("webcVersion")
    return Distribution(
        said.lower() if said in ("V2", "V3") else expected,
        url,
        sha256,
        _size(value.get("piritaSize")),
        _seconds(value.get("piritaExpiresInSeconds")),
        value.get("webcManifest"),
    )


def read_release(value: object, sha256: str, base: str) -> Distribution | None:
    """The file in the answer for a hash; None where the registry has no such file. Raises `WpmError` as `read_package`."""
    if value is None:
        return None
    release = _object(value, "a package")
    manifest = release.get("piritaManifest")
    for key in (V3, V2):
        image = release.get(key)
        if isinstance(image, dict) and str(image.get("webcSha256")).lower().removeprefix("sha256:") == sha256:
            said = image.get("version")
            form = said.lower() if said in ("V2", "V3") else key
            return Distribution(
                form, read_url(image.get("webcUrl"), base), sha256, _size(image.get("fileSize")), None, manifest
            )
    # Nobody says of which format the file is that has this hash: it is looked into.
    return Distribution("", read_url(release.get("webcUrl"), base), sha256, None, None, None)


def read_manifest(value: object) -> Manifest | None:
    """The manifest that a registry sent; None where it sent none.

    Raises:
        WpmError: It is no JSON.
        WebcError: It is no manifest.
    """
    import json

    from webc_parser import parse_manifest

    if isinstance(value, str):
        if len(value) > LARGEST_MANIFEST:
            raise WpmError(f"the manifest is larger than {LARGEST_MANIFEST} characters")
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise WpmError(f"the manifest is not JSON: {' '.join(str(error).split())[:100]}") from None
    return None if value is None else parse_manifest(value)


def read_found(value: object) -> list[Found]:
    """The packages in the answer to a search, in its order; what is no package is passed over.

    Raises:
        WpmError: It is no such answer.
    """
    from pkgmgr.plain_text import one_line

    edges = _object(value, "a search").get("edges")
    if not isinstance(edges, list):
        raise WpmError("its answer is not as expected: a search without edges")
    found: dict[str, Found] = {}
    for edge in edges[:_MOST_FOUND]:
        node = edge.get("node") if isinstance(edge, dict) else None
        if not isinstance(node, dict) or not isinstance(node.get("package"), dict):
            continue
        try:
            name = package_name(node["package"])
            version = Version.parse(_text(node.get("version"), "a version"))
        except WpmError:
            continue
        description = node.get("description")
        known = Found(
            name,
            None if node.get("isArchived") is True else version,
            one_line(description if isinstance(description, str) else None),
        )
        found.setdefault(name, known)
    return list(found.values())


def package_name(package: Mapping[str, Any]) -> str:
    """The name in `packageName` and `namespace`, in its one form; raises `WpmError` where that is no name."""
    name, namespace = _text(package.get("packageName"), "a name"), package.get("namespace")
    if namespace not in (None, "", GLOBAL_NAMESPACE):
        name = f"{_text(namespace, 'a namespace')}/{name.removeprefix(f'{namespace}/')}"
    return check_name(name)


def read_url(value: object, base: str) -> str:
    """A URL of an answer, absolute; raises `WpmError` for what is none, or would take something along that it should not."""
    text = _text(value, "a URL", LONGEST_URL)
    if _USUAL_URL.fullmatch(text):
        # Taking a URL apart takes longer than everything else about a version.
        return text
    from urllib.parse import urljoin, urlsplit

    try:
        url = urljoin(base, text)
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username is not None or parts.password is not None or not url.isascii() or " " in url:
        raise WpmError(f"its answer has no http(s) URL where one belongs, but {text[:60]!r}")
    return url


def error_texts(value: object) -> list[str]:
    """The messages of an answer's `errors`, each in one line."""
    from pkgmgr.plain_text import one_line

    if not isinstance(value, list):
        return []
    messages = [each.get("message") if isinstance(each, dict) else each for each in value[:20]]
    return [one_line(each)[:300] for each in messages if isinstance(each, str) and one_line(each)]


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WpmError(f"its answer is not as expected: {what} is {type(value).__name__}, not an object")
    return value


def _text(value: object, what: str, longest: int = _LONGEST) -> str:
    if not isinstance(value, str) or not value or len(value) > longest or not value.isprintable():
        raise WpmError(f"its answer is not as expected: {what} is missing, too long, or cannot be printed")
    return value


def _size(value: object) -> int | None:
    """A size in bytes; numbers beyond 32 bits come as texts."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if type(value) is int and 0 < value <= LARGEST else None


def _seconds(value: object) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value < 1e12 else None  # type: ignore[arg-type, operator]
