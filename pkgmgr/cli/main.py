"""`wpm`: the verbs, their help, and what an error looks like.

Each verb is a module `pkgmgr.cli.VERB` with `add_arguments(parser)` and `run(arguments) -> int` (the exit code).
Only the verb that was typed is imported, so that `wpm run` pays for nothing else.

Exit codes: 0 success; 1 an error, told in one line on standard error; 2 wrong usage; 130 interrupted. `wpm run`
passes the guest's own code through; a guest that traps exits 134.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

VERBS = {
    "run": "Run a command of the project, a package, a .webc or a .wasm",
    "install": "Resolve, download and install the project's dependencies",
    "lock": "Resolve the project's dependencies and write wasmer.lock",
    "tree": "Show the project's packages as a tree",
    "list": "List the commands and packages of the project",
    "build": "Pack a directory with a wasmer.toml into a WEBC file",
    "inspect": "Show what is in a WEBC file",
    "unpack": "Extract a WEBC file into a directory",
    "cache": "Look after the store: verify, info, dir",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit code; `argv` is without the program's name."""
    arguments = _parse(sys.argv[1:] if argv is None else argv)
    verb = import_module(f"pkgmgr.cli.{arguments.verb}")
    try:
        return int(verb.run(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone: leave quietly, and keep the interpreter from flushing into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if _is_ours(error):
            print(f"wpm: {error}", file=sys.stderr)
            return 1
        raise


def _is_ours(error: BaseException) -> bool:
    """Whether the error is one of the four floors' own, told by its name: importing the classes costs time."""
    names = {"WpmError", "FactoryError", "RuntimeFault", "WebcError"}
    return isinstance(error, OSError) or any(cls.__name__ in names for cls in type(error).__mro__)


def _parse(argv: list[str]) -> argparse.Namespace:
    # What comes after `--` is the guest's, whatever it looks like.
    cut = argv.index("--") if "--" in argv else len(argv)
    argv, rest = argv[:cut], argv[cut + 1 :]
    if argv and argv[0] in VERBS:
        # One verb needs one parser: making all of them takes longer than a small guest runs.
        verb = argv[0]
        parser = argparse.ArgumentParser(prog=f"wpm {verb}", description=VERBS[verb] + ".")
        import_module(f"pkgmgr.cli.{verb}").add_arguments(parser)
        return parser.parse_args(argv[1:], argparse.Namespace(verb=verb, rest=rest))
    parser = argparse.ArgumentParser(
        prog="wpm",
        description="Package manager and runner for WebAssembly packages.",
        epilog="Exit codes: 0 success, 1 an error, 2 wrong usage, 130 interrupted; `wpm run` exits as the guest does.",
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    for name, summary in VERBS.items():
        verbs.add_parser(name, help=summary)
    if parser.parse_args(argv).version:
        from importlib.metadata import version

        print(f"wpm {version('wpm-webc')}")
        raise SystemExit(0)
    parser.print_help(sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    raise SystemExit(main())
