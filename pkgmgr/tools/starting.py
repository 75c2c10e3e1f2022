"""Running an installed tool: what it is given, and the program, from its lock alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from binfactory.modules import ModuleCache
    from pkgmgr.running.target import Target
    from pkgmgr.store import Store
    from pkgmgr.tools.record import GuestSettings, Tool

HERE = "."
SEEN_AS = "/work"
"""Where a tool sees the directory that it is started in, unless its installation says otherwise."""


def settings_of(settings: GuestSettings, *, sandbox: bool) -> GuestSettings:
    """What a tool is given, where somebody installs it with these options.

    Args:
        settings: The options.
        sandbox: Whether it shall see no directory of the host at all.
    """
    if sandbox or settings.volume or settings.mapdir:
        return settings
    return settings._replace(volume=(f"{HERE}:{SEEN_AS}",), cwd=settings.cwd or SEEN_AS)


def working_directory(settings: GuestSettings) -> str | None:
    """Where a tool starts: as it was installed, else where it sees the current directory; None leaves it to the command."""
    if settings.cwd is not None:
        return settings.cwd
    from pathlib import Path

    for text in settings.volume:
        host, _, rest = text.partition(":")
        if Path(host) == Path(HERE):
            guest = rest.partition(":")[0] if rest not in ("ro", "rw") else ""
            return guest or str(Path.cwd())
    return None


def find_tool_command(tool: Tool, launcher: str, store: Store, modules: ModuleCache) -> Target:
    """The program behind a launcher; packages that are not in the store any more are fetched, as they were locked.

    Raises:
        WpmError: A package is gone and cannot be fetched.
        FactoryError: The package is wrong.
    """
    from binfactory.loader import load_package
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.nodes import locked_nodes
    from pkgmgr.running.target import command_target
    from pkgmgr.tools.installing import fetch_lock

    fetch_lock(tool.lock, store, InstallOptions(registry=tool.registry))
    nodes = locked_nodes(tool.lock, store)
    package, *beside = (load_package(nodes[root]) for root in tool.lock.roots.values())
    return command_target(package, tool.commands[launcher], modules)._replace(beside=tuple(beside))
