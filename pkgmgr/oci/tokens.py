"""Who asks: what a registry's challenge wants, and the tokens that its token server gives.

A login goes to the registry that it is for, and to the token server that this registry names, nowhere else: never over plain
http but on the loopback, and never along with a redirect to another origin. Tokens are kept in memory for their lifetime.

Sources: https://distribution.github.io/distribution/spec/auth/token/, .../oauth/, RFC 9110 section 11.6.1
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from pkgmgr.errors import Refused, WpmError
from pkgmgr.http.origin import origin_of, shown
from pkgmgr.oci.reference import is_loopback
from pkgmgr.oci.refusals import said_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from pkgmgr.http.client import HttpClient
    from pkgmgr.settings.login import Login

_CLIENT: Final = "wpm"
_USUAL_SECONDS: Final = 60.0
"""For how long a token is good that does not say it."""
_LONGEST_SECONDS: Final = 3600.0
_MARGIN: Final = 10.0
_LARGEST: Final = 1 << 20
_LONGEST_CHALLENGE: Final = 8192
_SCHEME: Final = re.compile(r"\s*,?\s*([A-Za-z][A-Za-z0-9_-]*)(?=\s|,|$)(?!\s*=)")
_PARAMETER: Final = re.compile(r'\s*,?\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,65536}")

Scopes = frozenset[str]
"""What is asked for: texts `repository:NAME:pull,push`."""


class Challenge(NamedTuple):
    """One way in that a server offers: the scheme in small letters, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> list[Challenge]:
    """The challenges of a header `WWW-Authenticate`, or of several that were joined by commas; what is none is left out."""
    header = header[:_LONGEST_CHALLENGE]
    found: list[Challenge] = []
    position = 0
    while (match := _SCHEME.match(header, position)) is not None:
        position = match.end()
        parameters: dict[str, str] = {}
        while (parameter := _PARAMETER.match(header, position)) is not None:
            value = re.sub(r"\\(.)", r"\1", parameter[2]) if parameter[2] is not None else parameter[3]
            parameters.setdefault(parameter[1].lower(), value)
            position = parameter.end()
        found.append(Challenge(match[1].lower(), parameters))
    return found


class Authorization:
    """What goes into the header `Authorization` for one registry; any number of threads may ask.

    Args:
        host: The registry (`parse_host`).
        url: Where it answers.
        client: What asks the token server.
        find_login: Gives the login for a repository; asked when the registry wants one.
    """

    def __init__(self, host: str, url: str, client: HttpClient, find_login: Callable[[], Login | None]) -> None:
        self._host = host
        self._url = url
        self._client = client
        self._find_login = find_login
        self._lock = threading.Lock()
        self._known: dict[Scopes, tuple[str, float]] = {}
        self._basic: str | None = None

    def __repr__(self) -> str:
        return f"<Authorization for {self._host}>"

    def header(self, scopes: Scopes) -> str | None:
        """What is known to do for these scopes; None where nothing is."""
        with self._lock:
            if self._basic is not None:
                return self._basic
            known = self._known.get(scopes)
            return known[0] if known is not None and known[1] > time.monotonic() else None

    def answer(self, challenge: str, said: str, scopes: Scopes, refused: str | None) -> None:
        """Find what a challenge wants, so that `header` gives it.

        Args:
            challenge: The header `WWW-Authenticate`.
            said: What the registry said with it.
            scopes: What is asked for.
            refused: What `header` gave that was not accepted.

        Raises:
            Refused: There is no login, or the registry or its token server does not accept it.
            WpmError: The challenge cannot be answered.
        """
        with self._lock:
            known = self._known.get(scopes)
            if known is not None and known[0] != refused and known[1] > time.monotonic():
                # Another thread has been there.
                return
            self._known.pop(scopes, None)
            offered = {each.scheme: each for each in reversed(parse_challenges(challenge))}
            if (bearer := offered.get("bearer")) is not None and bearer.parameters.get("realm"):
                self._known[scopes] = self._token(bearer, scopes)
                return
            if "basic" in offered:
                if self._basic not in (None, refused):
                    return
                login = self._find_login()
                if login is None or login.is_identity or refused:
                    self._basic = None
                    raise self._no_entry(login, said)
                self._basic = login.basic()
                return
        raise Refused(f"it wants to know who asks in a way that is not known{said}", 401)

    def no_entry(self, said: str) -> Refused:
        """The error for a registry that takes neither what we had nor nothing."""
        return self._no_entry(self._find_login(), said)

    def _no_entry(self, login: Login | None, said: str) -> Refused:
        said = _without(said, login)
        if login is None:
            return Refused(f"it needs a login (401){said}: run: wpm login --registry {self._host}", 401)
        return Refused(f"the login for {self._host} (of {login.place}) is not accepted (401){said}", 401)

    def _token(self, challenge: Challenge, scopes: Scopes) -> tuple[str, float]:
        """A token, and until when it is good."""
        realm = self._checked_realm(challenge.parameters["realm"])
        login = self._find_login()
        asked = [("service", challenge.parameters["service"])] if challenge.parameters.get("service") else []
        asked += [("scope", scope) for scope in _united(scopes, challenge.parameters.get("scope", ""))]
        headers = {"Accept": "application/json"}

        def attempt() -> Mapping[str, Any]:
            from pkgmgr.http.body import Body
            from pkgmgr.http.json_body import read_json

            def judge(reply: requests.Response) -> requests.Response:
                return self._judged(reply, login)

            if login is not None and login.is_identity:
                secret = [("refresh_token", login.secret), ("grant_type", "refresh_token"), ("client_id", _CLIENT)]
                scope = [("scope", " ".join(value for key, value in asked if key == "scope"))]
                form = urlencode([each for each in asked if each[0] != "scope"] + scope + secret).encode()
                form_headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
                reply = self._client.send("POST", realm, form_headers, lambda: form, judge=judge, stay=True)
            else:
                query = urlencode(asked, quote_via=quote)
                url = f"{realm}{'&' if urlsplit(realm).query else '?'}{query}" if asked else realm
                proof = {} if login is None else {"Authorization": login.basic()}
                reply = self._client.send("GET", url, headers | proof, judge=judge)
            with reply:
                value = read_json(Body(reply, self._client.patience.stall, self._client.patience.stall), _LARGEST)
            if not isinstance(value, dict):
                raise WpmError("what the token server answered is no token")
            return value

        value = self._client.told(realm, attempt)
        token = value.get("token") or value.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise WpmError(f"{shown(realm)}: what the token server answered is no token")
        seconds = value.get("expires_in")
        good = (
            float(min(seconds, _LONGEST_SECONDS))
            if isinstance(seconds, int | float) and seconds > 0
            else _USUAL_SECONDS
        )
        return f"Bearer {token}", time.monotonic() + good - min(_MARGIN, good / 4)

    def _judged(self, reply: requests.Response, login: Login | None) -> requests.Response:
        from pkgmgr.http.exchange import raise_passing

        if reply.status_code == 200:
            return reply
        try:
            said = _without(str(said_in(reply)), login)
            raise_passing(reply, said)
            if reply.status_code in (400, 401, 403):
                raise self._no_entry(login, said)
            raise Refused(f"the token server replied {reply.status_code}{said}", reply.status_code)
        finally:
            reply.close()

    def _checked_realm(self, realm: str) -> str:
        """The token server's URL; raises `WpmError` where no secret may go there."""
        parts = urlsplit(origin_of(realm))
        if urlsplit(realm).username is not None or not realm.isascii() or not realm.isprintable() or " " in realm:
            raise WpmError(f"its token server is not a URL: {shown(realm)}")
        if parts.scheme != "https" and (self._url.startswith("https:") or not is_loopback(parts.netloc)):
            raise WpmError(f"its token server does not speak https: {shown(realm)}: nothing is sent there")
        return realm.partition("#")[0]


def _without(said: str, login: Login | None) -> str:
    """What a server says, unless it repeats what it was told."""
    return "" if login is not None and (login.secret in said or login.basic().split()[1] in said) else said


def _united(scopes: Scopes, offered: str) -> list[str]:
    """What is asked for together with what the challenge says is needed, the actions of one thing in one scope."""
    actions: dict[str, list[str]] = {}
    for scope in [*sorted(scopes), *offered.split()[:20]]:
        thing, _, wanted = scope.rpartition(":")
        known = actions.setdefault(thing, [])
        known += [each for each in wanted.split(",") if each and each not in known]
    return [f"{thing}:{','.join(wanted)}" for thing, wanted in actions.items() if thing and wanted]
