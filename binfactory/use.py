"""Use packages in an environment: their files in its root, their commands in `/bin` and `/usr/bin`."""

from __future__ import annotations

import errno
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from binfactory.command_layer import COMMAND_DIRECTORIES
from binfactory.errors import FactoryError
from binfactory.factory import BinFactory
from binfactory.filesystem import package_layer
from binfactory.programs import CommandProgram
from runtime.fs.mounts import MountTable
from runtime.fs.node import Directory, File
from runtime.fs.overlay import OverlayFileSystem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from binfactory.command import BinaryCommand
    from binfactory.package import BinaryPackage
    from runtime.env import WasiEnv
    from runtime.fs.node import FileSystem, Node

CHUNK = 1 << 20


def use_package(env: WasiEnv, package: BinaryPackage) -> None:
    """Give the processes of an environment a package: its files, its commands, and those of what it uses.

    Args:
        env: The environment; its programs are a `BinFactory`.
        package: The package. One that is used already changes nothing.

    Raises:
        FactoryError: something of the package is not there, or the root takes no files.
    """
    unite_package(_factory_of(env), env.filesystem, package)


def use_packages(env: WasiEnv, packages: Iterable[BinaryPackage]) -> None:
    """Use several packages; where two bring a command of the same name, the one used last has it.

    Raises:
        FactoryError: as `use_package`.
    """
    for package in packages:
        use_package(env, package)


def map_commands(env: WasiEnv, commands: Mapping[str, Path]) -> None:
    """Make files of the host commands of an environment, whatever commands of these names there are.

    Args:
        env: The environment; its programs are a `BinFactory`.
        commands: Names, each with a module, a container or a script on the host.

    Raises:
        FactoryError: a name is none, a file cannot be read, or the root takes no files.
    """
    factory = _factory_of(env)
    for name, path in commands.items():
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            raise FactoryError(f"{name!r} cannot name a command")
        factory.map_file(env.filesystem, name, path)


def unite_package(factory: BinFactory, filesystem: FileSystem, package: BinaryPackage) -> None:
    """As `use_package`, for a root that no environment is made of yet."""
