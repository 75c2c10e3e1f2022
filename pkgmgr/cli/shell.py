"""`wpm shell`: a shell with the project's packages."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.guest import add_guest, add_words, guest_settings, parse_words, run_options, wait
from pkgmgr.cli.options import add_project, add_refresh, add_registry

if TYPE_CHECKING:
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

_OF_GUESTS = ("volume", "mapdir", "env", "forward_host_env", "cwd", "use", "net", "timeout", "memory", "sandbox")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm shell`."""
    parser.usage = "wpm shell [OPTIONS] [-- ARGS]\n       wpm shell [OPTIONS] -c COMMAND [-- ARGS]"
    parser.description = (
        "Open the project's shell among its packages: the command that [wpm] shell names in wasmer.toml, else the first one "
        "called bash, sh, dash, ash, zsh or fish. It sees the commands and files of all packages, the project's directory "
        "as /work, where it begins, and nothing else of this machine; --volume and the other options change that as "
        "they do for wpm tool install. With --host, and where the project has no shell, it is your own (SHELL) with the "
        "project's launchers first on PATH, and WPM_PROJECT set to its directory."
    )
    parser.add_argument("-c", dest="command", metavar="COMMAND", help="run this command and exit as it does")
    parser.add_argument("--host", action="store_true", help="open a shell of this machine, with the launchers on PATH")
    add_words(parser)
    parser.add_argument("--sandbox", action="store_true", help="show it no directory of this machine")
    add_guest(parser)
    add_project(parser)
    add_registry(parser)
    add_refresh(parser)


def parse_arguments(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Tell our options from the shell's arguments."""
    arguments = parse_words(parser, words)
    if arguments.sandbox and (arguments.volume or arguments.mapdir):
        parser.error("--sandbox shows no directory, --volume and --mapdir do")
    if arguments.host and (given := _of_guest(arguments)):
        parser.error(f"{given} is for a shell among the packages, --host opens one of this machine")
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Open the shell; its exit code."""
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project, store = Project.open(arguments.project), Store.default()
    options = InstallOptions(
        registry=arguments.registry, offline=arguments.offline, refresh=arguments.refresh, compile=False
    )
    command = () if arguments.command is None else ("-c", arguments.command)
    words = [*command, *arguments.words, *arguments.rest]
    interactive = not words and sys.stdin is not None and sys.stdin.isatty()
    if not arguments.host:
        from pkgmgr.environments.guest_shell import shell_of
        from pkgmgr.environments.starting import project_package

        package = project_package(project, store, options)
        shell = shell_of(project.manifest, package.commands)
        if shell is not None:
            return _in_packages(project, shell, words, store, options, arguments, interactive=interactive)
        if given := _of_guest(arguments):
            from pkgmgr.errors import WpmError

            raise WpmError(
                f"{project.manifest.path}: the project has no shell that {given} could be for: wpm add wpm/sh adds one"
            )
    return _on_host(project, words, store, options, interactive=interactive)


def _of_guest(arguments: argparse.Namespace) -> str | None:
    """An option that was given and is about what a guest sees; None where there was none."""
    given = (name for name in _OF_GUESTS if getattr(arguments, name) not in (None, False, []))
    return next((f"--{name.replace('_', '-')}" for name in given), None)


def _in_packages(
    project: Project,
    shell: str,
    words: list[str],
    store: Store,
    install: InstallOptions,
    arguments: argparse.Namespace,
    *,
    interactive: bool,
) -> int:
    from binfactory.modules import ModuleCache
    from pkgmgr.environments.activation import PROJECT, shown_name
    from pkgmgr.environments.guest_shell import prompt, shell_settings
    from pkgmgr.environments.starting import project_command
    from pkgmgr.running.program import start_target
    from pkgmgr.tools.starting import SEEN_AS

    given = guest_settings(arguments)
    settings = shell_settings(project, given, sandbox=arguments.sandbox)
    variables = {} if settings is given else {PROJECT: SEEN_AS}
    if interactive:
        variables["PS1"] = prompt(shown_name(project, {}))
        if terminal := os.environ.get("TERM"):
            variables["TERM"] = terminal
    options = run_options(argparse.Namespace(**settings._asdict(), use=arguments.use), words)
    options = options._replace(environ={**variables, **options.environ})
    modules = ModuleCache(store.modules)
    process = start_target(
        lambda: project_command(project, shell, store, install, modules), shell, modules, store, install, options
    )
    return wait(process, arguments.timeout, as_native=True)


def _on_host(project: Project, words: list[str], store: Store, options: InstallOptions, *, interactive: bool) -> int:
    from pkgmgr.environments.activation import check_launchers
    from pkgmgr.environments.folder import EnvironmentFolder
    from pkgmgr.environments.host_shell import host_shell
    from pkgmgr.errors import WpmError
    from pkgmgr.installing.install import install

    shell = host_shell(project, words, os.environ, interactive=interactive)
    report = install(project, store, options)
    folder = EnvironmentFolder(project.root)
    for warning in report.warnings:
        print(f"wpm: {warning}", file=sys.stderr)
    if not folder.is_real():
        raise WpmError(f"{folder.bin}: there are no launchers, without which the shell has no commands of the project")
    check_launchers(project)
    if interactive and os.environ.get("WPM_PROJECT") == str(project.root):
        print(f"wpm: a shell of {project.root} in one of the same: exit leads back", file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    shell.replace_this_process()
