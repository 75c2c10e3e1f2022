"""`wpm env`: a project's environment: what it is, running a command of it, taking it elsewhere in one file."""

from __future__ import annotations

import argparse
from pathlib import Path

from pkgmgr.cli.options import OUT, add_json, add_project, add_registry

_EXAMPLES = {
    "show": "show --json",
    "path": "path",
    "activate": "activate --shell fish",
    "run": "run hello -- Ada",
    "export": "export -o my-project.tar",
    "import": "import my-project.tar copy",
}
_SHELLS = ("sh", "bash", "zsh", "fish")
_RUN = (
    "Run a command of the project as its launcher in .wpm/bin does. It is given what a tool is given that was installed "
    "without options, as by `wpm run --volume .:/work --cwd /work`: it sees the current directory as /work and starts there, "
    "and sees nothing else of this machine, no network and no variables."
)
_EXPORT = (
    "Write the project's environment into one file, a tar (compressed where its name ends in .gz or .zst): wasmer.toml and "
    "wasmer.lock, the files that "
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
    activate.add_argument("--shell", choices=_SHELLS, help="for which shell (default: that of SHELL)")
    run = _add(what, "run", "Run a command of the project, as its launcher does")
    run.description = _RUN
    run.usage = "wpm env run NAME [-- ARGS]"
    run.add_argument("words", metavar="NAME", nargs="*", help="a command of the project; then ARGS")
    run.add_argument("--launcher", type=Path, help=argparse.SUPPRESS)
    export = _add(what, "export", "Write the environment into one file")
    export.description = _EXPORT
    add_project(export)
    export.add_argument(
        *OUT, dest="output", metavar="FILE", help="the file, - for standard output (default: NAME-VERSION.env.tar)"
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
        case "show":
            return _show(arguments)
        case "path":
            from pkgmgr.environments.folder import EnvironmentFolder
            from pkgmgr.projects.project import Project

            print(EnvironmentFolder(Project.open(arguments.project).root).bin)
        case "activate":
            return _activate(arguments)
        case "run":
            return _run(arguments)
        case "export":
            return _export(arguments)
        case _:
            return _import(arguments)
    return 0


def _add(what: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str) -> argparse.ArgumentParser:
    return what.add_parser(name, help=summary, description=summary + ".", epilog=f"Example: wpm env {_EXAMPLES[name]}")


def _show(arguments: argparse.Namespace) -> int:
    import os

    from pkgmgr.cli.output import print_json, print_text
    from pkgmgr.environments.activation import variables
    from pkgmgr.environments.folder import EnvironmentFolder
    from pkgmgr.environments.manifest import describe
    from pkgmgr.errors import WpmError
    from pkgmgr.projects.commands import project_commands
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project, store = Project.open(arguments.project), Store.default()
    if (lock := project.lock) is None:
        raise WpmError(f"{project.root}: there is no wasmer.lock: run: wpm install")
    folder = EnvironmentFolder(project.root)
    commands = project_commands(project.manifest, lock, store)
    described = describe(project.manifest, lock, project.lock_path.read_bytes(), commands)
    changed = variables(project, os.environ)
    state = {"root": str(project.root), "launchers": str(folder.bin), "current": folder.is_current(project)}
    if arguments.json:
        print_json({**described, **state, "variables": changed})
        return 0
    print_text(f"project:   {project.manifest.name or 'without a name'} in {project.root}")
    print_text(f"launchers: {folder.bin}{'' if state['current'] else ' (not as they should be: run wpm install)'}")
    print_text(f"packages:  {', '.join(lock.packages) or 'none'}")
    print_text(f"commands:  {', '.join(sorted(commands)) or 'none'}")
    print_text("variables: " + "\n           ".join(f"{name}={value}" for name, value in changed.items()))
    return 0


def _activate(arguments: argparse.Namespace) -> int:
    import os

    from pkgmgr.environments.activation import activation
    from pkgmgr.projects.project import Project

    shell = arguments.shell or ("fish" if Path(os.environ.get("SHELL", "")).name == "fish" else "sh")
    print(activation(Project.open(arguments.project), shell), end="")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    import sys

    from pkgmgr.environments.exporting import export_environment
    from pkgmgr.errors import WpmError
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project = Project.open(arguments.project)
    options = InstallOptions(registry=arguments.registry, offline=arguments.offline)
    descriptor = None
    if arguments.output == "-":
        if sys.stdout.isatty():
            raise WpmError("an environment is not for a terminal: name a file with -o, or redirect standard output")
        descriptor = sys.stdout.fileno()
    output = Path(arguments.output) if arguments.output not in (None, "-") else None
    done = export_environment(project, Store.default(), options, output, descriptor)
    for note in done.notes:
        print(f"wpm: {note}", file=sys.stderr)
    if descriptor is not None:
        return 0
    from pkgmgr.cli.changes import counted
    from pkgmgr.cli.output import bytes_for_people, print_json, print_text

    if arguments.json:
        print_json({"file": str(done.path), "size": done.size, "sha256": done.sha256, "packages": done.packages})
    else:
        packages = counted(done.packages, "package")
        print_text(f"{done.path}: {packages}, {bytes_for_people(done.size)}, sha256 {done.sha256}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from pkgmgr.cli.changes import counted, print_installed, print_warnings, report_as_json
    from pkgmgr.cli.output import print_json, print_text
    from pkgmgr.environments.importing import import_environment
    from pkgmgr.store import Store

    directory = arguments.directory or Path()
    done = import_environment(
        arguments.file,
        directory,
        Store.default(),
        force=arguments.force,
        compile_modules=not arguments.no_compile,
    )
    print_warnings(done.report)
    if arguments.json:
        told = {"directory": str(done.project.root), "files_written": done.written, "packages_stored": done.stored}
        print_json({**told, "registries": done.registries, **report_as_json(done.report)})
        return 0
    for pattern, url in done.registries.items():
        print_text(f"{pattern} came from {url}")
    print_text(
        f"{directory}: {counted(done.written, 'file')} written, {counted(done.stored, 'package')} put into the store"
    )
    print_installed(done.report)
    return 0


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
