"""`wpm login`: keep a token for a registry, or a name and a password for an OCI registry, once it says that they are good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, cast

from pkgmgr.cli.options import add_json
from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_WASMER: Final = "https://registry.wasmer.io"
_WASMER_TOKENS: Final = "https://wasmer.io/settings/access-tokens"
_LONGEST_LINE: Final = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm login`."""
    add_login_registry(parser)
    parser.add_argument("-u", "--username", metavar="NAME", help="who you are at an OCI registry")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--with-token", action="store_true", help="read the token, or password, from standard input, as scripts do"
    )
    how.add_argument(
        "--token",
        metavar="TOKEN",
        help="the token, or password; others of this machine can see it here while the command runs",
    )
    add_json(parser)


def add_login_registry(parser: argparse.ArgumentParser) -> None:
    """Add which registry `login` and `logout` mean: as a word, as other tools have it, or with `--registry`."""
    parser.add_argument(
        "registry",
        metavar="REGISTRY",
        nargs="?",
        help="the registry (default: WPM_REGISTRY, else that of the configuration); HOST or oci://HOST is an OCI registry",
    )
    parser.add_argument("--registry", dest="named", metavar="REGISTRY", help="the same")


def named_registry(arguments: argparse.Namespace) -> str | None:
    """The registry that was named, in one way or the other.

    Raises:
        WpmError: In both, and not the same one.
    """
    if None not in (arguments.registry, arguments.named) and arguments.registry != arguments.named:
        raise WpmError(f"--registry {arguments.named}: {arguments.registry} is named, too: leave one out")
    return cast("str | None", arguments.registry or arguments.named)


def run(arguments: argparse.Namespace) -> int:
    """Ask for the token, check it, keep it."""
    from pkgmgr.http.origin import origin_of
    from pkgmgr.settings.credentials import VARIABLE, Credentials

    registry = named_registry(arguments)
    if (host := oci_host(registry)) is not None:
        return _run_oci(arguments, host)
    if arguments.username is not None:
        raise WpmError("--username is for OCI registries: name one: wpm login HOST")
    url = login_url(registry)
    origin = origin_of(url)
    token = _token(arguments, origin)
    username = viewer(url, token)
    credentials = Credentials()
    credentials.store(origin, token)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json({"registry": url, "username": username, "file": str(credentials.path)})
        return 0
    from pkgmgr.cli.output import print_text

    print_text(f"logged in to {url} as {username}; the token is in {credentials.path}")
    import os

    if os.environ.get(VARIABLE):
        print(f"wpm: {VARIABLE} is set, and wins over what is kept", file=sys.stderr)
    return 0


def oci_host(registry: str | None) -> str | None:
    """The host of the OCI registry that is meant; None where another registry is.

    Raises:
        WpmError: What follows `oci://` is no host.
    """
    from pathlib import Path

    from pkgmgr.oci.reference import SCHEME, parse_host

    if registry is None:
        return None
    if registry.startswith(SCHEME):
        return parse_host(registry.removeprefix(SCHEME).rstrip("/"))
    looks = "/" not in registry and (any(each in registry for each in ".:") or registry == "localhost")
    if not looks or registry.startswith((".", "~")) or Path(registry).exists():
        return None
    return parse_host(registry)


def _run_oci(arguments: argparse.Namespace, host: str) -> int:
    """Ask for a name and a password, check them, keep them."""
    from pkgmgr.oci.registry import Repository
    from pkgmgr.settings.credentials import Credentials
    from pkgmgr.settings.login import Login, check_secret, check_username

    username = arguments.username
    if username is None:
        if arguments.token is not None or arguments.with_token or not sys.stdin.isatty():
            raise WpmError(f"{host}: an OCI registry wants a name, too: add --username NAME")
        username = _typed(lambda: input(f"Name at {host}: "))
    username = check_username(username, "--username")
    password = check_secret(_password(arguments, host), "the password")
    login = Login(username, password, "what was given")
    asked = False

    def find_login() -> Login:
        nonlocal asked
        asked = True
        return login

    registry = Repository(host, "", find_login=find_login)
    try:
        registry.ping()
    finally:
        registry.client.close()
    credentials = Credentials()
    credentials.store_login(host, username, password)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json({"registry": host, "username": username, "checked": asked, "file": str(credentials.path)})
        return 0
    from pkgmgr.cli.output import print_text

    unchecked = "" if asked else " (it did not ask who you are, so that nobody has checked the password)"
    print_text(f"logged in to {host} as {username}{unchecked}; the password is in {credentials.path}")
    return 0


def _password(arguments: argparse.Namespace, host: str) -> str:
    if arguments.token is not None:
        return str(arguments.token)
    if arguments.with_token:
        return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise WpmError("there is no terminal to ask for the password at: give it on standard input, with --with-token")
    from getpass import getpass

    return _typed(lambda: getpass(f"Password at {host}: "))


def _typed(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except EOFError:
        raise WpmError("nothing was typed") from None


def login_url(registry: str | None) -> str:
    """The URL of the registry that is meant; raises `WpmError` where that is one without tokens."""
    from pkgmgr.registry.opening import default_place
    from pkgmgr.registry.place import is_network
    from pkgmgr.settings.config import Configuration

    place = default_place(Configuration.load(), registry)
    if not is_network(place):
        raise WpmError(f"{place}: a registry of this machine needs no token: name another with --registry")
    return place


def viewer(url: str, token: str) -> str:
    """Whose token it is, as the registry says.

    Args:
        url: The registry.
        token: The token; it is sent to this registry only.

    Raises:
        WpmError: The registry does not know it, or cannot be asked.
    """
    from pkgmgr.http.client import HttpClient
    from pkgmgr.http.origin import origin_of
    from pkgmgr.plain_text import one_line
    from pkgmgr.registry.endpoint import Endpoint
    from pkgmgr.registry.queries import VIEWER

    origin = origin_of(url)
    client = HttpClient(lambda asked: token if asked == origin else None)
    try:
        match Endpoint((url,), client).ask(lambda _: VIEWER).value("viewer"):
            case {"username": str(username)} if one_line(username):
                return one_line(username)
    finally:
        client.close()
    raise WpmError(f"{url}: the registry does not know this token: make another one{_where(origin)}")


def _token(arguments: argparse.Namespace, origin: str) -> str:
    from pkgmgr.settings.credentials import check_token

    if arguments.token is not None:
        return check_token(arguments.token, "--token")
    if arguments.with_token:
        return check_token(sys.stdin.readline(_LONGEST_LINE), "standard input")
    if not sys.stdin.isatty():
        raise WpmError("there is no terminal to ask for the token at: give it on standard input, with --with-token")
    from getpass import getpass

    try:
        return check_token(getpass(f"Token for {origin}{_where(origin)}: "), "what was typed")
    except EOFError:
        raise WpmError("no token was typed") from None


def _where(origin: str) -> str:
    return f" ({_WASMER_TOKENS})" if origin == _WASMER else ""
