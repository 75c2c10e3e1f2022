"""How a program that stands in a file wants to be started, where an image says so beside it.

An image is files, and nothing else: what a package's manifest says of a command stands in
`/usr/lib/wpm/commands/NAME.json`, for the file `/bin/NAME` or `/usr/bin/NAME` with the sha256 that is written there. A
file that has replaced the command's does not inherit its settings.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from binfactory.command_layer import COMMAND_DIRECTORIES
from binfactory.errors import FactoryError
from runtime.fs.node import File
from runtime.fs.walk import walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from binfactory.guest_file import GuestFile
    from runtime.env import WasiEnv
    from runtime.fs.walk import Location

SETTINGS_DIRECTORY: Final = "usr/lib/wpm/commands"
"""Where the settings of commands stand in an image, a file `NAME.json` for each command that has any."""

LARGEST_SETTINGS: Final = 1 << 20


class CommandSettings(NamedTuple):
    """How a command wants to be started.

    Attributes:
        args: Arguments that come before those of the caller.
        env: Variables for those that the caller does not set.
        name: What the program sees as its own name; None for the name it was called by.
        cwd: Where it starts; None for where the caller is.
    """

    args: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    name: str | None = None
    cwd: str | None = None


PLAIN: Final = CommandSettings()
"""Those of a command that has none."""


class SettingsLookup(Protocol):
    """Tells the factory how a program in a file wants to be started."""

    def __call__(self, file: GuestFile, place: Location, env: WasiEnv) -> CommandSettings | None:
        """The settings of a file; None where it has none.

        Args:
            file: The module.
            place: Where it is, links followed.
            env: In whose root.

        Raises:
            OSError: There are some, and they cannot be read.
        """
        ...


def image_settings(file: GuestFile, place: Location, env: WasiEnv) -> CommandSettings | None:
    """The settings that an image has for one of its commands; a `SettingsLookup`.

    Raises:
        OSError: `ENOEXEC`: they are not what they should be.
    """
    name = place.name
    path = f"/{SETTINGS_DIRECTORY}/{name}.json"
    try:
        node = walk(env.root, env.root, path, follow=True).node
    except OSError:
        return None
    if not isinstance(node, File) or not _is_command(place, env):
        return None
    try:
        module, settings = parse_settings(_read(node, path), path)
    except FactoryError as error:
        raise OSError(errno.ENOEXEC, str(error)) from error
    return settings if module == file.atom_sha256 else None


def parse_settings(data: bytes, where: str) -> tuple[str, CommandSettings]:
    """Read the settings of a command.

    Args:
        data: The JSON.
        where: What to name in errors.

    Returns:
        The sha256 of the file that they are for, in hex, and the settings.

    Raises:
        FactoryError: It is no such JSON.
    """
    import json

    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raise FactoryError(f"{where}: no JSON: build the image again") from None
    if not isinstance(raw, dict):
        raise FactoryError(f"{where}: expected an object: build the image again")
    module = _text(raw, "module", where) or ""
    args, env = raw.get("args", []), raw.get("env", {})
    if not isinstance(args, list) or not all(is_text(arg) for arg in args):
        raise FactoryError(f"{where}: args: expected a list of texts without NUL")
    if not isinstance(env, dict) or not all(_is_variable(*pair) for pair in env.items()):
        raise FactoryError(f"{where}: env: expected names of variables with texts without NUL")
    return module, CommandSettings(tuple(args), env, _text(raw, "name", where), _text(raw, "cwd", where))


def _text(raw: Mapping[str, Any], key: str, where: str) -> str | None:
    value = raw.get(key)
    if value is None:
        return None
    if not is_text(value):
        raise FactoryError(f"{where}: {key}: expected a text without NUL")
    return str(value)


def is_text(value: object) -> bool:
    """Whether a value that JSON gave is a text that a guest can be given: without NUL, of whole characters."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # JSON can spell halves of characters
        return False
    return True


def _is_variable(name: object, value: object) -> bool:
    return isinstance(name, str) and name != "" and "=" not in name and is_text(name) and is_text(value)


def _is_command(place: Location, env: WasiEnv) -> bool:
    """Whether a file is in one of the directories of commands, by whatever way it was reached."""
    if place.parent is None:
        return False
    here = place.parent.node.stat()
    for path in COMMAND_DIRECTORIES:
        try:
            directory = walk(env.root, env.root, path, follow=True).node
        except OSError:
            continue
        if directory is not None:
            stat = directory.stat()
            if (stat.dev, stat.ino) == (here.dev, here.ino):
                return True
    return False


def _read(node: File, path: str) -> bytes:
    size = node.stat().size
    if size > LARGEST_SETTINGS:
        raise FactoryError(f"{path}: larger than {LARGEST_SETTINGS} bytes: no settings of a command")
    opened = node.open(read=True, write=False)
    try:
        content = bytearray(size)
        done = 0
        while done < size:
            count = opened.readv([memoryview(content)[done:]], done)
            if not count:
                break
            done += count
        return bytes(content[:done])
    finally:
        opened.close()
