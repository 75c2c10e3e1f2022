"""What `wpm exec` runs: a command of packages that belong to no project.

Which command that is follows npx and uvx. Of one package it is the package's own choice, or its only command, or the one
that is called as the package is. Of packages that are named beforehand it is the first word, looked up in them in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from binfactory.modules import ModuleCache
    from binfactory.package import BinaryPackage
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.running.target import Target
    from pkgmgr.store import Store

_MOST_NAMED = 12


def find_command(
    packages: Sequence[str], command: str | None, store: Store, options: InstallOptions, modules: ModuleCache
) -> Target:
    """A command of packages that somebody names.

    Args:
        packages: Package sources, one or more; the program sees the commands and files of all.
        command: Which of their commands; None leaves it to the only package.
        store: Where packages are and go.
        options: The registry, and whether the network may be used.
        modules: Where compiled modules are.

    Raises:
        WpmError: A package cannot be had, or none of them has the command.
        FactoryError: A package is wrong, or leaves open what to run.
    """
    from pkgmgr.running.program import named_package
    from pkgmgr.running.target import command_target

    loaded = [named_package(spec, store, options) for spec in packages]
    if command is None:
        first = loaded[0]
        return command_target(first, own_choice(first), modules)._replace(beside=tuple(loaded[1:]))
    for number, package in enumerate(loaded):
        if command in package.commands:
            beside = (*loaded[:number], *loaded[number + 1 :])
            return command_target(package, command, modules)._replace(beside=beside)
    raise WpmError(f"{command}: no command of {', '.join(each.id for each in loaded)} ({_choices(command, loaded)})")


def own_choice(package: BinaryPackage) -> str:
    """The command that a package runs where none is named; raises `FactoryError` where that is open."""
    own = package.own_commands
    called = package.id.rpartition("@")[0].rpartition("/")[2]
    if package.entrypoint is None and called in own:
        return called
    return package.entrypoint_command().name


def _choices(command: str, packages: Sequence[BinaryPackage]) -> str:
    from difflib import get_close_matches

    names = sorted({name for package in packages for name in package.commands})
    if near := get_close_matches(command, names, 3):
        return f"did you mean {' or '.join(near)}?"
    rest = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"commands: {', '.join(names[:_MOST_NAMED]) or 'none'}{rest}"
