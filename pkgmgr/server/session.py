"""What the resolvers of one request may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pkgmgr.server.catalog import Packaged, download_path

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from pkgmgr.server.accounts import Account, Accounts
    from pkgmgr.server.catalog import Catalog
    from pkgmgr.server.uploads import Uploads

    Info = GraphQLResolveInfo[Any]


class Denied(Exception):
    """A request that is not done: the message is one line for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Session:
    """One request.

    Attributes:
        catalog: The registry.
        uploads: What was uploaded and is not yet published.
        accounts: The users.
        account: Who asks; None is nobody known.
        has_token: Whether there was a token, known or not.
        base_url: The server's own URL as the client sees it, without a slash at its end.
        read_only: Whether nobody may write.
    """

    catalog: Catalog
    uploads: Uploads
    accounts: Accounts
    account: Account | None
    has_token: bool
    base_url: str
    read_only: bool

    def url(self, entry: Packaged) -> str:
        """Where a file is downloaded."""
        return self.base_url + download_path(entry)

    def writer(self, namespace: str | None = None) -> Account:
        """Who asks, who may write, to this namespace; raises `Denied` where they may not."""
        if self.read_only:
            refuse("this registry is read-only")
        if self.account is None:
            refuse(
                "the token is not known here: log in again"
                if self.has_token
                else "a token is needed for this: log in first"
            )
        if namespace is not None and not self.account.may_publish(namespace):
            refuse(f"{self.account.username} may not publish to {namespace}")
        return self.account


def refuse(message: str) -> NoReturn:
    """Say no."""
    raise Denied(message)
