"""Changing the user's configuration: one key at a time, its comments and layout kept, the file replaced whole or not at all.

A key is a table and a name in it, as `registries.acme/*` or `mirrors.https://registry.wasmer.io/graphql`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.registry.place import parse_place
from pkgmgr.settings.config import MIRRORS, REGISTRIES, Configuration, check_pattern, check_url, parse_configuration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import tomlkit

_LARGEST: Final = 1 << 20


def parse_key(key: str) -> tuple[str, str]:
    """The table and the name that a key means, the name in its one form; raises `WpmError` where there is no such key."""
    table, _, name = key.partition(".")
    name = name.removeprefix('"').removesuffix('"')
    if table == REGISTRIES and name:
        return table, check_pattern(name)
    if table == MIRRORS and name:
        return table, check_url(MIRRORS, name)
    raise WpmError(f"{key[:100]!r}: not a key of the configuration: expected registries.NAMESPACE/* or mirrors.URL")


def get_key(configuration: Configuration, key: str) -> list[str]:
    """The values of a key; empty where it is not set."""
    table, name = parse_key(key)
    if table == MIRRORS:
        return list(configuration.mirrors.get(name, ()))
    return [configuration.registries[name]] if name in configuration.registries else []


def set_key(path: Path, key: str, values: Sequence[str]) -> None:
    """Give a key its values, in the file.

    Args:
        path: The configuration; it is made where it is not there.
        key: Which key.
        values: One registry, or the URLs of mirrors in their order; a relative directory starts where we are.

    Raises:
        WpmError: The key or a value is wrong, or the file cannot be changed; it is as it was.
    """
    table, name = parse_key(key)
    if table == REGISTRIES and len(values) != 1:
        raise WpmError(f"{key}: expected one registry, not {len(values)}")
    document = _read(path)
    entries = document.setdefault(table, {})
    value = [check_url(MIRRORS, url) for url in values] if table == MIRRORS else parse_place(values[0], Path.cwd())
    entries[_spelled(table, entries, name) or name] = value
    _write(path, document)


def unset_key(path: Path, key: str) -> bool:
    """Take a key out of the file; gives whether it was there. Raises `WpmError` as `set_key` does."""
    table, name = parse_key(key)
    document = _read(path)
    entries = document.get(table, {})
    if (spelled := _spelled(table, entries, name)) is None:
        return False
    del entries[spelled]
    _write(path, document)
    return True


def _spelled(table: str, entries: Iterable[str], name: str) -> str | None:
    """The key of the file that means the name, as it is spelled there."""
    for key in entries:
        with suppress(WpmError):
            if parse_key(f"{table}.{key}")[1] == name:
                return str(key)
    return None


def _read(path: Path) -> tomlkit.TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return tomlkit.document()
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    # The whole file is checked as everybody reads it, before the change and after it: so the change is what was wrong.
    parse_configuration(data, path)
    try:
        return tomlkit.parse(data)
    except (TOMLKitError, RecursionError, ValueError) as error:
        raise WpmError(f"{path}: not TOML: {str(error).splitlines()[0]}") from None


def _write(path: Path, document: tomlkit.TOMLDocument) -> None:
    from pkgmgr.files.replacing import replace_file

    data = document.as_string().encode()
    parse_configuration(data, path)
    # A configuration is often a link into a folder of them: what it points to is replaced, not the link.
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        replace_file(target, data, mode)
    except OSError as error:
        raise WpmError(f"{path}: cannot be written: {error.strerror or error}") from None
