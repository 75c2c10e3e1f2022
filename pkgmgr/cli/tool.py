"""`wpm tool`: commands of packages, installed for the user."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pkgmgr.cli.guest import add_guest, guest_settings, run_options, wait
from pkgmgr.cli.options import add_json, add_refresh, add_registry
from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from pkgmgr.tools.installing import Installed, Tools
    from pkgmgr.tools.record import GuestSettings, Tool

_INSTALL = (
    "Install the commands of a package for the user, each with a launcher in the directory of launchers (see wpm tool dir "
    "--bin), which should be on PATH. A tool has a lock of its own and runs on exactly these packages until it is upgraded. "
    "It runs as `wpm run --volume .:/work --cwd /work` would: it sees the directory that it is started in, reads and writes "
    "there, and sees nothing else of this machine, no network and no variables. The options below change that, and are "
    "kept for every later run: with --volume it sees these directories instead (a relative HOST is taken from where it is "
    "started: --volume . shows the current directory at its own path), with --sandbox none at all."
)
_EXAMPLES = {
    "install": "install wpm/coreutils -e wc",
    "upgrade": "upgrade --all",
    "uninstall": "uninstall hello",
    "list": "list --json",
    "run": "run wc -- -l notes.txt",
    "dir": "dir --bin",
}
_MOST_NAMED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `wpm tool` can do."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    install = _add(what, "install", "Install the commands of a package, or install them anew")
    install.description = _INSTALL
    install.add_argument("spec", metavar="PKG", help="the package: wpm/hello, ns/name@^1.2, sha256:…, a URL, a .webc")
    install.add_argument("--as", dest="rename", metavar="NAME", help="call the tool and its one command so")
    install.add_argument(
        "-e", "--entrypoint", action="append", default=[], metavar="NAME", help="only this command (default: all)"
    )
    install.add_argument("--force", action="store_true", help="replace files and another tool that are in the way")
    install.add_argument("--sandbox", action="store_true", help="show it no directory of this machine")
    add_guest(install)
    _add_source(install)
    upgrade = _add(what, "upgrade", "Install the newest packages that tools may have")
    upgrade.add_argument("names", metavar="NAME", nargs="*", help="the tools")
    upgrade.add_argument("--all", action="store_true", help="all tools")
    _add_source(upgrade)
    uninstall = _add(what, "uninstall", "Remove tools and their launchers")
    uninstall.add_argument("names", metavar="NAME", nargs="+", help="the tools")
    add_json(uninstall)
    add_json(_add(what, "list", "List the tools, their packages and launchers"))
    run = _add(what, "run", "Run a command of a tool, as its launcher does")
    run.usage = "wpm tool run NAME [-- ARGS]"
    run.add_argument("words", metavar="NAME", nargs="*", help="a command of a tool, or a tool with only one; then ARGS")
    run.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    run.add_argument("--tool", help=argparse.SUPPRESS)
    folder = _add(what, "dir", "Print the directory of the tools")
    folder.add_argument("--bin", action="store_true", help="print the directory of the launchers")


def parse_arguments(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Tell our options from the guest's arguments, which only `run` has."""
    rest: list[str] = []
    if words[:1] == ["run"] and "--" in words:
        cut = words.index("--")
        words, rest = words[:cut], words[cut + 1 :]
    # `--net` alone has no value, and must not take the package for one.
    arguments = parser.parse_args(["--net=" if word == "--net" else word for word in words])
    if arguments.what == "run":
        arguments.words += rest
        if not arguments.words:
            parser.error("run: which tool? (see wpm tool list)")
    if arguments.what == "upgrade" and bool(arguments.names) == arguments.all:
        parser.error("upgrade: name tools, or --all")
    if arguments.what == "install" and arguments.sandbox and (arguments.volume or arguments.mapdir):
        parser.error("install: --sandbox shows no directory, --volume and --mapdir do")
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from pkgmgr.store import Store
    from pkgmgr.tools.installing import Tools
    from pkgmgr.tools.launchers import LauncherFolder
    from pkgmgr.tools.record import ToolFolder

    given = getattr(arguments, "directory", None)
    folder = ToolFolder(given) if given is not None else ToolFolder.default()
    tools = Tools(folder, LauncherFolder.default(folder.root), Store.default())
    match arguments.what:
        case "install":
            return _install(tools, arguments)
        case "upgrade":
            return _upgrade(tools, arguments)
        case "uninstall":
            return _uninstall(tools, arguments)
        case "list":
            return _list(tools, arguments.json)
        case "run":
            return _run(tools, arguments)
        case _:
            print(tools.launchers.root if arguments.bin else tools.folder.root)
            return 0


def _add(what: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str) -> argparse.ArgumentParser:
    return what.add_parser(name, help=summary, description=summary + ".", epilog=f"Example: wpm tool {_EXAMPLES[name]}")


def _add_source(parser: argparse.ArgumentParser) -> None:
    add_registry(parser)
    add_refresh(parser)
    add_json(parser)


def _install(tools: Tools, arguments: argparse.Namespace) -> int:
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.tools.installing import ToolRequest

    options = InstallOptions(registry=arguments.registry, offline=arguments.offline, refresh=arguments.refresh)
    request = ToolRequest(
        arguments.spec,
        arguments.rename,
        tuple(dict.fromkeys(arguments.entrypoint)),
        tuple(arguments.use),
        _settings(arguments),
        arguments.force,
    )
    done = tools.install(request, options)
    _warn(tools, done)
    if arguments.json:
        _print_json(_described(tools, done.tool) | {"changed": done.changed})
        return 0
    names = sorted(done.tool.commands)
    print(f"{done.tool.name}: {done.tool.package.id} installed ({_counted('command', names)})")
    return 0


def _settings(arguments: argparse.Namespace) -> GuestSettings:
    """What the tool is given; looked at now, so that what is wrong is told now."""
    from pkgmgr.tools.starting import HERE, settings_of
    from runtime.net import NetworkPolicy

    # A relative directory is looked for where the tool is started, so it may well not be here.
    fixed = [text for text in arguments.volume if text.startswith("/") or text.partition(":")[0] in ("", HERE)]
    run_options(argparse.Namespace(**vars(arguments) | {"volume": fixed}), ())
    NetworkPolicy.parse(arguments.net)
    return settings_of(guest_settings(arguments), sandbox=arguments.sandbox)


def _upgrade(tools: Tools, arguments: argparse.Namespace) -> int:
    """Upgrade each tool that can be; exit code 1 where one cannot."""
    from pkgmgr.installing.options import InstallOptions

    options = InstallOptions(registry=arguments.registry, offline=arguments.offline)
    described, failed = [], []
    for name in tools.folder.names() if arguments.all else dict.fromkeys(arguments.names):
        try:
            done = tools.upgrade(name, options)
        except WpmError as error:
            print(f"wpm: {name}: {error}" if name not in str(error) else f"wpm: {error}", file=sys.stderr)
            failed.append(name)
            continue
        _warn(tools, done)
        was = done.before.package.version if done.before else ""
        described.append(_described(tools, done.tool) | {"before": was, "changed": done.changed})
        if not arguments.json:
            print(f"{name}: {_progress(done)}")
    if arguments.json:
        _print_json({"tools": described, "failed": failed})
    return 1 if failed else 0


def _progress(done: Installed) -> str:
    now = done.tool.package
    before = done.before.package if done.before else now
    if before.id != now.id:
        return f"{before.version or before.id[:19]} -> {now.version or now.id[:19]}"
    return f"{now.id}: its dependencies were upgraded" if done.changed else f"{now.id} is the newest that it may have"


def _uninstall(tools: Tools, arguments: argparse.Namespace) -> int:
    names = list(dict.fromkeys(arguments.names))
    for name in names:
        if name not in tools.folder.names():
            tools.tool(name)
    for name in names:
        for foreign in tools.uninstall(name):
            print(f"wpm: {tools.launchers.path(foreign)}: not what wpm wrote: it stays", file=sys.stderr)
        if not arguments.json:
            print(f"{name}: uninstalled")
    if arguments.json:
        _print_json({"uninstalled": names})
    return 0


def _list(tools: Tools, as_json: bool) -> int:
    """List them; exit code 1 where one cannot be read."""
    from pkgmgr.cli.output import print_text

    found, wrong = [], 0
    for name in tools.folder.names():
        try:
            found.append(tools.tool(name))
        except WpmError as error:
            print(f"wpm: {error}", file=sys.stderr)
            wrong += 1
    if as_json:
        _print_json({"tools": [_described(tools, tool) for tool in found]})
    elif not found and not wrong:
        print("no tools are installed: wpm tool install PKG")
    else:
        for tool in found:
            print_text(f"{tool.name} ({tool.package.id})")
            for name in sorted(tool.commands):
                gone = (
                    "" if tools.launchers.owner(name) == tool.name else f" (no launcher: wpm tool upgrade {tool.name})"
                )
                print_text(f"  {name}{gone}")
    return 1 if wrong else 0


def _run(tools: Tools, arguments: argparse.Namespace) -> int:
    from binfactory.modules import ModuleCache
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.running.program import start_target
    from pkgmgr.tools.starting import find_tool_command, working_directory

    name, *words = arguments.words
    if arguments.tool is not None:
        tool, launcher = tools.tool(arguments.tool), name
        if name not in tool.commands:
            raise WpmError(f"{name}: no command of the tool {tool.name} any more: run: wpm tool upgrade {tool.name}")
    else:
        tool, launcher = tools.with_command(name)
    given = argparse.Namespace(**tool.guest._asdict(), use=[])
    given.cwd = working_directory(tool.guest)
    modules = ModuleCache(tools.store.modules)
    process = start_target(
        lambda: find_tool_command(tool, launcher, tools.store, modules),
        launcher,
        modules,
        tools.store,
        InstallOptions(),
        run_options(given, words),
    )
    return wait(process, tool.guest.timeout, as_native=arguments.tool is not None)


def _warn(tools: Tools, done: Installed) -> None:
    """Tell what the user may not expect."""
    for warning in done.warnings:
        print(f"wpm: {warning}", file=sys.stderr)
    if not tools.launchers.is_on_path():
        print(
            f"wpm: {tools.launchers.root} is not on PATH: add it, or run tools by: wpm tool run NAME", file=sys.stderr
        )
        return
    rivals = tools.launchers.rivals(done.tool.commands)
    for wins, what in ((True, "now comes before"), (False, "comes after")):
        programs = [str(program) for _, program, first in rivals if first is wins]
        if programs:
            print(f"wpm: {tools.launchers.root} {what} {_shortened(programs)} on PATH", file=sys.stderr)


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _counted(what: str, names: list[str]) -> str:
    return f"{what} {names[0]}" if len(names) == 1 else f"{len(names)} {what}s: {_shortened(names)}"


def _described(tools: Tools, tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "spec": tool.spec,
        "package": tool.package.id,
        "version": tool.package.version,
        "sha256": tool.package.sha256,
        "packages": sorted(tool.lock.packages),
        "guest": tool.guest._asdict(),
        "commands": [
            {
                "name": name,
                "command": command,
                "launcher": str(tools.launchers.path(name)),
                "present": tools.launchers.owner(name) == tool.name,
            }
            for name, command in sorted(tool.commands.items())
        ],
    }


def _print_json(value: object) -> None:
    from pkgmgr.cli.output import print_json

    print_json(value)
