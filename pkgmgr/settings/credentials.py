"""Tokens: `credentials.toml` beside the configuration, of mode 0600, one token for each origin.

    [tokens]
    "https://registry.wasmer.io" = "wap_…"

    [logins]
    "ghcr.io" = { username = "ada", password = "…" }

The logins are those of OCI registries, by their host (`pkgmgr.oci.reference.parse_host`). A token goes to its own origin
and nowhere else (`HttpClient` sees to it), and into no message, lock or log. `WPM_TOKEN` is the token for the default
registry of this run, and wins over the file. A file that others of this machine can read is put right, with a warning:
refusing it would only teach people to type `chmod` without the warning.
"""

from __future__ import annotations

import os
import stat
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pkgmgr.errors import WpmError
from pkgmgr.notices import notice
from pkgmgr.settings.config import config_folder
from pkgmgr.settings.login import Login, check_secret, check_username

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE_NAME: Final = "credentials.toml"
VARIABLE: Final = "WPM_TOKEN"

_TOKENS: Final = "tokens"
_LOGINS: Final = "logins"
_LARGEST: Final = 1 << 20
_LONGEST: Final = 4096
_MODE: Final = 0o600
_OTHERS: Final = 0o077


class Credentials:
    """The tokens of a user; the file is read when the first one is asked for.

    Args:
        path: The file; None is the user's own.
        default_origin: The origin that `WPM_TOKEN` is for; None leaves the variable alone.
        warn: Told what was put right, one line each.
    """

    def __init__(
        self,
        path: Path | None = None,
        default_origin: str | None = None,
        warn: Callable[[str], object] | None = None,
    ) -> None:
        self.path = config_folder() / FILE_NAME if path is None else path
        self._default_origin = default_origin
        self._warn = warn or notice

    def __repr__(self) -> str:
        # No token gets into a traceback or a log by way of this object.
        return f"<Credentials {self.path}>"

    def token(self, origin: str) -> str | None:
        """The token for an origin (`https://host`, `http://host:port`); None where there is none.

        Raises:
            WpmError: The file cannot be read, or is no such file.
        """
        variable = os.environ.get(VARIABLE)
        if variable and origin == self._default_origin:
            return check_token(variable, VARIABLE)
        return self._tokens.get(origin)

    def origins(self) -> list[str]:
        """The origins that the file has tokens for."""
        return sorted(self._tokens)

    def login(self, host: str) -> Login | None:
        """The login for an OCI registry; None where there is none. Raises `WpmError` as `token` does."""
        return self._logins.get(host)

    def hosts(self) -> list[str]:
        """The OCI registries that the file has logins for."""
        return sorted(self._logins)

    def store(self, origin: str, token: str) -> None:
        """Keep a token for an origin.

        Raises:
            WpmError: It is no token, or the file cannot be written.
        """
        self._write({**self._tokens, origin: check_token(token, "the token")}, self._logins)

    def store_login(self, host: str, username: str, password: str) -> None:
        """Keep a login for an OCI registry; raises `WpmError` as `store` does."""
        login = Login(check_username(username, "the user"), check_secret(password, "the password"), str(self.path))
        self._write(self._tokens, {**self._logins, host: login})

    def forget(self, origin: str) -> bool:
        """Remove the token of an origin; gives whether there was one. Raises `WpmError` as `store` does."""
        if origin not in self._tokens:
            return False
        self._write({known: token for known, token in self._tokens.items() if known != origin}, self._logins)
        return True

    def forget_login(self, host: str) -> bool:
        """Remove the login of an OCI registry; gives whether there was one. Raises `WpmError` as `store` does."""
        if host not in self._logins:
            return False
        self._write(self._tokens, {known: login for known, login in self._logins.items() if known != host})
        return True

    @property
    def _tokens(self) -> dict[str, str]:
        return self._kept[0]

    @property
    def _logins(self) -> dict[str, Login]:
        return self._kept[1]

    @cached_property
    def _kept(self) -> tuple[dict[str, str], dict[str, Login]]:
        data = self._read()
        if data is None:
            return {}, {}
        from pkgmgr.files.reading import parse_toml

        try:
            document = parse_toml(data)
        except WpmError:
            # What TOML says of it could quote a token.
            raise WpmError(f"{self.path}: not TOML: put it right, or remove it and log in again") from None
        return self._checked(document), self._checked_logins(document)

    def _checked(self, document: dict[str, Any]) -> dict[str, str]:
        tokens = document.get(_TOKENS, {})
        if not isinstance(tokens, dict):
            raise WpmError(f"{self.path}: key {_TOKENS}: expected a table of tokens by origin")
        for origin, token in tokens.items():
            place = f"{self.path}: the token of {origin[:100]!r}"
            if not isinstance(token, str):
                raise WpmError(f"{place}: expected a text")
            check_token(token, place)
        return tokens

    def _checked_logins(self, document: dict[str, Any]) -> dict[str, Login]:
        logins = document.get(_LOGINS, {})
        if not isinstance(logins, dict):
            raise WpmError(f"{self.path}: key {_LOGINS}: expected a table of logins by host")
        found = {}
        for host, entry in logins.items():
            place = f"{self.path}: the login of {host[:100]!r}"
            match entry:
                case {"username": str(username), "password": str(password)}:
                    found[host] = Login(check_username(username, place), check_secret(password, place), str(self.path))
                case _:
                    raise WpmError(f"{place}: expected a username and a password")
        return found

    def _read(self) -> bytes | None:
        try:
            # A pipe would be waited for.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise WpmError(f"{self.path}: cannot be read: {error.strerror or error}") from None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise WpmError(f"{self.path}: not a file")
            if status.st_mode & _OTHERS:
                self._close_to_others(descriptor)
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise WpmError(f"{self.path}: larger than the {_LARGEST} bytes that it may have")
        return data

    def _close_to_others(self, descriptor: int) -> None:
        try:
            os.fchmod(descriptor, _MODE)
        except OSError as error:
            raise WpmError(
                f"{self.path}: others can read the tokens in it, and that cannot be changed "
                f"({error.strerror or error}): run: chmod 600 {self.path}"
            ) from None
        self._warn(f"{self.path}: others of this machine could read the tokens in it; its mode is 0600 now")

    def _write(self, tokens: dict[str, str], logins: dict[str, Login]) -> None:
        from pkgmgr.files.replacing import replace_file

        lines = ["# Written by wpm login. Whoever has these tokens can publish in your name.", f"[{_TOKENS}]"]
        lines += [f'"{origin}" = "{token}"' for origin, token in sorted(tokens.items())]
        if logins:
            lines += ["", f"[{_LOGINS}]"]
        lines += [
            f"{_quoted(host)} = {{ username = {_quoted(each.username)}, password = {_quoted(each.secret)} }}"
            for host, each in sorted(logins.items())
        ]
        target = self.path.resolve()
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(target, ("\n".join(lines) + "\n").encode(), _MODE)
        except OSError as error:
            raise WpmError(f"{self.path}: cannot be written: {error.strerror or error}") from None
        self.__dict__["_kept"] = tokens, logins


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def check_token(token: str, what: str) -> str:
    """The token, without blanks around it; raises `WpmError`, which does not quote it, for what cannot be one.

    Args:
        token: What may be a token: what goes into a header of HTTP must have no line ends in it.
        what: What the error calls it.
    """
    token = token.strip()
    if not token or len(token) > _LONGEST or not all("!" <= each <= "~" and each not in '"\\' for each in token):
        raise WpmError(f"{what}: not a token: expected up to {_LONGEST} letters, digits and marks without blanks")
    return token
