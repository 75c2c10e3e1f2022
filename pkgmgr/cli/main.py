"""`wpm`: the verbs, their help, and what an error looks like.

Each verb is a module `pkgmgr.cli.VERB` with `add_arguments(parser)` and `run(arguments) -> int` (the exit code).
Only the verb that was typed is imported, so that `wpm run` pays for nothing else.

Exit codes: 0 success; 1 an error, told in one line on standard error; 2 wrong usage; 130 interrupted. `wpm run`
passes the guest's own code through; a guest that traps exits 134, one whose time is up 124.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module

from pkgmgr.cli.plain_parser import NotPlain, PlainParser
from pkgmgr.notices import on_standard_error
from runtime.typed import NamedTuple, cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final, NoReturn, Protocol

    class VerbModule(Protocol):
        """What the module of a verb has."""

        def add_arguments(self, parser: argparse.ArgumentParser) -> None:
            """Declare the options."""

        def run(self, arguments: argparse.Namespace) -> int:
            """Do it; the exit code."""


class Verb(NamedTuple):
    """What the help says of a verb: a line, and a command line that somebody might type."""

    summary: str
    example: str


VERBS: Final = {
    "run": Verb(
        "Run a command of the project, a package, a .webc or a .wasm",
        "wpm run --volume .:/work --cwd /work wpm/coreutils -e wc -- -l notes.txt",
    ),
    "exec": Verb(
        "Run a command of a package without adding it to a project",
        "wpm exec --package wpm/coreutils --volume .:/work --cwd /work -- wc -l notes.txt",
    ),
    "install": Verb("Resolve, download and install the project's dependencies", "wpm install --locked"),
    "lock": Verb("Resolve the project's dependencies and write wasmer.lock", "wpm lock --upgrade wpm/hello"),
    "init": Verb("Write a wasmer.toml for a new project", "wpm init my-project --name acme/my-project"),
    "add": Verb("Add dependencies to the project and install them", "wpm add wpm/hello wpm/sh@^1"),
    "remove": Verb("Remove dependencies from the project", "wpm remove wpm/hello"),
    "update": Verb("Lock and install the newest versions that wasmer.toml allows", "wpm update wpm/hello --dry-run"),
    "outdated": Verb("Show which packages have newer versions", "wpm outdated --all"),
    "search": Verb("Search the registries for packages", "wpm search words --limit 5"),
    "show": Verb("Show what a registry knows of a package", "wpm show wpm/hello@^1"),
    "tree": Verb("Show the project's packages as a tree", "wpm tree --why wpm/words"),
    "list": Verb("List the commands and packages of the project", "wpm list --json"),
    "tool": Verb(
        "Install commands of packages for the user: install, list, run, upgrade, …", "wpm tool install wpm/hello"
    ),
    "shell": Verb("Open a shell with the project's packages", "wpm shell -c 'hello Ada | wc'"),
    "env": Verb(
        "The project's environment: show, path, activate, run, export, import", "wpm env export -o my-project.tar"
    ),
    "verify": Verb("Check lock, store and manifest against each other, bytes and all", "wpm verify --json"),
    "build": Verb("Pack a directory with a wasmer.toml into a WEBC file", "wpm build . -o hello.webc"),
    "inspect": Verb("Show what is in a WEBC file", "wpm inspect --files hello.webc"),
    "unpack": Verb("Extract a WEBC file into a directory", "wpm unpack hello.webc -o hello"),
    "login": Verb("Keep a token for a registry", "wpm login --with-token < token.txt"),
    "logout": Verb("Forget the token for a registry", "wpm logout --registry https://registry.example/graphql"),
    "config": Verb(
        "Show and change which registry answers for which namespace, and mirrors",
        "wpm config set 'registries.acme/*' https://registry.acme.example/graphql",
    ),
    "rootfs": Verb(
        "Make root filesystems and OCI images of packages: build, ls, diff, run, push, pull",
        "wpm rootfs build wpm/hello -o hello.tar",
    ),
    "publish": Verb("Put a package into a registry", "wpm publish . --registry http://127.0.0.1:8080/graphql"),
    "registry": Verb(
        "Look after a directory registry, and serve it: serve, index, yank", "wpm registry serve packages-of-ours"
    ),
    "sbom": Verb("Write a CycloneDX bill of materials of the project or of packages", "wpm sbom -o bom.cdx.json"),
    "completion": Verb(
        "Print what completes wpm's words in bash, zsh or fish",
        "wpm completion bash > ~/.local/share/bash-completion/completions/wpm",
    ),
    "cache": Verb("Look after the store: verify, info, dir, prune, clean", "wpm cache prune --days 7 --dry-run"),
}

_BROKEN_PIPE: Final = 141
_ALLOCATIONS_BEFORE_COLLECTING: Final = 50_000


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit code; `argv` is without the program's name.

    Raises:
        SystemExit: The usage is wrong (2), or was asked for (0).
    """
    try:
        with on_standard_error():
            code = _run(sys.argv[1:] if argv is None else argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone: leave quietly, as any tool in a pipeline does.
        _abandon_output()
        return _BROKEN_PIPE
    except Exception as error:
        if (line := error_line(error)) is None:
            raise
        print(f"wpm: {line}", file=sys.stderr)
        if isinstance(error, OSError):
            _abandon_output()
        return 1


def _run(argv: list[str]) -> int:
    try:
        module, arguments = _parse(argv)
        return int(module.run(arguments))
    except SystemExit:
        # Help was printed: its reader may be gone too.
        if sys.stdout is not None:
            sys.stdout.flush()
        raise


def _abandon_output() -> None:
    """Keep the interpreter from flushing, at its end, into an output that has failed."""
    try:
        descriptor = sys.stdout.fileno()
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        except (OSError, UnboundLocalError):
            return


def error_line(error: Exception) -> str | None:
    """What went wrong, in a line; None for what is a bug.

    An error of the operating system is told as people read it. The errors of the four floors are known by their names:
    importing the classes costs time.
    """
    names = {"WpmError", "FactoryError", "RuntimeFault", "WebcError"}
    if not isinstance(error, OSError) and not any(cls.__name__ in names for cls in type(error).__mro__):
        return None
    if isinstance(error, OSError) and error.strerror and type(error).__module__ == "builtins":
        from pkgmgr.cli.system_errors import in_words

        return in_words(error)
    return str(error)


def _parse(argv: list[str]) -> tuple[VerbModule, argparse.Namespace]:
    if not argv or argv[0] not in VERBS:
        _without_verb(argv)
    name, *words = argv
    module = _module_of(name)
    parse = getattr(module, "parse_arguments", _parse_words)
    try:
        plain = cast("argparse.ArgumentParser", PlainParser())
        module.add_arguments(plain)
        return module, parse(plain, words)
    except NotPlain:
        pass
    module, parser = parser_of(name)
    if not words and parser._subparsers is not None:
        # As `wpm` alone: whoever types that wants to know what there is.
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    return module, parse(parser, words)


def _parse_words(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    return parser.parse_args(words)


def _module_of(name: str) -> VerbModule:
    return cast("VerbModule", import_module(f"pkgmgr.cli.{name}"))


def parser_of(name: str) -> tuple[VerbModule, argparse.ArgumentParser]:
    """The module of a verb, and the parser of its options."""
    from pkgmgr.cli.parsers import verb_parser

    # One verb needs one parser: making all of them takes longer than a small guest runs.
    module = _module_of(name)
    return module, verb_parser(name, VERBS[name], module)


def _without_verb(argv: list[str]) -> NoReturn:
    import argparse

    parser = argparse.ArgumentParser(
        prog="wpm",
        usage="wpm [-h] [-V] VERB ...",
        description="Package manager and runner for WebAssembly packages.",
        epilog="Exit codes: 0 success, 1 an error, 2 wrong usage, 130 interrupted; `wpm run` exits as the guest does. "
        "`wpm VERB --help` has the options of a verb and an example.",
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    verbs = parser.add_argument_group("verbs")
    for name, verb in VERBS.items():
        verbs.add_argument(name, nargs="?", help=verb.summary)
    match argv:
        case ["-V" | "--version"]:
            from pkgmgr import __version__

            print(f"wpm {__version__}")
            raise SystemExit(0)
        case ["-h" | "--help" | "help"]:
            parser.print_help()
            raise SystemExit(0)
        case []:
            parser.print_help(sys.stderr)
            raise SystemExit(2)
        case ["-h" | "--help" | "help", name, *_] if name in VERBS:
            _parse([name, "--help"])
        case [word, *_]:
            from pkgmgr.cli.habits import verb_meant

            if word == "help":
                word = argv[1]
            near = verb_meant(word, list(VERBS))
            meant = f": did you mean {near}?" if near else ""
            parser.error(f"{word}: no such {'option' if word.startswith('-') else 'verb'}{meant} (see wpm --help)")
    raise SystemExit(2)


def script() -> None:
    """The installed command: `main`, and out at once.

    Taking the interpreter apart takes 10 ms, an eighth of running a small guest, and frees only what goes with the process
    anyway. What was registered to be done at the end (a terminal to restore) is done.
    """
    # Of the thirty thousand objects that a start makes none is garbage: to look for some again and again took 5 ms of 54.
    gc.set_threshold(_ALLOCATIONS_BEFORE_COLLECTING)
    code = main()  # has flushed standard output; standard error keeps nothing back
    atexit._run_exitfuncs()
    os._exit(code)


if __name__ == "__main__":
    script()
