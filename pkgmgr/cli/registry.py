"""`wpm registry`: look after a directory registry, and serve it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.cli.options import add_json, number_from

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction

_MOST_SHOWN: Final = 20
_EXAMPLES: Final = {
    "serve": "serve packages-of-ours --port 8484 --token-file tokens.txt",
    "index": "index packages-of-ours --check",
    "yank": "yank packages-of-ours acme/tool@1.1.0 --reason 'forgets the last line'",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `wpm registry` can do."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    _add_serve(_add(what, "serve", "Serve a registry over HTTP"))
    index = _add(what, "index", "Check every package of a registry and write its indexes")
    _add_directory(index)
    index.add_argument("--check", action="store_true", help="write nothing; exit 1 where an index is out of date")
    add_json(index)
    yank = _add(what, "yank", "Withdraw a version: it is kept where it is locked, and never newly chosen")
    _add_directory(yank)
    yank.add_argument("package", metavar="NAME@VERSION", help="the package and its exact version")
    yank.add_argument("--undo", action="store_true", help="take it back")
    yank.add_argument("--reason", default="", metavar="TEXT", help="why, in one line, for those who still have it")
    add_json(yank)


def run(arguments: Namespace) -> int:
    """Do it."""
    match arguments.what:
        case "serve":
            return _serve(arguments)
        case "index":
            return _index(arguments)
    return _yank(arguments)


def _add(what: _SubParsersAction[ArgumentParser], name: str, summary: str) -> ArgumentParser:
    example = f"Example: wpm registry {_EXAMPLES[name]}"
    return what.add_parser(name, help=summary, description=summary + ".", epilog=example, allow_abbrev=False)


def _add_directory(parser: ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="the registry: a directory with 'packages' in it")


def _add_serve(parser: ArgumentParser) -> None:
    _add_directory(parser)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8080, help="the port; 0 takes a free one (default: 8080)")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="who may publish: lines TOKEN USER [NAMESPACE ...] (default: nobody may)",
    )
    parser.add_argument("--read-only", action="store_true", help="nobody may publish")
    parser.add_argument(
        "--max-size", type=_mebibytes, metavar="MIB", help="the largest package that is taken (default: 4096)"
    )
    parser.add_argument("--public-url", metavar="URL", help="the server's URL as clients see it, behind a proxy")
    add_json(parser)


def _port(text: str) -> int:
    return number_from(text, 0, 65535)


def _mebibytes(text: str) -> int:
    return number_from(text, 1, 4096) << 20


def _serve(arguments: Namespace) -> int:
    """Serve until a signal says to stop."""
    import logging
    import signal

    from pkgmgr.server.accounts import read_tokens
    from pkgmgr.server.app import LARGEST_UPLOAD
    from pkgmgr.server.serve import RegistryServer

    tokens = read_tokens(arguments.token_file) if arguments.token_file is not None else {}
    log = logging.getLogger("wpm.registry")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    server = RegistryServer(
        arguments.directory.absolute(),
        arguments.host,
        arguments.port,
        tokens=dict(tokens),
        read_only=arguments.read_only,
        largest_upload=arguments.max_size or LARGEST_UPLOAD,
        public_url=arguments.public_url,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    writable = bool(tokens) and not arguments.read_only
    if arguments.json:
        import json

        print(json.dumps({"url": server.url, "directory": str(arguments.directory), "writable": writable}), flush=True)
    else:
        print(f"Serving {arguments.directory} at {server.url}{'' if writable else ' (read-only)'}", flush=True)
    server.run()
    return 0


def _index(arguments: Namespace) -> int:
    """Exit code 1 where something is wrong, or, with --check, out of date."""
    from pkgmgr.registry.indexing import index_registry

    report = index_registry(arguments.directory, write=not arguments.check)
    good = report.is_sound and not (arguments.check and report.outdated)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(
            {
                "packages": report.packages,
                "versions": report.versions,
                "outdated" if arguments.check else "written": list(report.outdated),
                "problems": list(report.problems),
            }
        )
        return 0 if good else 1
    for problem in report.problems:
        print(f"wpm: {problem}", file=sys.stderr)
    if arguments.check:
        for name in report.outdated[:_MOST_SHOWN]:
            print(
                f"wpm: {name}: its index is out of date: run: wpm registry index {arguments.directory}", file=sys.stderr
            )
        if len(report.outdated) > _MOST_SHOWN:
            print(f"wpm: and {len(report.outdated) - _MOST_SHOWN} more", file=sys.stderr)
    from pkgmgr.cli.changes import counted

    holds = f"{counted(report.packages, 'package')}, {counted(report.versions, 'version')}"
    done = "out of date" if arguments.check else "written"
    print(f"{holds}: {counted(len(report.outdated), 'index', 'indexes')} {done}")
    return 0 if good else 1


def _yank(arguments: Namespace) -> int:
    from pkgmgr.errors import WpmError
    from pkgmgr.registry.storing import yank
    from pkgmgr.source import check_name
    from pkgmgr.version import Version

    name, separator, text = arguments.package.rpartition("@")
    if not separator:
        raise WpmError(f"{arguments.package}: expected NAME@VERSION, as in acme/tool@1.2.3")
    name, version = check_name(name), Version.parse(text)
    changed = yank(arguments.directory, name, version, undo=arguments.undo, reason=arguments.reason)
    state = "not yanked" if arguments.undo else "yanked"
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json({"name": name, "version": str(version), "yanked": not arguments.undo, "changed": changed})
    else:
        print(f"{name} {version}: {state}{'' if changed else ' already' if not arguments.undo else ' before either'}")
    return 0
