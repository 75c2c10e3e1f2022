"""`wpm logout`: forget the token for a registry."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.login import add_login_registry
from pkgmgr.cli.options import add_json

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm logout`."""
    add_login_registry(parser)
    parser.add_argument("--all", action="store_true", help="forget the tokens for all registries")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Forget; that there is no token is no error, as there shall be none."""
    from pkgmgr.cli.login import login_url, named_registry, oci_host
    from pkgmgr.http.origin import origin_of
    from pkgmgr.settings.credentials import VARIABLE, Credentials

    credentials, registry = Credentials(), named_registry(arguments)
    host = None if arguments.all else oci_host(registry)
    if arguments.all:
        origins, hosts = credentials.origins(), credentials.hosts()
    elif host is not None:
        origins, hosts = [], [host]
    else:
        origins, hosts = [origin_of(login_url(registry))], []
    forgotten = [origin for origin in origins if credentials.forget(origin)]
    forgotten += [each for each in hosts if credentials.forget_login(each)]
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json({"forgotten": forgotten})
    else:
        for origin in forgotten:
            tail = "" if origin in hosts else ": the token is still good elsewhere until it is revoked there"
            print(f"logged out of {origin}{tail}")
        if not forgotten:
            print(f"there was no token for {', '.join((*origins, *hosts)) or 'any registry'}")
    if os.environ.get(VARIABLE):
        print(f"wpm: {VARIABLE} is set: it is used for as long as it is", file=sys.stderr)
    return 0
