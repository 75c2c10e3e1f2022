"""The OCI distribution protocol over a directory registry: who asks may pull; who has a token may push to its namespaces.

| path | what |
| --- | --- |
| `/v2/` | says that the protocol is spoken; asks who one is where somebody may push |
| `/v2/NAME/manifests/TAG-or-DIGEST` | GET, HEAD, PUT |
| `/v2/NAME/blobs/DIGEST` | GET, HEAD, with ranges |
| `/v2/NAME/blobs/uploads/` | POST: begin an upload, mount a blob of another repository, or send one at once |
| `/v2/NAME/blobs/uploads/KEY` | PATCH a piece, PUT the last one, GET how far it is, DELETE it |
| `/v2/NAME/tags/list` | the tags, in pages |

A token is the password of Basic authentication, for any name, or a Bearer token.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from pkgmgr.errors import WpmError
from pkgmgr.oci.descriptors import ImageManifest, parse_document
from pkgmgr.oci.reference import check_digest, check_name, check_tag
from pkgmgr.oci.registry import LARGEST_MANIFEST, MANIFEST_TYPES, digest_of
from pkgmgr.server.images.refusals import Refusal
from pkgmgr.server.images.repositories import Repositories
from pkgmgr.server.images.uploads import BlobUpload, BlobUploads

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.wrappers import Request

    from pkgmgr.server.accounts import Account, Accounts

PREFIX: Final = "/v2/"
_UPLOADS: Final = "/blobs/uploads/"
_PATH: Final = re.compile(
    r"/v2/(?P<name>.+?)/(?:manifests/(?P<target>[^/]+)|blobs/uploads/(?P<key>[^/]*)|blobs/(?P<digest>[^/]+)|(?P<tags>tags/list))"
)
_CONTENT_RANGE: Final = re.compile(r"(?:bytes )?([0-9]{1,15})-([0-9]{1,15})(?:/.*)?")
_GLOBAL_NAMESPACE: Final = "_"
_MOST_TAGS: Final = 1000
_YEAR: Final = 365 * 24 * 3600


def is_upload(path: str) -> bool:
    """Whether a request to a path may have a body as large as a blob."""
    return path.startswith(PREFIX) and _UPLOADS in path


def account_of(authorization: str, accounts: Accounts) -> Account | None:
    """Whose token is in a header `Authorization`; None where it is nobody's."""
    scheme, _, proof = authorization.partition(" ")
    match scheme.casefold():
        case "bearer":
            return accounts.find(proof.strip())
        case "basic":
            with suppress(ValueError):
                return accounts.find(base64.b64decode(proof.strip(), validate=True).decode().partition(":")[2])
    return None


class ImageApi:
    """What answers below `/v2/`.

    Args:
        root: The registry's directory.
        accounts: Who may push.
        read_only: Whether nobody may.
        largest: No blob may have more bytes.
    """

    def __init__(self, root: Path, accounts: Accounts, *, read_only: bool, largest: int) -> None:
        self._repositories = Repositories(root)
        self._uploads = BlobUploads(root / "uploads", largest)
        self._accounts = accounts
        self._read_only = read_only
        if not read_only:
            self._uploads.clear()

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        try:
            response = self._answer(request)
        except Refusal as error:
            response = _refused(error.status, error.code, str(error))
        except WpmError as error:
            # A name, a tag or a digest that cannot be one.
            code = "DIGEST_INVALID" if "digest" in str(error) else "NAME_INVALID"
            response = _refused(400, code, str(error))
        response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return response

    def _answer(self, request: Request) -> Response:
        if request.path in ("/v2/", "/v2"):
            _only(request, "GET", "HEAD")
            if not self._read_only and self._account(request) is None:
                raise Refusal(401, "UNAUTHORIZED", "pushing needs a token, pulling does not")
            return _json({})
        found = _PATH.fullmatch(request.path)
        if found is None:
            raise Refusal(404, "NAME_UNKNOWN", "there is nothing at this path")
        name = check_name(found["name"])
        if found["target"] is not None:
            return self._manifest(request, name, found["target"])
        if found["digest"] is not None:
            return self._blob(request, name, check_digest(found["digest"]))
        if found["tags"] is not None:
            return self._tags(request, name)
        return self._upload(request, name, found["key"])

    def _manifest(self, request: Request, name: str, target: str) -> Response:
        _only(request, "GET", "HEAD", "PUT")
        target = check_digest(target) if ":" in target else check_tag(target)
        if request.method == "PUT":
            return self._put_manifest(request, name, target)
        manifest = self._repositories.manifest(name, target)
        if manifest is None:
            self._check_known(name)
            raise Refusal(404, "MANIFEST_UNKNOWN", "no such tag or manifest")
        response = _file(request, manifest.path, manifest.media_type, manifest.digest)
        response.headers["Cache-Control"] = "no-cache" if ":" not in target else f"max-age={_YEAR}, immutable"
        return response

    def _put_manifest(self, request: Request, name: str, target: str) -> Response:
        self._writer(request, name)
        media_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        if media_type not in MANIFEST_TYPES:
            raise Refusal(400, "MANIFEST_INVALID", f"Content-Type: expected one of {', '.join(MANIFEST_TYPES)}")
        data = request.environ["wsgi.input"].read(LARGEST_MANIFEST + 1)
        if len(data) > LARGEST_MANIFEST:
            raise Refusal(413, "MANIFEST_INVALID", f"a manifest may have at most {LARGEST_MANIFEST} bytes")
        digest = digest_of(data)
        if ":" in target and target != digest:
            raise Refusal(400, "DIGEST_INVALID", f"the bytes have the digest {digest}")
        self._check_manifest(name, data, media_type)
        self._repositories.put_manifest(name, digest, media_type, data, None if ":" in target else target)
        response = Response(status=201)
        response.headers["Location"] = f"{PREFIX}{name}/manifests/{digest}"
        response.headers["Docker-Content-Digest"] = digest
        return response

    def _check_manifest(self, name: str, data: bytes, media_type: str) -> None:
        """See that a manifest is one, and that all that it names is there."""
        try:
            document = parse_document(data)
            said = json.loads(data).get("mediaType")
        except (WpmError, ValueError, RecursionError) as error:
            raise Refusal(400, "MANIFEST_INVALID", str(error)) from None
        if said not in (None, media_type):
            raise Refusal(400, "MANIFEST_INVALID", "it says that it is something else than its Content-Type")
        if isinstance(document, ImageManifest):
            missing = [
                each
                for each in (document.config, *document.layers)
                if (path := self._repositories.blob(name, each.digest)) is None or path.stat().st_size != each.size
            ]
        else:
            missing = [each for each in document if self._repositories.manifest(name, each.digest) is None]
        if missing:
            raise Refusal(
                400, "MANIFEST_BLOB_UNKNOWN", f"the repository does not have {missing[0].digest} of that size"
            )

    def _blob(self, request: Request, name: str, digest: str) -> Response:
        _only(request, "GET", "HEAD")
        path = self._repositories.blob(name, digest)
        if path is None:
            self._check_known(name)
            raise Refusal(404, "BLOB_UNKNOWN", "no such blob")
        response = _file(request, path, "application/octet-stream", digest)
        response.headers["Cache-Control"] = f"max-age={_YEAR}, immutable"
        return response

    def _tags(self, request: Request, name: str) -> Response:
        _only(request, "GET", "HEAD")
        self._check_known(name)
        text = request.args.get("n", "")
        most = min(int(text), _MOST_TAGS) if text.isascii() and text.isdigit() and len(text) < 9 else _MOST_TAGS
        last = request.args.get("last", "")
        found = list(islice((tag for tag in self._repositories.tags(name) if tag > last), most + 1))
        response = _json({"name": name, "tags": found[:most]})
        if len(found) > most > 0:
            following = f"{PREFIX}{name}/tags/list?n={most}&last={quote(found[most - 1])}"
            response.headers["Link"] = f'<{following}>; rel="next"'
        return response

    def _upload(self, request: Request, name: str, key: str) -> Response:
        account = self._writer(request, name)
        if not key:
            _only(request, "POST")
            return self._begin(request, name, account)
        _only(request, "GET", "PATCH", "PUT", "DELETE")
        upload = self._uploads.find(name, key, account.username)
        with upload.lock:
            match request.method:
                case "GET":
                    return self._progress(upload, 204)
                case "DELETE":
                    self._uploads.end(upload)
                    return Response(status=204)
                case "PATCH":
                    self._append(request, upload)
                    return self._progress(upload, 202)
            digest = check_digest(request.args.get("digest", ""))
            self._append(request, upload)
            return self._settle(upload, digest)

    def _begin(self, request: Request, name: str, account: Account) -> Response:
        mounted, source = request.args.get("mount", ""), request.args.get("from", "")
        if mounted and source and self._repositories.mount(name, check_digest(mounted), check_name(source)):
            return _created(name, mounted)
        upload = self._uploads.begin(name, account.username)
        if not (digest := request.args.get("digest")):
            return self._progress(upload, 202)
        with upload.lock:
            try:
                check_digest(digest)
                self._append(request, upload)
            except BaseException:
                self._uploads.end(upload)
                raise
            return self._settle(upload, digest)

    def _append(self, request: Request, upload: BlobUpload) -> None:
        length = request.content_length
        if length is None:
            raise Refusal(411, "SIZE_INVALID", "a Content-Length is needed")
        if text := request.headers.get("Content-Range"):
            found = _CONTENT_RANGE.fullmatch(text.strip())
            if found is None or int(found[2]) - int(found[1]) + 1 != length:
                raise Refusal(400, "BLOB_UPLOAD_INVALID", "Content-Range: expected FIRST-LAST of the body")
            if int(found[1]) != upload.size:
                raise Refusal(416, "BLOB_UPLOAD_INVALID", f"{upload.size} bytes are there: go on with the next")
        upload.append(request.environ["wsgi.input"], length, self._uploads.largest)

    def _settle(self, upload: BlobUpload, digest: str) -> Response:
        if not upload.path.exists():
            upload.path.touch()
        self._uploads.settle(upload, digest, self._repositories)
        return _created(upload.name, digest)

    def _progress(self, upload: BlobUpload, status: int) -> Response:
        response = Response(status=status)
        response.headers["Location"] = f"{PREFIX}{upload.name}{_UPLOADS}{upload.key}"
        response.headers["Docker-Upload-UUID"] = upload.key
        response.headers["Range"] = f"0-{max(0, upload.size - 1)}"
        return response

    def _check_known(self, name: str) -> None:
        if not self._repositories.has(name):
            raise Refusal(404, "NAME_UNKNOWN", "no such repository")

    def _writer(self, request: Request, name: str) -> Account:
        """Who pushes to a repository; raises `Refusal` where they may not."""
        if self._read_only:
            raise Refusal(403, "DENIED", "nobody may push here")
        account = self._account(request)
        if account is None:
            raise Refusal(401, "UNAUTHORIZED", "pushing needs a token")
        namespace = name.partition("/")[0] if "/" in name else _GLOBAL_NAMESPACE
        if not account.may_publish(namespace):
            raise Refusal(403, "DENIED", f"{account.username} may not push to {namespace}")
        return account

    def _account(self, request: Request) -> Account | None:
        return account_of(request.headers.get("Authorization", ""), self._accounts)


def _file(request: Request, path: Path, media_type: str, digest: str) -> Response:
    try:
        response = send_file(path, request.environ, mimetype=media_type, conditional=True, etag=digest, max_age=None)
    except FileNotFoundError:
        raise Refusal(404, "BLOB_UNKNOWN", "it was removed just now") from None
    response.headers["Content-Type"] = media_type
    response.headers["Docker-Content-Digest"] = digest
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _created(name: str, digest: str) -> Response:
    response = Response(status=201)
    response.headers["Location"] = f"{PREFIX}{name}/blobs/{digest}"
    response.headers["Docker-Content-Digest"] = digest
    return response


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json; charset=utf-8")


def _refused(status: int, code: str, message: str) -> Response:
    response = _json({"errors": [{"code": code, "message": message}]}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="wpm registry"'
    return response


def _only(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise Refusal(405, "UNSUPPORTED", f"only {', '.join(methods)} can be asked here")
