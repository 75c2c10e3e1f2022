"""From a file or a text to a checked `ProjectManifest`.

The format is Wasmer's (`wasmer_config::package::Manifest`); `wapm.toml` is its older name and has the same shape.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from pkgmgr.errors import WpmError
from pkgmgr.manifest import sections
from pkgmgr.manifest.fields import Table
from pkgmgr.manifest.model import ProjectManifest
from pkgmgr.manifest.names import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pkgmgr.manifest.model import Command, Module

MANIFEST_NAMES = ("wasmer.toml", "wapm.toml")
"""The names of a manifest, the preferred one first."""

MAX_SIZE = 1 << 20
"""The largest manifest, in bytes."""


def find_manifest(directory: Path) -> Path | None:
    """The manifest of a directory: `wasmer.toml`, else the legacy `wapm.toml`, else `None`."""
    return next((path for name in MANIFEST_NAMES if (path := directory / name).is_file()), None)


def load_manifest(directory_or_file: Path) -> ProjectManifest:
    """Read and check the manifest of a directory, or a manifest given by its own path.

    Raises:
        WpmError: There is none, it cannot be read, or it is wrong: the line names the file and the key.
    """
    path = directory_or_file
    if path.is_dir():
        found = find_manifest(path)
        if found is None:
            raise WpmError(f"{path}: there is no wasmer.toml here: write one, or name another directory")
        path = found
    return parse_manifest(read_text(path), path)


def parse_manifest(text: str, path: Path) -> ProjectManifest:
    """Check the text of a manifest; the files that it names are not looked at.

    Args:
        text: The TOML.
        path: Where the text comes from; its directory is what the manifest's paths are relative to.

    Raises:
        WpmError: The text is not TOML, or a key is wrong.
    """
    warnings: list[str] = []
    top = Table(_toml(text, path), path, "", warnings)
    described = top.table("package")
    fields: dict[str, Any] = sections.package(described) if described is not None else {}
    if (ours := top.table("wpm")) is not None:
        fields |= sections.own(ours)
    wanted = top.table("dependencies")
    dependencies = sections.dependencies(wanted, fields.get("name")) if wanted is not None else {}
    mappings = sections.filesystem(top, dependencies)
    modules = tuple(sections.module(table) for table in top.tables("module", "[[module]]"))
    commands = tuple(sections.command(table) for table in top.tables("command", "[[command]]"))
    top.finish()

    _unique(top, "fs", "guest path", (mapping.guest for mapping in mappings))
    _unique(top, "module", "module", (module.name for module in modules))
    _unique(top, "command", "command", (command.name for command in commands))
    _check_modules(top, modules, commands, dependencies)
    entrypoint = fields.get("entrypoint")
    names = [command.name for command in commands]
    if entrypoint is not None and entrypoint not in names:
        top.fail("package.entrypoint", f"{shown(entrypoint)} is not a command: use one of {listed(names)}")
    return ProjectManifest(
        path=path,
        dependencies=dependencies,
        fs=mappings,
        modules=modules,
        commands=commands,
        warnings=tuple(warnings),
        **fields,
    )


def read_text(path: Path) -> str:
    """The text of a manifest, without waiting for a pipe and without believing its size.

    Raises:
        WpmError: It cannot be read, is too large or is not UTF-8.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise WpmError(f"{path}: is not a regular file: name a wasmer.toml or its directory")
            data = file.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the path is not usable"
        raise WpmError(f"{path}: cannot read the manifest: {reason}") from None
    if len(data) > MAX_SIZE:
        raise WpmError(f"{path}: is larger than {MAX_SIZE} bytes: a manifest is a short text, is this the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WpmError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8") from None


def _toml(text: str, path: Path) -> dict[str, Any]:
    import tomli

    if len(text) > MAX_SIZE:
        raise WpmError(
            f"{path}: is longer than {MAX_SIZE} characters: a manifest is a short text, is this the right file?"
        )
    try:
        return tomli.loads(text)
    except RecursionError:
        raise WpmError(f"{path}: is nested too deep to be a manifest") from None
    except ValueError as error:
        raise WpmError(f"{path}: is not valid TOML: {_one_line(str(error))}") from None


def _one_line(message: str) -> str:
    return shown(message)[1:-1]


def _unique(top: Table, section: str, what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            place = section if section == "fs" else f"{section}[{index}].name"
            raise WpmError(f"{top.file}: {place}: the {what} {shown(name)} is there twice: remove or rename one")
        seen.add(name)


def _check_modules(
    top: Table, modules: tuple[Module, ...], commands: tuple[Command, ...], dependencies: Iterable[str]
) -> None:
    """Every command's module is one of this package's own, or of a dependency that is declared."""
    own = {module.name for module in modules}
    known = set(dependencies)
    for index, command in enumerate(commands):
        reference = command.module
        place = f"{top.file}: command[{index}].module: the command {shown(command.name)}"
        if reference.dependency is None and reference.module not in own:
            raise WpmError(
                f"{place} runs {shown(reference.module)}, which is no [[module]] here: "
                f"use one of {listed(sorted(own))}, or namespace/name:module for a dependency's"
            )
        if reference.dependency is not None and reference.dependency not in known:
            raise WpmError(
                f"{place} runs a module of {shown(reference.dependency)}, which is not a dependency: "
                "add it to [dependencies]"
            )
