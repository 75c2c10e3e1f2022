"""What an OCI registry is asked for: a host, a repository, and a tag or a digest.

| text | what it is |
| --- | --- |
| `oci://ghcr.io/acme/tool:1.2` | a tag |
| `oci://127.0.0.1:5000/tool@sha256:HEX` | a manifest by its digest |
| `oci://docker.io/alpine` | `oci://docker.io/library/alpine:latest` |
| `ghcr.io/acme/tool:1.2`, `alpine` | the same as Docker writes them, on the command line alone |

The grammar is that of the distribution specification (https://github.com/opencontainers/distribution-spec/blob/main/spec.md,
"Pulling manifests"), the defaults of docker.io are those of https://pkg.go.dev/github.com/distribution/reference.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pkgmgr.errors import WpmError

SCHEME: Final = "oci://"
LATEST: Final = "latest"
"""The tag of a reference that names neither tag nor digest."""
DOCKER_HUB: Final = "docker.io"

_LONGEST: Final = 255
_LIBRARY: Final = "library/"
_HUB_HOSTS: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_HUB_API: Final = "registry-1.docker.io"
_LABEL: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62})(?<!-)"
_HOST: Final = re.compile(rf"({_LABEL}(?:\.{_LABEL})*\.?|\[[0-9a-fA-F:.]{{2,45}}\])(?::([0-9]{{1,5}}))?")
_PART: Final = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME: Final = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST: Final = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]+")
_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LOOPBACK: Final = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[(?:0*:)*:?0*1\]")


class Reference(NamedTuple):
    """A manifest of a repository, in its one form.

    Attributes:
        host: The registry, in small letters, with `:PORT` where one was given; `docker.io` for all of Docker's names.
        name: The repository.
        tag: The tag; empty where a digest says which manifest it is.
        digest: `sha256:HEX`; empty where a tag says it.
    """

    host: str
    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.repository}{self.target_suffix}"

    @property
    def repository(self) -> str:
        """The host and the name."""
        return f"{self.host}/{self.name}"

    @property
    def target(self) -> str:
        """What the registry is asked for: the digest, else the tag."""
        return self.digest or self.tag

    @property
    def target_suffix(self) -> str:
        """The target as it stands behind the repository."""
        return f"@{self.digest}" if self.digest else f":{self.tag}"

    def with_digest(self, digest: str) -> Reference:
        """The manifest with this digest, in the same repository."""
        return self._replace(tag="", digest=check_digest(digest))


def parse_reference(text: str) -> Reference:
    """Read `oci://HOST[:PORT]/NAME[:TAG][@DIGEST]`; a tag beside a digest is only for people, and left out.

    Raises:
        WpmError: It is no such reference.
    """
    if not text.startswith(SCHEME):
        raise WpmError(f"not an OCI reference: {_shown(text)}: expected oci://HOST/NAME:TAG")
    host, slash, rest = text.removeprefix(SCHEME).partition("/")
    if not slash or not rest:
        raise WpmError(f"not an OCI reference: {_shown(text)}: expected oci://HOST/NAME:TAG")
    return _made(host, rest, text)


def parse_typed(text: str) -> Reference:
    """Read what somebody types: with `oci://` or `docker://` before it, or as Docker does, where no host is docker.io.

    Raises:
        WpmError: It is no reference.
    """
    text = text.strip()
    if text.startswith("docker://"):
        text = text.removeprefix("docker://")
    if text.startswith(SCHEME):
        return parse_reference(text)
    if "://" in text:
        raise WpmError(f"not an OCI reference: {_shown(text)}: expected HOST/NAME:TAG")
    host, slash, rest = text.partition("/")
    if slash and (any(each in host for each in ".:[") or host == "localhost" or host != host.lower()):
        return _made(host, rest, text)
    return _made(DOCKER_HUB, text, text)


def parse_host(text: str) -> str:
    """A registry's host in its one form: `docker.io` for all of Docker's, else in small letters with its port.

    Raises:
        WpmError: It is no host.
    """
    found = _HOST.fullmatch(text)
    port = found[2] if found else None
    if found is None or len(text) > _LONGEST or (port is not None and not 0 < int(port) < 65536):
        if "@" in text:
            raise WpmError("not the host of a registry: it has a name or a password in it: log in with wpm login")
        raise WpmError(f"not the host of a registry: {_shown(text)}: expected HOST or HOST:PORT")
    host = found[1].lower() + ("" if port is None else f":{int(port)}")
    return DOCKER_HUB if host in _HUB_HOSTS else host


def check_name(name: str) -> str:
    """The name of a repository; raises `WpmError` where it cannot be one."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        hint = ", in small letters" if name != name.lower() else ""
        raise WpmError(f"not the name of a repository: {_shown(name)}: expected NAME/NAME{hint}")
    return name


def check_tag(tag: str) -> str:
    """The tag; raises `WpmError` where it cannot be one."""
    if not _TAG.fullmatch(tag):
        raise WpmError(f"not a tag: {_shown(tag)}: expected up to 128 letters, digits, '.', '_' and '-'")
    return tag


def check_digest(digest: str) -> str:
    """The digest `sha256:HEX`; raises `WpmError` for anything else."""
    if _SHA256.fullmatch(digest):
        return digest
    if _DIGEST.fullmatch(digest) and not digest.startswith("sha256:"):
        raise WpmError(f"digest {_shown(digest)}: only those by sha256 are known")
    raise WpmError(f"not a digest: {_shown(digest)}: expected sha256: and 64 hexadecimal digits in small letters")


def api_url(host: str) -> str:
    """The URL at which a registry answers, without a slash at its end: plain http on the loopback, https elsewhere."""
    if host == DOCKER_HUB:
        return f"https://{_HUB_API}"
    return f"{'http' if is_loopback(host) else 'https'}://{host}"


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine by its name alone."""
    found = _HOST.fullmatch(host)
    return found is not None and _LOOPBACK.fullmatch(found[1]) is not None and found[2] != "443"


def _made(host: str, rest: str, text: str) -> Reference:
    rest, at, digest = rest.partition("@")
    name, colon, tag = rest.partition(":")
    try:
        host = parse_host(host)
        if host == DOCKER_HUB and "/" not in name:
            name = _LIBRARY + name
        check_name(name)
        if colon:
            check_tag(tag)
        if at:
            return Reference(host, name, "", check_digest(digest))
    except WpmError as error:
        if "password" in str(error):
            raise
        raise WpmError(f"not an OCI reference: {_shown(text)}: {error}") from None
    return Reference(host, name, tag or LATEST)


def _shown(text: str) -> str:
    return repr(text[:80])
