"""The server as a WSGI application.

| path | what |
| --- | --- |
| `/graphql` | queries and mutations: POST of JSON, or a query by GET |
| `/packages/NAMESPACE/NAME/VERSION.webc` | a version's file; `_` is the namespace of packages without one |
| `/sha256/HEX.webc` | a file by its hash |
| `/uploads/KEY` | where a file is written that is published then |
| `/v2/…` | images, by the OCI distribution protocol (`pkgmgr.server.images`) |
| `/` | a line that says what this is |
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.http import parse_etags
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import REGISTRY
from pkgmgr.server.accounts import Account, Accounts
from pkgmgr.server.answers import Answers, KeptAnswer, make_answer
from pkgmgr.server.catalog import Catalog
from pkgmgr.server.downloads import send_package
from pkgmgr.server.images.api import PREFIX as IMAGES
from pkgmgr.server.images.api import ImageApi, account_of, is_upload
from pkgmgr.server.limits import LARGEST_BODY
from pkgmgr.server.schema import NotAQuery, answer, subjects
from pkgmgr.server.session import Denied, Session
from pkgmgr.server.uploads import PREFIX, Uploads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_UPLOAD: Final = 4 << 30
"""No package of more bytes is taken, unless the server is told to take less."""

_LOG: Final = logging.getLogger("wpm.registry")
_ROUTES: Final = Map(
    [
        Rule("/", endpoint="home"),
        Rule("/graphql", endpoint="graphql"),
        Rule("/packages/<namespace>/<name>/<file>", endpoint="version"),
        Rule("/sha256/<file>", endpoint="by_hash"),
        Rule(f"{PREFIX}<key>", endpoint="upload"),
    ],
    strict_slashes=False,
    redirect_defaults=False,
    merge_slashes=False,
)


def make_app(
    root: Path,
    *,
    tokens: Mapping[str, str | Account] = {},
    read_only: bool = False,
    largest_upload: int = LARGEST_UPLOAD,
    public_url: str | None = None,
) -> WSGIApplication:
    """A directory registry as a WSGI application.

    Args:
        root: The registry's directory; `packages` is in it.
        tokens: Who may write: each user by their token. Without any nobody may.
        read_only: Whether nobody may, tokens or not.
        largest_upload: No package with more bytes is taken.
        public_url: The server's URL as clients see it, where that is not what they send as `Host`.

    Raises:
        WpmError: The directory is no registry.
    """
    if not (root / "packages").is_dir():
        raise WpmError(
            f"{root}: not a {REGISTRY}: there is no directory 'packages' in it (make one to begin a registry)"
        )
    return RegistryApp(root, tokens, read_only, largest_upload, public_url)


class RegistryApp:
    """What `make_app` gives."""

    def __init__(
        self,
        root: Path,
        tokens: Mapping[str, str | Account],
        read_only: bool,
        largest_upload: int,
        public_url: str | None,
    ) -> None:
        self.catalog = Catalog(root)
        self._turn = threading.Lock()
        self._answers = Answers(self.catalog.registry.state)
        self.uploads = Uploads(root / "uploads", largest_upload)
        self._accounts = Accounts(
            {token: each if isinstance(each, Account) else Account(each) for token, each in tokens.items()}
        )
        self._read_only = read_only or not tokens
        self._images = ImageApi(root, self._accounts, read_only=self._read_only, largest=largest_upload)
        self._public_url = public_url.rstrip("/") if public_url else None
        if not self._read_only:
            self.uploads.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, and log it in one line."""
        began = time.monotonic()
        request = Request(environ)
        try:
            response = self._answer(request)
        except HTTPException as error:
            response = _said(error.code or 500, error.description or error.name)
        except (Denied, WpmError) as error:
            response = _said(400, str(error))
        except Exception:
            _LOG.exception("a request failed")
            response = _said(500, "the registry failed to answer this")
        response.headers["X-Content-Type-Options"] = "nosniff"
        _log(request, response, time.monotonic() - began)
        return response(environ, start_response)

    def is_known(self, authorization: str) -> bool:
        """Whether a header `Authorization` is of somebody who may write somewhere."""
        return not self._read_only and account_of(authorization, self._accounts) is not None

    def _answer(self, request: Request) -> Response:
        if request.path.startswith(IMAGES) or request.path == IMAGES[:-1]:
            return self._images.answer(request)
        endpoint, values = _ROUTES.bind_to_environ(request.environ).match()
        match endpoint:
            case "graphql":
                return self._graphql(request)
            case "version":
                _only(request, "GET", "HEAD")
                return send_package(request, self.catalog, **values)
            case "by_hash":
                _only(request, "GET", "HEAD")
                return send_package(request, self.catalog, None, None, values["file"])
            case "upload":
                return self._upload(request)
        _only(request, "GET", "HEAD")
        return Response(
            "A registry of WebAssembly packages: its queries are answered at /graphql, images are at /v2/.\n"
        )

    def _graphql(self, request: Request) -> Response:
        _only(request, "GET", "HEAD", "POST")
        status = 200
        try:
            query, variables, operation = _asked(request)
            made = self._answered(request, query, variables, operation)
        except NotAQuery as error:
            made, status = make_answer({"errors": error.errors}), 400
        response = Response(None, status, content_type="application/json; charset=utf-8")
        response.headers["Cache-Control"] = "no-cache"
        response.vary.update(("Accept-Encoding", "Authorization"))
        if made.etag is not None:
            response.set_etag(made.etag)
            if parse_etags(request.headers.get("If-None-Match")).contains_weak(made.etag):
                response.status_code = 304
                response.headers.pop("Content-Type", None)
                return response
        if made.packed is not None and request.accept_encodings.quality("gzip") > 0:
            response.set_data(made.packed)
            response.headers["Content-Encoding"] = "gzip"
        else:
            response.set_data(made.body)
        return response

    def _answered(
        self, request: Request, query: str, variables: dict[str, Any] | None, operation: str | None
    ) -> KeptAnswer:
        """The answer to a query; one that was given before, where nothing that it is about has changed."""
        session, may_change = self._session(request), request.method == "POST"
        about = subjects(query, variables, operation)
        if about is None:
            return make_answer(answer(session, query, variables, operation, may_change=may_change))
        key = query, operation, tuple(sorted((variables or {}).items())), session.base_url
        # One at a time: threads that ask the file system for thousands of small things hinder one another.
        with self._turn:
            if (kept := self._answers.get(key)) is not None:
                return kept
            states = self._answers.states(about)
            made = make_answer(answer(session, query, variables, operation, may_change=may_change))
            if states is not None and made.etag is not None:
                self._answers.put(key, about, states, made)
            return made

    def _upload(self, request: Request) -> Response:
        _only(request, "POST", "PUT")
        upload = self.uploads.find(request.path)
        if upload is None or self._read_only:
            raise NotFound("no such upload: its address has expired, or never was")
        if request.method == "POST":
            response = Response(status=201)
            response.headers["Location"] = self._base_url(request) + request.path
            return response
        length = request.content_length
        if length is None:
            return _said(411, "a Content-Length is needed")
        done = self.uploads.write(upload, request.environ["wsgi.input"], length, request.headers.get("Content-Range"))
        response = _said(done.status, done.message) if done.message else Response(status=done.status)
        if done.status == 308 and done.received:
            response.headers["Range"] = f"bytes=0-{done.received - 1}"
        return response

    def _session(self, request: Request) -> Session:
        token = _token(request)
        account, base_url = self._accounts.find(token), self._base_url(request)
        return Session(
            self.catalog, self.uploads, self._accounts, account, token is not None, base_url, self._read_only
        )

    def _base_url(self, request: Request) -> str:
        return self._public_url or request.host_url.rstrip("/")


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" and token else None


def _asked(request: Request) -> tuple[str, dict[str, Any] | None, str | None]:
    """The query of a request, its variables and the name of its operation."""
    asked: Any
    if request.method == "POST":
        if (request.content_length or 0) > LARGEST_BODY:
            raise NotAQuery([{"message": f"a query may have at most {LARGEST_BODY} bytes"}])
        try:
            asked = json.loads(request.environ["wsgi.input"].read(LARGEST_BODY))
        except (ValueError, RecursionError):
            raise NotAQuery([{"message": "expected JSON with a query in it"}]) from None
    else:
        asked = request.args.to_dict()
        try:
            asked["variables"] = json.loads(asked.get("variables") or "null")
        except (ValueError, RecursionError):
            raise NotAQuery([{"message": "variables: expected JSON"}]) from None
    query, variables, operation = (
        (asked.get("query"), asked.get("variables"), asked.get("operationName"))
        if isinstance(asked, dict)
        else (None, None, None)
    )
    if not isinstance(query, str) or not isinstance(variables, dict | None) or not isinstance(operation, str | None):
        raise NotAQuery([{"message": "expected an object with query, variables and operationName"}])
    return query, variables, operation or None


def _only(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise MethodNotAllowed(methods)


def _said(status: int, message: str) -> Response:
    """An answer that is one line."""
    return Response(f"{message}\n", status, content_type="text/plain; charset=utf-8")


def _log(request: Request, response: Response, seconds: float) -> None:
    path = request.path if not request.path.startswith(PREFIX) else f"{PREFIX}..."
    if is_upload(path):
        path = f"{path.partition('/uploads/')[0]}/uploads/..."
    _LOG.info(
        "%s %s %s %s %s %.1fms",
        request.remote_addr,
        request.method,
        ascii(path)[1:-1][:300],
        response.status_code,
        response.content_length if response.content_length is not None else "-",
        seconds * 1000,
    )
