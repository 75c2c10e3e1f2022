"""Publish a package on a server, in the way of Wasmer's own client: upload, push by the hash, tag with the version.

Source: `wasmerio/wasmer`, lib/cli/src/commands/package/{push,tag} and lib/backend-api/src/{query,types}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import Refused, WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pkgmgr.http.client import HttpClient

_UPLOAD_SECONDS: Final = 30 * 60
_VERSION: Final = """query GetPackageVersion($name: String!, $version: String!) {
  getPackageVersion(name: $name, version: $version) {
    id version
    v2: distribution(version: V2) { piritaSha256Hash }
    v3: distribution(version: V3) { piritaSha256Hash }
  }
}"""
_RELEASE: Final = "query GetPackageRelease($hash: String!) { getPackageRelease(hash: $hash) { id } }"
_ADDRESS: Final = """query GetSignedUrlForPackageUpload($filename: String, $seconds: Int) {
  getSignedUrlForPackageUpload(filename: $filename, expiresAfterSeconds: $seconds) { url }
}"""
_PUSH: Final = """mutation PushPackageRelease($input: PushPackageReleaseInput!) {
  pushPackageRelease(input: $input) { success packageWebc { id } }
}"""
_TAG: Final = """mutation TagPackageRelease($input: TagPackageReleaseInput!) {
  tagPackageRelease(input: $input) { success packageVersion { id version } }
}"""


class PackageFile(NamedTuple):
    """What is published.

    Attributes:
        path: The `.webc`.
        name: `namespace/name`.
        version: Its version.
        sha256: The hash of the file.
        size: Its size in bytes.
        about: What the registry shows beside it: `description`, `license`, `homepage`, `repository`, `readme`, `manifest`.
    """

    path: Path
    name: str
    version: str
    sha256: str
    size: int
    about: Mapping[str, str]


class Poster:
    """A registry that packages are posted to.

    Args:
        url: The URL for its queries.
        client: Who sends; it knows the token.
    """

    def __init__(self, url: str, client: HttpClient) -> None:
        self._url = url
        self._client = client

    def published(self, name: str, version: str) -> frozenset[str] | None:
        """The hashes of the files of a version that is there; None where it is not."""
        found = self._ask(_VERSION, {"name": name, "version": version})["getPackageVersion"]
        # Some registries give the newest version that fits where there is no such one.
        if found is None or found.get("version") != version:
            return None
        hashes = ((found.get(key) or {}).get("piritaSha256Hash") for key in ("v2", "v3"))
        return frozenset(each for each in hashes if isinstance(each, str))

    def post(self, package: PackageFile, progress: Callable[[int], object] | None = None) -> None:
        """Publish a package.

        Args:
            package: The package.
            progress: Called with the number of bytes after each piece that was sent.

        Raises:
            Unreachable: The registry cannot be asked.
            WpmError: It says no.
        """
        release = self._release(package.sha256)
        if release is None:
            self._push(package, progress)
            release = self._release(package.sha256)
        if release is None:
            raise WpmError(f"{self._url}: took the package, and does not have it: try again in a while")
        tag = {
            "packageReleaseId": release,
            "name": package.name,
            "namespace": package.name.rpartition("/")[0] or None,
            "version": package.version,
            "private": False,
            **package.about,
        }
        self._change(_TAG, tag, "tagPackageRelease")

    def _release(self, sha256: str) -> str | None:
        found = self._ask(_RELEASE, {"hash": f"sha256:{sha256}"})["getPackageRelease"]
        return None if found is None else str(found["id"])

    def _push(self, package: PackageFile, progress: Callable[[int], object] | None) -> None:
        asked = {"filename": f"sha256:{package.sha256}", "seconds": _UPLOAD_SECONDS}
        address = (self._ask(_ADDRESS, asked)["getSignedUrlForPackageUpload"] or {}).get("url")
        if not isinstance(address, str):
            raise WpmError(f"{self._url}: gives no address to upload to: is the token right (wpm login)?")
        headers = {"Content-Type": "application/octet-stream"}
        self._client.put(self._session(address), package.path, headers=headers, progress=progress)
        namespace = package.name.rpartition("/")[0]
        self._change(_PUSH, {"namespace": namespace, "signedUrl": address, "private": False}, "pushPackageRelease")

    def _session(self, address: str) -> str:
        """Where the bytes go: signed addresses of Google's storage are asked for it first, others take them themselves."""
        from urllib.parse import urljoin

        headers = {"Content-Type": "application/octet-stream", "Content-Length": "0", "x-goog-resumable": "start"}
        try:
            with self._client.told(address, lambda: self._client.send("POST", address, headers)) as reply:
                location = reply.headers.get("Location")
        except Refused as error:
            if error.status not in (400, 403, 404, 405, 501):
                raise
            return address
        return urljoin(address, location) if location else address

    def _change(self, query: str, given: Mapping[str, Any], field: str) -> None:
        payload = self._ask(query, {"input": given}, repeatable=False)[field]
        if not isinstance(payload, dict) or payload.get("success") is not True:
            raise WpmError(f"{self._url}: {field} failed, and the registry does not say why")

    def _ask(self, query: str, variables: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        value = self._client.post_json(self._url, body, repeatable=repeatable).value
        if not isinstance(value, dict):
            raise WpmError(f"{self._url}: the answer is not one of GraphQL: is this the URL of a registry?")
        if errors := value.get("errors"):
            raise WpmError(f"{self._url}: the registry says: {_message(errors)}")
        data = value.get("data")
        if not isinstance(data, dict):
            raise WpmError(f"{self._url}: the answer is empty: is this the URL of a registry?")
        return _Answer(self._url, data)


class _Answer(dict[str, Any]):
    """The data of an answer; a field that is missing is an error in words."""

    def __init__(self, url: str, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self._url = url

    def __missing__(self, key: str) -> Any:
        raise WpmError(f"{self._url}: the answer lacks {key}: is this the URL of a registry?")


def _message(errors: object) -> str:
    """The first error of an answer, in one line."""
    from pkgmgr.plain_text import one_line

    first = errors[0] if isinstance(errors, list) else errors
    text = first.get("message") if isinstance(first, dict) else first
    return one_line(text if isinstance(text, str) else "", 300) or "something went wrong"
