"""Package sources as people write them: where a package comes from.

| text | what it is |
| --- | --- |
| `ns/name`, `ns/name@^1.2`, `ns/name@latest` | a package of a registry |
| `name`, `_/name` | a package of a registry without a namespace: the two say the same |
| `registry.example:ns/name` | a package of one certain registry |
| `sha256:HEX` | a package by the hash of its file |
| `https://…`, `http://…`, `file://…` | a `.webc` somewhere |
| `oci://host/name:tag`, `oci://host/name@sha256:HEX` | a package, or an image, of an OCI registry |
| `./x`, `../x`, `/x`, `~/x`, `x/`, `x.webc` | a `.webc` file or a directory with a `wasmer.toml` |
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from pkgmgr.errors import WpmError
from pkgmgr.version import ANY, Requirement
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LONGEST: Final = 4096
"""No source is longer than this many characters."""

GLOBAL_NAMESPACE: Final = "_"
"""Where registries keep the packages that have no namespace."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HEXADECIMAL: Final = frozenset("0123456789abcdef")
_REGISTRY = r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?"


class NamedSource(NamedTuple):
    """A package of a registry: any version that satisfies the requirement.

    Attributes:
        name: `namespace/name`, or `name` alone for a package without a namespace.
        requirement: What its version must satisfy.
        registry: The host of the registry that must answer; None leaves it to the configuration.
    """

    name: str
    requirement: Requirement = ANY
    registry: str | None = None

    def __str__(self) -> str:
        prefix = f"{self.registry}:" if self.registry else ""
        return f"{prefix}{self.name}" + ("" if self.requirement == ANY else f"@{self.requirement}")


class HashSource(NamedTuple):
    """A package by the sha256 of its file: 64 lower-case hexadecimal digits."""

    sha256: str

    def __str__(self) -> str:
        return f"sha256:{self.sha256}"


class UrlSource(NamedTuple):
    """A `.webc` at an `http://` or `https://` address."""

    url: str

    def __str__(self) -> str:
        return self.url


class OciSource(NamedTuple):
    """A package or an image of an OCI registry: `oci://HOST/NAME:TAG` or `oci://HOST/NAME@sha256:HEX`, in its one form."""

    reference: str

    @property
    def repository(self) -> str:
        """`oci://HOST/NAME`, without the tag or the digest."""
        head, _, last = self.reference.rpartition("/")
        return f"{head}/{last.partition('@')[0].partition(':')[0]}"

    @property
    def is_exact(self) -> bool:
        """Whether it names a manifest by its digest."""
        return "@" in self.reference

    def __str__(self) -> str:
        return self.reference


class PathSource(NamedTuple):
    """A `.webc` file or a directory with a `wasmer.toml`; a relative path starts at the folder of whoever wrote it."""

    path: str

    def below(self, folder: Path) -> Path:
        """The path itself, where a relative one starts at the folder; raises `WpmError` for a `~` of nobody."""
        try:
            return folder / Path(self.path).expanduser()
        except RuntimeError as error:
            raise WpmError(f"{self.path}: {error}") from None

    def __str__(self) -> str:
        return self.path if self.path.startswith((".", "/", "~")) or self.path.endswith("/") else f"./{self.path}"


PackageSource = NamedSource | HashSource | UrlSource | OciSource | PathSource


def parse_source(text: str) -> PackageSource:
    """Read a package source.

    Args:
        text: One of the forms of the table above.

    Raises:
        WpmError: It is none of them; the message says what is wrong with it.
    """
    text = text.strip()
    if not text:
        raise WpmError("an empty text is not a package source: expected ns/name, sha256:HEX, a URL or a path")
    if len(text) > LONGEST or not text.isprintable():
        raise WpmError(f"not a package source: {text[:60]!r}: too long, or it has characters that cannot be printed")
    if text.startswith("oci://"):
        from pkgmgr.oci.reference import parse_reference

        return OciSource(str(parse_reference(text)))
    if "://" in text:
        return _parse_url(text)
    if text.startswith("sha256:"):
        return HashSource(check_sha256(text.removeprefix("sha256:").lower()))
    if text.startswith((".", "/", "~")) or text.endswith(("/", ".webc")):
        return PathSource(text)
    return _parse_named(text)


def parse_dependency(alias: str, text: str) -> PackageSource:
    """Read one entry of a manifest's `[dependencies]`.

    Args:
        alias: The key: the package's name, unless the value says which package it is.
        text: The value: a version requirement of the package that the key names, or a whole package source.
    """
    try:
        requirement = Requirement.parse(text)
    except WpmError as error:
        if text.startswith("oci://"):
            # Nobody takes this for a version.
            return parse_source(text)
        try:
            source = parse_source(text)
        except WpmError:
            source = None
        # A bare word is far more often a mistyped requirement than a package without a namespace.
        if source is None or (isinstance(source, NamedSource) and "/" not in text):
            raise WpmError(f"dependency {alias!r}: {error}") from None
        return source
    return NamedSource(check_name(alias), requirement)


def check_name(text: str) -> str:
    """The package name in its one form, `_/name` being `name`; raises `WpmError` for what cannot be a name."""
    namespace, slash, name = text.rpartition("/")
    parts = [namespace, name] if slash else [name]
    if not all(_PART.fullmatch(part) for part in parts):
        raise WpmError(
            f"not a package name: {text[:60]!r}: expected NAMESPACE/NAME, of letters, digits, '-', '_' and '.'"
        )
    return name if namespace in ("", GLOBAL_NAMESPACE) else text


def split_name(name: str) -> tuple[str, str]:
    """The namespace (`_` where there is none) and the rest of a package name, both safe as names of files."""
    namespace, _, rest = check_name(name).rpartition("/")
    return namespace or GLOBAL_NAMESPACE, rest


def check_sha256(text: str) -> str:
    """The text, which must be 64 lower-case hexadecimal digits; raises `WpmError` where it is not."""
    if len(text) != 64 or not _HEXADECIMAL.issuperset(text):
        raise WpmError(f"not a sha256: {text[:80]!r}: expected 64 hexadecimal digits")
    return text


def _parse_named(text: str) -> NamedSource:
    rest, _, tag = text.partition("@") if text.count("@") == 1 else (text, "", "")
    registry, colon, name = rest.rpartition(":")
    if colon and not re.fullmatch(_REGISTRY, registry):
        raise WpmError(f"not a package source: {text[:60]!r}: {registry[:60]!r} is not the host of a registry")
    try:
        requirement = Requirement.parse(tag) if tag else ANY
    except WpmError as error:
        raise WpmError(f"not a package source: {text[:60]!r}: {error}") from None
    return NamedSource(check_name(name), requirement, registry or None)


def _parse_url(text: str) -> UrlSource | PathSource:
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise WpmError(f"not a URL: {text[:80]!r}: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise WpmError(
            f"not a URL of a package: {host}: it has a name or a password in it, which would be written down"
        )
    match parts.scheme.lower():
        case "http" | "https" if host:
            return UrlSource(text)
        case "file" if host in ("", "localhost") and parts.path.startswith("/"):
            path = unquote(parts.path)
            if "\0" not in path:
                return PathSource(str(PurePosixPath(path)))
    raise WpmError(f"not a URL of a package: {text[:80]!r}: expected https://, http://, oci:// or file:///")
