"""A repository of a registry that speaks the OCI distribution protocol.

Every error is a `WpmError` in one line that begins with what was asked for (`oci://HOST/NAME:TAG`). What arrives is hashed and
counted while it arrives, and nothing is believed before it is what its digest says.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
from urllib.parse import quote, urljoin

from pkgmgr.errors import NotAsPromised, WpmError
from pkgmgr.http.client import HttpClient
from pkgmgr.http.origin import origin_of, shown
from pkgmgr.oci.reference import Reference, api_url, check_digest, check_tag
from pkgmgr.oci.refusals import Challenged, OciRefused, judged
from pkgmgr.oci.tokens import Authorization, Scopes
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import requests

    from pkgmgr.http.partial import Partial
    from pkgmgr.http.retry import Patience
    from pkgmgr.settings.login import Login

_T = TypeVar("_T")

INDEX: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_TYPES: Final = (INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)

LARGEST_MANIFEST: Final = 4 << 20
"""No manifest has more bytes: the least that the specification wants registries to take, and the most that they do."""
LARGEST_DOCUMENT: Final = 8 << 20
"""No blob that is read into memory has more bytes."""

_MOST_TAGS: Final = 100_000
_MOST_PAGES: Final = 1000
_NEXT: Final = re.compile(r'<([^>]{1,2000})>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


class Manifest(NamedTuple):
    """A manifest or an index, as it was received or is sent.

    Attributes:
        data: Its bytes.
        media_type: What it is.
        digest: `sha256:HEX` of the bytes.
    """

    data: bytes
    media_type: str
    digest: str


class Repository:
    """One repository of a registry; any number of threads may use it.

    Args:
        host: The registry (`pkgmgr.oci.reference.parse_host`).
        name: The repository.
        client: What asks; None makes one that asks as patiently as the process's own.
        push: Whether to ask for the right to push, too.
        mount_from: Repositories of the registry from which blobs may be mounted.
        find_login: Gives the login; None looks where the user keeps them.

    Attributes:
        host: As given.
        name: As given.
        client: What asks.
        url: Where the registry answers, without a slash at its end.
    """

    def __init__(
        self,
        host: str,
        name: str,
        client: HttpClient | None = None,
        *,
        push: bool = False,
        mount_from: Sequence[str] = (),
        find_login: Callable[[], Login | None] | None = None,
    ) -> None:
        from pkgmgr.oci.logins import login_for

        self.host = host
        self.name = name
        self.url = api_url(host)
        # Tokens of other registries have no business here: so this is not the client of the process.
        self.client = HttpClient() if client is None else client
        self._origin = origin_of(self.url)
        self._authorization = Authorization(
            host, self.url, self.client, find_login or (lambda: login_for(host, name) if host else None)
        )
        scopes = {f"repository:{name}:{'pull,push' if push else 'pull'}"} if name else set()
        self._scopes: Scopes = frozenset(scopes | {f"repository:{each}:pull" for each in mount_from})

    @property
    def patience(self) -> Patience:
        """How long is waited for what."""
        return self.client.patience

    def ping(self) -> None:
        """See that a registry answers there, and takes who asks; raises `WpmError` where not."""
        self.told(f"oci://{self.host}", lambda: self.send("GET", f"{self.url}/v2/", {}).close())

    def manifest(self, target: str) -> Manifest:
        """A manifest or an index.

        Args:
            target: A tag, or a digest.

        Raises:
            Unreachable: The registry cannot be asked.
            NotAsPromised: What it gives is not what its digest says.
            WpmError: It has no such manifest, or does not give it.
        """
        url = f"{self.url}/v2/{self.name}/manifests/{target}"

        def attempt() -> Manifest:
            with self.send("GET", url, {"Accept": ", ".join(MANIFEST_TYPES)}) as reply:
                data = self._body(reply, LARGEST_MANIFEST)
                digest = digest_of(data)
                for promised in (target if ":" in target else "", reply.headers.get("Docker-Content-Digest", "")):
                    if promised.startswith("sha256:") and promised != digest:
                        raise NotAsPromised(f"its digest is {digest} where {promised[:80]} was promised")
                return Manifest(data, _media_type(reply.headers), digest)

        return self.told(self._label(target), attempt)

    def put_manifest(self, target: str, manifest: Manifest) -> None:
        """Give a manifest a tag, or put it there by its digest; raises `WpmError` where the registry does not take it."""
        url = f"{self.url}/v2/{self.name}/manifests/{target}"
        headers = {"Content-Type": manifest.media_type}

        def attempt() -> None:
            with self.send("PUT", url, headers, lambda: manifest.data) as reply:
                said = reply.headers.get("Docker-Content-Digest", "")
            if said.startswith("sha256:") and said != manifest.digest:
                raise NotAsPromised(f"the registry calls it {said[:80]} where it is {manifest.digest}")

        self.told(self._label(target), attempt)

    def blob_size(self, digest: str) -> int | None:
        """The size of a blob in bytes, -1 where the registry does not say it; None where it has no such blob."""

        def attempt() -> int:
            with self.send("HEAD", self.blob_url(digest), {"Accept-Encoding": "identity"}) as reply:
                text = reply.headers.get("Content-Length", "")
                return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1

        return self._found(self._label(digest), attempt)

    def fetch_blob(self, partial: Partial, digest: str, size: int, progress: Callable[[int], object] | None) -> None:
        """Bring a blob into a file, and go on where the connection broke.

        Args:
            partial: The file.
            digest: Which blob.
            size: Its size in bytes.
            progress: As for `pkgmgr.http.download.download`.

        Raises:
            Unreachable: The registry cannot be asked.
            NotAsPromised: What it gives is not what its digest or size says.
            WpmError: It cannot be had.
        """
        from pkgmgr.http.download import fill

        fill(partial, self.blob_url(digest), digest.removeprefix("sha256:"), size, progress, self, size)

    def tags(self) -> list[str]:
        """All tags of the repository, in order; raises `WpmError` where they cannot be had."""
        found: list[str] = []
        url: str | None = f"{self.url}/v2/{self.name}/tags/list"
        for _ in range(_MOST_PAGES):
            if url is None or len(found) > _MOST_TAGS:
                break
            page, url = self.told(f"oci://{self.host}/{self.name}", lambda url=url: self._tags_page(url))  # type: ignore[misc]
            found += page
        return sorted(set(found[:_MOST_TAGS]))

    def blob_url(self, digest: str) -> str:
        """Where a blob is."""
        return f"{self.url}/v2/{self.name}/blobs/{check_digest(digest)}"

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: Callable[[], object] | None = None
    ) -> requests.Response:
        """Make a request once, saying who asks where the registry wants to know it.

        Args:
            method: The method.
            url: Where to: at the registry, or where it has sent us, which then is told nothing of who asks.
            headers: What goes with it.
            body: Gives its body anew for each time that it is sent.

        Returns:
            A success whose body was not read.

        Raises:
            TryAgain: It failed in a way that may pass.
            Refused: The registry says no.
        """
        at_home = origin_of(url) == self._origin
        login = f": run: wpm login {self.host}"

        def judge(reply: requests.Response) -> requests.Response:
            try:
                return judged(reply, login)
            except Challenged as error:
                # Where a redirect led, or an upload goes on, is no concern of the login for this registry.
                if origin_of(reply.url) != self._origin:
                    raise OciRefused(f"{shown(reply.url)} wants to know who asks (401){error}", 401) from None
                raise

        for last in (False, True):
            known = self._authorization.header(self._scopes) if at_home else None
            proof = {"Authorization": known} if known else {}
            try:
                return self.client.send(method, url, {**headers, **proof}, body, judge=judge)
            except Challenged as error:
                if last:
                    raise self._authorization.no_entry(str(error)) from None
                self._authorization.answer(error.challenge, str(error), self._scopes, known)
        raise AssertionError("the second answer is the last")

    def told(
        self,
        url: str,
        attempt: Callable[[], _T],
        *,
        check: Callable[[], object] | None = None,
        progressed: Callable[[], bool] | None = None,
        repeatable: bool = True,
    ) -> _T:
        """Try until it succeeds or patience ends, as `HttpClient.told` does."""
        return self.client.told(url, attempt, check=check, progressed=progressed, repeatable=repeatable)

    def location(self, reply: requests.Response) -> str:
        """Where a registry sends us to go on with an upload; raises `WpmError` where that cannot be."""
        location = reply.headers.get("Location", "")
        url = urljoin(reply.url, location) if location else ""
        if not location or not url.lower().startswith(("http://", "https://")):
            raise WpmError("the registry does not say where to send the bytes")
        if self.url.startswith("https:") and not url.lower().startswith("https:"):
            # A registry behind a proxy often does not know that it is asked by https.
            if url.partition("://")[2].partition("/")[0] == self.url.partition("://")[2]:
                return f"https{url[4:]}"
            raise WpmError(f"the registry sends us to {shown(url)}, which is not https")
        return url

    def _label(self, target: str) -> str:
        return str(Reference(self.host, self.name, "" if ":" in target else target, target if ":" in target else ""))

    def _found(self, label: str, attempt: Callable[[], _T]) -> _T | None:
        from pkgmgr.errors import Refused

        try:
            return self.told(label, attempt)
        except Refused as error:
            if error.status in (404, 410):
                return None
            raise

    def _tags_page(self, url: str) -> tuple[list[str], str | None]:
        from pkgmgr.http.json_body import parse_json

        with self.send("GET", url, {"Accept": "application/json"}) as reply:
            value = parse_json(self._body(reply, LARGEST_DOCUMENT))
            following = _NEXT.search(reply.headers.get("Link", "")[:4000])
            url = reply.url
        tags = value.get("tags") if isinstance(value, dict) else None
        if not isinstance(tags, list | None) or not all(isinstance(tag, str) for tag in tags or ()):
            raise WpmError("what the registry answered is no list of tags")
        after = urljoin(url, following[1]) if following else None
        if after is not None and origin_of(after) != self._origin:
            raise WpmError(f"the list of tags goes on at {shown(after)}, which is another server")
        return [check_tag(tag) for tag in tags or ()], after

    def _body(self, reply: requests.Response, most: int) -> bytes:
        from pkgmgr.http.body import Body

        body = Body(reply, self.patience.stall, 10 * self.patience.stall)
        data = bytearray()
        while piece := body.read():
            data += piece
            if len(data) > most:
                raise WpmError(f"it is longer than {most} bytes")
        return bytes(data)


def digest_of(data: bytes) -> str:
    """The digest of bytes: `sha256:HEX`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def with_query(url: str, **values: str) -> str:
    """A URL with values added to its query, whatever it has there already."""
    added = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    return f"{url}{'&' if '?' in url else '?'}{added}"


def _media_type(headers: Mapping[str, str]) -> str:
    return one_line(headers.get("Content-Type", "").partition(";")[0].strip().lower(), 200)
