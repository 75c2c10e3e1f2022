"""Who may write: tokens, the users they stand for, and the namespaces that these may publish to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_LARGEST = 1 << 20


class Account(NamedTuple):
    """A user.

    Attributes:
        username: Their name.
        namespaces: Where they may publish; None is everywhere.
    """

    username: str
    namespaces: frozenset[str] | None = None

    def may_publish(self, namespace: str) -> bool:
        """Whether they may publish to a namespace."""
        return self.namespaces is None or namespace in self.namespaces


class Accounts:
    """The users of a server.

    Args:
        accounts: Each user by their token.
    """

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        # By hash: how long a look-up takes says nothing of a token then.
        self._accounts = {_hashed(token): account for token, account in accounts.items()}

    def __bool__(self) -> bool:
        return bool(self._accounts)

    def find(self, token: str | None) -> Account | None:
        """The user with this token; None where it is nobody's."""
        return None if token is None else self._accounts.get(_hashed(token))

    def named(self, username: str) -> Account | None:
        """The user with this name."""
        return next((account for account in self._accounts.values() if account.username == username), None)


def read_tokens(path: Path) -> dict[str, Account]:
    """Read a file of tokens: in each line a token, its user, and the namespaces where that user may publish.

    Without namespaces they may publish everywhere. Empty lines and what follows a `#` at the start of a line are skipped.

    Raises:
        WpmError: The file cannot be read, or a line is not of that form.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise WpmError(f"{path}: not UTF-8: {error}") from None
    if len(data) > _LARGEST:
        raise WpmError(f"{path}: larger than {_LARGEST} bytes: is it a file of tokens?")
    return _parse(text.splitlines(), path)


def _parse(lines: Iterable[str], path: Path) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2 or not line.isprintable():
            raise WpmError(f"{path}: line {number}: expected: TOKEN USER [NAMESPACE ...]")
        token, username, *namespaces = words
        if token in accounts:
            raise WpmError(f"{path}: line {number}: the token is there twice")
        accounts[token] = Account(username, frozenset(namespaces) if namespaces else None)
    if not accounts:
        raise WpmError(f"{path}: no token in it: expected lines TOKEN USER [NAMESPACE ...]")
    return accounts


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
