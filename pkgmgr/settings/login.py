"""Who somebody is at an OCI registry."""

from __future__ import annotations

from typing import Final, NamedTuple

from pkgmgr.errors import WpmError

_LONGEST: Final = 16 << 10


class Login(NamedTuple):
    """A name and what proves it; no text of it shows the secret.

    Attributes:
        username: The name; empty beside an identity token.
        secret: The password, or the identity token.
        place: Where it is kept, for messages.
        is_identity: Whether the secret is an identity token (OAuth 2's refresh token) instead of a password.
    """

    username: str
    secret: str
    place: str
    is_identity: bool = False

    def __repr__(self) -> str:
        return f"<Login {self.username!r} of {self.place}>"

    def basic(self) -> str:
        """The value of the header `Authorization` (RFC 7617)."""
        import base64

        return "Basic " + base64.b64encode(f"{self.username}:{self.secret}".encode()).decode()


def check_username(name: str, what: str) -> str:
    """The name; raises `WpmError` for what cannot be one, as a colon would end it."""
    if not name or len(name) > _LONGEST or ":" in name or not name.isprintable():
        raise WpmError(f"{what}: not a user name: expected printable characters without a colon")
    return name


def check_secret(secret: str, what: str) -> str:
    """The password; raises `WpmError`, which does not quote it, for what cannot be one."""
    if not secret or len(secret) > _LONGEST or not secret.isprintable():
        raise WpmError(f"{what}: not a password: expected up to {_LONGEST} printable characters")
    return secret
