"""What is kept of an installed tool: one file, whole or not there, from which it runs without asking anybody."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.files.holding import hold
from pkgmgr.files.reading import read_small_file
from pkgmgr.files.replacing import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pkgmgr.locks.lockfile import LockedPackage, Lockfile

FORMAT: Final = 1
VARIABLE: Final = "WPM_TOOL_DIR"
_SUFFIX: Final = ".json"
_LARGEST: Final = 16 << 20
_MOST: Final = 10_000
_LONGEST: Final = 4096
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}")


class GuestSettings(NamedTuple):
    """What a tool is given at each run, as the options of `wpm run` say it.

    Attributes:
        volume: `HOST:GUEST[:ro]`; a relative HOST is taken from where the tool is started.
        mapdir: `GUEST:HOST`.
        env: `K=V`, or `K` for the variable's value at that time.
        forward_host_env: Whether it gets all variables.
        cwd: Its working directory.
        net: What of the network it may use; None is nothing.
        timeout: The seconds that it may run.
        memory: The most bytes of memory for each of its processes.
    """

    volume: tuple[str, ...] = ()
    mapdir: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    forward_host_env: bool = False
    cwd: str | None = None
    net: str | None = None
    timeout: float | None = None
    memory: int | None = None


class Tool(NamedTuple):
    """An installed tool.

    Attributes:
        name: What it is called here.
        spec: The package source that it was installed from.
        uses: Sources of more packages that it sees.
        chosen: The commands that were asked for; empty means all of the package's own.
        renamed: Whether its one launcher is called as the tool, rather than as the command.
        registry: The registry that was named then; None is the configured one.
        commands: The commands of the package by the names of their launchers.
        guest: What it is given at each run.
        lock: Exactly which packages it runs on; its first root is the tool's own.
    """

    name: str
    spec: str
    uses: tuple[str, ...]
    chosen: tuple[str, ...]
    renamed: bool
    registry: str | None
    commands: Mapping[str, str]
    guest: GuestSettings
    lock: Lockfile

    @property
    def package(self) -> LockedPackage:
        """The package that it comes from."""
        return self.lock.packages[next(iter(self.lock.roots.values()))]


class ToolFolder:
    """Where tools are recorded.

    Args:
        root: The folder; it is made when something is first installed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def default(cls) -> ToolFolder:
        """The user's: `WPM_TOOL_DIR`, else `tools` in the data folder of the system for `wpm`."""
        from pkgmgr.files.user_folders import user_folder

        folder = user_folder(VARIABLE, "data")
        return cls(folder if os.environ.get(VARIABLE) else folder / "tools")

    def path(self, name: str) -> Path:
        """Where the record of a tool is, or would be."""
        return self.root / (check_tool_name(name) + _SUFFIX)

    def names(self) -> list[str]:
        """The names of the installed tools, in order."""
        try:
            found = [
                entry.name.removesuffix(_SUFFIX) for entry in os.scandir(self.root) if entry.name.endswith(_SUFFIX)
            ]
        except OSError:
            return []
        return sorted(name for name in found if _NAME.fullmatch(name))

    def read(self, name: str) -> Tool | None:
        """A tool by its name; None where there is none.

        Raises:
            WpmError: Its record cannot be read, or is none.
        """
        path = self.path(name)
        try:
            data = read_small_file(path, _LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
        try:
            return _parse(name, data)
        except WpmError as error:
            raise WpmError(f"{path}: {error}: remove the file and install the tool again") from None

    def all(self) -> Iterator[Tool]:
        """Every tool, in order of their names; raises `WpmError` as `read`."""
        for name in self.names():
            if (tool := self.read(name)) is not None:
                yield tool

    def write(self, tool: Tool) -> None:
        """Replace the record of a tool, whole or not at all."""
        replace_file(self.path(tool.name), _format(tool))

    def remove(self, name: str) -> None:
        """Forget a tool."""
        self.path(name).unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else changes tools at the same time."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("ab") as file:
            hold(file.fileno())
            yield


def check_tool_name(name: str) -> str:
    """The name, which must be good for a file; raises `WpmError` where it is not."""
    if not _NAME.fullmatch(name):
        raise WpmError(f"{name[:60]!r}: not a name for a tool: letters, digits, '-', '_', '+' and '.' may be in it")
    return name


def _format(tool: Tool) -> bytes:
    import json

    from pkgmgr.locks.lockfile import format_lock

    content = {
        "format": FORMAT,
        "spec": tool.spec,
        "uses": tool.uses,
        "chosen": tool.chosen,
        "renamed": tool.renamed,
        "registry": tool.registry,
        "commands": dict(tool.commands),
        "guest": tool.guest._asdict(),
        "lock": format_lock(tool.lock),
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _parse(name: str, data: bytes) -> Tool:
    import json

    from pkgmgr.locks.reader import parse_lock

    if len(data) > _LARGEST:
        raise WpmError(f"larger than the {_LARGEST} bytes that a tool's record may have")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise WpmError("not JSON") from None
    if not isinstance(content, dict) or type(content.get("format")) is not int:
        raise WpmError("not the record of a tool")
    if content["format"] != FORMAT:
        raise WpmError(f"key format: {content['format']} is of another wpm, this one reads {FORMAT}")
    lock = parse_lock(_text(content, "lock", len(data)).encode())
    if not lock.roots:
        raise WpmError("key lock: it has no package")
    commands = content.get("commands")
    if not isinstance(commands, dict) or not all(isinstance(each, str) for each in commands.values()):
        raise WpmError("key commands: expected a table of texts")
    return Tool(
        name,
        _text(content, "spec"),
        _texts(content, "uses"),
        _texts(content, "chosen"),
        content.get("renamed") is True,
        None if content.get("registry") is None else _text(content, "registry"),
        commands,
        _settings(content.get("guest")),
        lock,
    )


def _settings(table: object) -> GuestSettings:
    if not isinstance(table, dict):
        raise WpmError("key guest: expected a table")
    timeout, memory = table.get("timeout"), table.get("memory")
    if not (timeout is None or (isinstance(timeout, int | float) and timeout > 0)):
        raise WpmError("key timeout: expected a number of seconds")
    if not (memory is None or (isinstance(memory, int) and memory > 0)):
        raise WpmError("key memory: expected a number of bytes")
    return GuestSettings(
        _texts(table, "volume"),
        _texts(table, "mapdir"),
        _texts(table, "env"),
        table.get("forward_host_env") is True,
        None if table.get("cwd") is None else _text(table, "cwd"),
        None if table.get("net") is None else _text(table, "net"),
        timeout,
        memory,
    )


def _text(table: Mapping[str, Any], key: str, longest: int = _LONGEST) -> str:
    value = table.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise WpmError(f"key {key}: expected a text of at most {longest} characters")
    return value


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(each, str) for each in value):
        raise WpmError(f"key {key}: expected an array of at most {_MOST} texts")
    return tuple(value)
