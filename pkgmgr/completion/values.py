"""What there is on this machine to be named: packages, commands, tools. Nothing here asks the network or raises."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkgmgr.source import NamedSource
    from pkgmgr.store import Store
    from pkgmgr.version import Version

_SECONDS: Final = 0.04
"""How long to look into packages whose names are not known yet."""
_RUNNABLE: Final = (".wasm", ".webc")
_MOST_FILES: Final = 1000
_WRONG: Final = (WpmError, OSError, ValueError, RuntimeError)


def packages(prefix: str) -> Iterator[str]:
    """Packages that can be had at once: of the store, of the embedded registry and of the project's lock.

    Args:
        prefix: What is typed; behind an `@` their versions are meant.
    """
    from pkgmgr.version import Version

    names: dict[str, list[Version]] = {}
    wanted = prefix.partition("@")[0] if "@" in prefix else None
    for package in set(_package_ids()):
        name, _, number = package.rpartition("@")
        versions = names.setdefault(name, [])
        if name == wanted:
            with suppress(WpmError):
                versions.append(Version.parse(number))
    if wanted is None:
        yield from sorted(names)
    else:
        yield from (f"{wanted}@{version}" for version in sorted(names.get(wanted, ()), reverse=True))


def package_commands(spec: str) -> list[str]:
    """The commands of a package that is in the store, or of a package file."""
    from binfactory.errors import FactoryError
    from pkgmgr.source import NamedSource, PathSource, parse_source
    from pkgmgr.store import Store
    from pkgmgr.summary import summarize

    store = Store.default()
    try:
        source = parse_source(spec)
        if isinstance(source, PathSource) or (isinstance(source, NamedSource) and Path(spec).is_file()):
            return list(summarize(Path(spec).expanduser(), "completion", folder=".").commands)
        if isinstance(source, NamedSource):
            return _newest_commands(source, store)
    except (*_WRONG, FactoryError):
        pass
    return []


def _newest_commands(source: NamedSource, store: Store) -> list[str]:
    from pkgmgr.store.names import stored_names
    from pkgmgr.summary import summarize
    from pkgmgr.version import Version

    found: list[tuple[Version, Path]] = []
    for digest, package in stored_names(store, _SECONDS).items():
        name, _, number = package.rpartition("@")
        if name == source.name and source.requirement.matches(Version.parse(number)):
            found.append((Version.parse(number), store.path(digest)))
    for version, path in _embedded_files(source.name):
        if source.requirement.matches(version):
            found.append((version, path))
    return list(summarize(max(found)[1], "completion", folder=".").commands) if found else []


def layout_images(prefix: str) -> list[str]:
    """The images of a layout, as `LAYOUT:TAG`, where that much is typed that the layout is known."""
    from pkgmgr.oci.layout import REF_NAME, ImageLayout
    from pkgmgr.oci.marker import is_layout

    for colon in (number for number, each in enumerate(prefix) if each == ":"):
        try:
            folder = Path(prefix[:colon]).expanduser()
            if prefix[:colon] and is_layout(folder):
                tags = (image.annotations.get(REF_NAME) for image in ImageLayout(folder).images())
                return [f"{prefix[:colon]}:{tag}" for tag in tags if tag]
        except _WRONG:
            pass
    return []


def image_commands(image: str) -> list[str]:
    """The commands of an image that is a directory or a package; to know those of others takes too long at a tab."""
    try:
        folder = Path(image).expanduser() / "bin"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else package_commands(image)
    except _WRONG:
        return []


def tools() -> list[str]:
    """The names of the installed tools."""
    from pkgmgr.tools.record import ToolFolder

    return ToolFolder.default().names()


def tool_commands() -> dict[str, str]:
    """The commands of the installed tools, each with its package."""
    from pkgmgr.tools.record import ToolFolder

    found: dict[str, str] = {}
    folder = ToolFolder.default()
    for name in folder.names():
        with suppress(WpmError):
            if (tool := folder.read(name)) is not None:
                found |= dict.fromkeys(tool.commands, tool.package.id)
    return found


def runnable_files(prefix: str) -> list[str]:
    """Modules, packages and directories whose paths start so; those of directories end in a slash."""
    head, _, name = prefix.rpartition("/")
    shown = f"{head}/" if "/" in prefix else ""
    try:
        folder = Path(shown or ".").expanduser()
        found = []
        for entry in os.scandir(folder):
            if not entry.name.startswith(name) or (entry.name.startswith(".") and not name):
                continue
            if entry.is_dir():
                found.append(f"{shown}{entry.name}/")
            elif entry.name.endswith(_RUNNABLE):
                found.append(shown + entry.name)
            if len(found) == _MOST_FILES:
                break
    except (OSError, RuntimeError):
        return []
    return sorted(found)


def _package_ids() -> Iterator[str]:
    from pkgmgr.store import Store
    from pkgmgr.store.names import stored_names

    with suppress(*_WRONG):
        yield from filter(None, stored_names(Store.default(), _SECONDS).values())
    from pkgmgr.completion.project_words import project_words

    yield from (package for package in project_words(Store.default()).packages if "@" in package)
    import registry_fixtures

    root = registry_fixtures.ROOT / "packages"
    for path in root.glob("*/*/*.webc"):
        yield f"{path.parent.parent.name}/{path.parent.name}@{path.stem}"


def _embedded_files(name: str) -> Iterator[tuple[Version, Path]]:
    import registry_fixtures
    from pkgmgr.source import split_name
    from pkgmgr.version import Version

    namespace, rest = split_name(name)
    for path in (registry_fixtures.ROOT / "packages" / namespace / rest).glob("*.webc"):
        with suppress(WpmError):
            yield Version.parse(path.stem), path
