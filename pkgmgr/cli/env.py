"""`wpm env`: a project's environment: what it is, running a command of it, taking it elsewhere in one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from pkgmgr.cli.options import add_json, add_project, add_registry

_EXAMPLES = {
    "show": "show --json",
    "path": "path",
    "activate": "activate --shell fish",
    "run": "run hello -- Ada",
    "export": "export -o my-project.tar",
    "import": "import my-project.tar copy",
}
_RUN = (
    "Run a command of the project as its launcher in .wpm/bin does. It is given what a tool is given that was installed "
    "without options, as by `wpm run --volume .:/work --cwd /work`: it sees the current directory as /work and starts there, and sees "
    "nothing else of this machine, no network and no variables."
)
_EXPORT = (
    "Write the project's environment into one file, an uncompressed tar: wasmer.toml and wasmer.lock, the files that "
    "wasmer.toml names, directories below the project that it depends on, and every package. The same environment gives the "
    "same bytes. Compiled modules stay here, as they are of one machine, and so do tokens."
)
_IMPORT = (
    "Restore an environment into a directory, without a network: each package must have the hash that the lock has, and "
    "goes into the store; then the project's files are written, and it is installed."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `wpm env` can do."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    show = _add(what, "show", "Show what the environment is: packages, commands, variables")
    add_project(show)
    add_json(show)
    add_project(_add(what, "path", "Print the directory of the project's launchers"))
    activate = _add(what, "activate", "Print what puts the launchers on PATH, for eval")
    add_project(activate)
    activate.add_argument("--shell", choices=("sh", "fish"), help="for which kind of shell (default: that of SHELL)")
    run = _add(what, "run", "Run a command of the project, as its launcher does")
    run.description = _RUN
    run.usage = "wpm env run NAME [-- ARGS]"
    run.add_argument("words", metavar="NAME", nargs="*", help="a command of the project; then ARGS")
    run.add_argument("--launcher", type=Path, help=argparse.SUPPRESS)
    export = _add(what, "export", "Write the environment into one file")
    export.description = _EXPORT
    add_project(export)
    export.add_argument(
        "-o", "--output", metavar="FILE", help="the file, - for standard output (default: NAME-VERSION.env.tar)"
    )
    add_registry(export)
    add_json(export)
    restore = _add(what, "import", "Restore an environment from a file")
    restore.description = _IMPORT
    restore.add_argument("file", metavar="FILE", type=Path, help="what wpm env export wrote")
    restore.add_argument("directory", metavar="DIR", type=Path, nargs="?", help="where to (default: here)")
    restore.add_argument("--force", action="store_true", help="overwrite files that are there and differ")
    restore.add_argument("--no-compile", action="store_true", help="leave compiling the modules to their first run")
    add_json(restore)


def parse_arguments(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Tell our options from the guest's arguments, which only `run` has."""
    rest: list[str] = []
    if words[:1] == ["run"] and "--" in words:
        cut = words.index("--")
        words, rest = words[:cut], words[cut + 1 :]
    arguments = parser.parse_args(words)
    if arguments.what == "run":
        arguments.words += rest
        if not arguments.words:
            parser.error("run: which command? (see wpm list)")
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    match arguments.what:
        case "run":
            return _run(arguments)
        case "path":
            print(_folder(arguments.project))
            return 0
    raise AssertionError(arguments.what)


def _add(what: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str) -> argparse.ArgumentParser:
    return what.add_parser(name, help=summary, description=summary + ".", epilog=f"Example: wpm env {_EXAMPLES[name]}")


def _folder(path: Path | None) -> Path:
    from pkgmgr.environments.folder import EnvironmentFolder
    from pkgmgr.projects.project import Project

    return EnvironmentFolder(Project.open(path).root).bin


def _run(arguments: argparse.Namespace) -> int:
    from binfactory.modules import ModuleCache
    from pkgmgr.cli.guest import run_options, wait
    from pkgmgr.environments.starting import project_command, project_of_launcher
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.running.program import start_target
    from pkgmgr.store import Store
    from pkgmgr.tools.record import GuestSettings
    from pkgmgr.tools.starting import settings_of, working_directory

    name, *words = arguments.words
    project = Project.open() if arguments.launcher is None else project_of_launcher(arguments.launcher)
    settings = settings_of(GuestSettings(), sandbox=False)
    given = argparse.Namespace(**settings._asdict(), use=[])
    given.cwd = working_directory(settings)
    store, install = Store.default(), InstallOptions()
    modules = ModuleCache(store.modules)
    process = start_target(
        lambda: project_command(project, name, store, install, modules),
        name,
        modules,
        store,
        install,
        run_options(given, words),
    )
    return wait(process, None, as_native=arguments.launcher is not None)
