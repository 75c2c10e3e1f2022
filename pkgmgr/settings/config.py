"""The configuration of a user: `config.toml`, which says what registry answers for which namespace.

    [registries]
    "acme/*" = "https://registry.acme.example/graphql"
    "local/*" = "~/packages"
    "*" = "https://registry.wasmer.io/graphql"

    [mirrors]
    "https://registry.wasmer.io/graphql" = ["https://mirror.acme.example/graphql"]

A namespace that is named there is never looked up anywhere else, however it is spelled. Mirrors are asked *instead* of
their registry, one after another for as long as they cannot be reached; the registry itself is asked only where it
is in its own list. What is wrong in the file is an error, as a line that was passed over could send a name to strangers.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.registry.place import EVERYTHING as EVERYTHING
from pkgmgr.registry.place import parse_place, parse_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER_VARIABLE: Final = "WPM_CONFIG_DIR"
FILE_NAME: Final = "config.toml"
REGISTRIES: Final = "registries"
MIRRORS: Final = "mirrors"
_LARGEST: Final = 1 << 20
_MOST: Final = 1000
_NAMESPACE: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"


class Configuration(NamedTuple):
    """What a configuration file says.

    Attributes:
        path: The file, whether or not it is there.
        registries: Patterns (`namespace/*` in small letters, or `*`) to places in their one form (`parse_place`).
        mirrors: The URLs that are asked instead of a registry, in order, by the registry's URL.
        warnings: What was not understood and does no harm, one line each.
    """

    path: Path
    registries: Mapping[str, str] = MappingProxyType({})
    mirrors: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    warnings: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path | None = None) -> Configuration:
        """Read the user's configuration, or that of a file; one that is not there says nothing.

        Raises:
            WpmError: The file cannot be read, or something in it is wrong; the message names the file and the key.
        """
        from pkgmgr.files.reading import read_small_file

        path = config_folder() / FILE_NAME if path is None else path
        try:
            data = read_small_file(path, _LARGEST)
        except (FileNotFoundError, NotADirectoryError):
            return cls(path)
        except OSError as error:
            raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
        return parse_configuration(data, path)

    def place(self, name: str) -> str | None:
        """The place that is configured for the namespace of a package; None where only `*` could be meant."""
        return self.registries.get(pattern_of(name))


def config_folder() -> Path:
    """The folder of the user's configuration: `WPM_CONFIG_DIR`, else that of the system for `wpm`."""
    from pkgmgr.files.user_folders import user_folder

    return user_folder(FOLDER_VARIABLE, "config")


def pattern_of(name: str) -> str:
    """The pattern that answers for a package's name: `namespace/*`, and `_/*` for one without a namespace."""
    # Registries differ in whether capitals matter: a name must not get past its line by them.
    return f"{name.rpartition('/')[0].lower() or '_'}/*"


def parse_configuration(data: bytes, path: Path) -> Configuration:
    """Read the bytes of a configuration.

    Args:
        data: The file's content.
        path: Its name, for errors; relative directories in it start at its folder.

    Raises:
        WpmError: It is not TOML, or something in it is wrong.
    """
    from pkgmgr.files.reading import parse_toml

    if len(data) > _LARGEST:
        raise WpmError(f"{path}: larger than the {_LARGEST} bytes that a configuration may have")
    try:
        document = parse_toml(data)
    except WpmError as error:
        raise WpmError(f"{path}: {error}") from None
    try:
        registries = {}
        for pattern, place in _table(document, REGISTRIES).items():
            known = check_pattern(pattern)
            if known in registries:
                raise WpmError(f"{_shown(REGISTRIES, pattern)}: there twice, as capitals make no difference")
            registries[known] = _place(pattern, place, path.parent)
        mirrors = {}
        for url, urls in _table(document, MIRRORS).items():
            mirrors[check_url(MIRRORS, url)] = _mirrors(url, urls)
    except WpmError as error:
        raise WpmError(f"{path}: {error}") from None
    unknown = [key for key in document if key not in (REGISTRIES, MIRRORS)]
    warnings = [f"{path}: key {key[:60]!r} is not known, and passed over" for key in unknown[:10]]
    return Configuration(path, registries, mirrors, tuple(warnings))


def check_pattern(pattern: str) -> str:
    """The pattern in its one form; raises `WpmError` for what is neither `namespace/*` nor `*`."""
    namespace = pattern.removesuffix("/*")
    if pattern == EVERYTHING:
        return pattern
    if namespace == pattern or not re.fullmatch(_NAMESPACE, namespace):
        raise WpmError(f'key {_shown(REGISTRIES, pattern)}: expected "NAMESPACE/*" or "*"')
    return pattern.lower()


def check_url(table: str, url: str) -> str:
    """The URL in its one form; raises `WpmError` that names the key."""
    try:
        return parse_url(url)
    except WpmError as error:
        raise WpmError(f"key {_shown(table, url)}: {error}") from None


def _place(pattern: str, value: object, folder: Path) -> str:
    if not isinstance(value, str):
        raise WpmError(f"key {_shown(REGISTRIES, pattern)}: expected a directory, a URL or 'embedded'")
    try:
        return parse_place(value, folder)
    except WpmError as error:
        raise WpmError(f"key {_shown(REGISTRIES, pattern)}: {error}") from None


def _mirrors(url: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise WpmError(f"key {_shown(MIRRORS, url)}: expected a list of URLs")
    return tuple(check_url(MIRRORS, each) for each in value)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict) or len(value) > _MOST:
        raise WpmError(f"key {key}: expected a table of at most {_MOST} entries")
    return value


def _shown(table: str, key: str) -> str:
    return f'{table}."{key[:100]}"' if key.isprintable() else f"{table}.{key[:60]!r}"
