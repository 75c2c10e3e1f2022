"""The sections of a manifest, one function each: a TOML table in, values of `model` out."""

from __future__ import annotations

import re
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pkgmgr.errors import WpmError
from pkgmgr.manifest.annotations import AnnotationError, check_wasi, plain
from pkgmgr.manifest.fields import Table
from pkgmgr.manifest.model import AnnotationsFile, Bindings, Command, FsMapping, Module, ModuleReference
from pkgmgr.manifest.names import is_file_name, shown
from pkgmgr.manifest.paths import guest_path
from pkgmgr.source import check_name, parse_dependency
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ABIS = ("none", "generic", "wasi", "emscripten", "wasm4")
KINDS = ("wasm", "tensorflow-SavedModel")

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]{1,500}")
_RUNNER = re.compile(r"[A-Za-z0-9@._+/-]{1,200}")


def package(table: Table) -> dict[str, Any]:
    """`[package]`: the fields of `ProjectManifest` that it sets."""
    name = table.text("name")
    if name is not None:
        _checked(table, "name", check_name, name)
    version = table.text("version")
    if version is not None:
        _checked(table, "version", Version.parse, version)
    fields: dict[str, Any] = {
        "has_package": True,
        "name": name,
        "version": version,
        "license_file": table.host_path("license-file"),
        "readme": table.host_path("readme"),
        "private": table.flag("private"),
        "wasmer_extra_flags": table.text("wasmer-extra-flags"),
        "disable_command_rename": table.flag("disable-command-rename"),
        "rename_commands_to_raw_command_name": table.flag("rename-commands-to-raw-command-name"),
    }
    for key in ("description", "license", "repository", "homepage", "entrypoint"):
        fields[key] = table.text(key)
    for key in ("license-file", "readme"):
        if fields[key.replace("-", "_")] == "":
            table.fail(key, "names the package's directory: name a file in it")
    table.finish()
    return fields


def own(table: Table) -> dict[str, Any]:
    """`[wpm]`: what only this program reads; Wasmer passes over tables that it does not know."""
    fields: dict[str, Any] = {"shell": table.text("shell")}
    if fields["shell"] == "":
        table.fail("shell", 'is empty: name a command of the project, for example shell = "bash"')
    table.finish()
    return fields


def dependencies(table: Table, own_name: str | None) -> Mapping[str, str]:
    """`[dependencies]`: package name to a version requirement, or to a whole package source."""
    found: dict[str, str] = {}
    for name in table.data:
        _checked(table, name, check_name, name)
        if name == own_name:
            table.fail(name, "the package depends on itself: remove the line")
        text = (table.value(name, str, 'write a version requirement such as "^1.2"') or "").strip()
        _checked(table, name, partial(parse_dependency, name), text)
        found[name] = text
    return MappingProxyType(found)


def _checked(table: Table, key: str, check: Callable[[str], object], text: str) -> None:
    """Let another reader judge a text, and give its verdict the place in this file."""
    try:
        check(text)
    except WpmError as error:
        table.fail(key, str(error))


def filesystem(top: Table, known: Mapping[str, str]) -> tuple[FsMapping, ...]:
    """`[fs]` (guest path to host path) or the array form `[[fs]]` (`guest = ...`, `host = ...`).

    A value may also be a table `{ from = "ns/name", volume = "/data", path = "sub" }`, which mounts a volume of a
    dependency, as the filesystem annotation of a WEBC does.

    Args:
        top: The whole manifest.
        known: The dependencies.
    """
    if isinstance(top.data.get("fs"), list):
        return tuple(
            _mapping(table.required("guest", "/data"), table, "guest", known)
            for table in top.tables("fs", "[[fs]] with guest and host")
        )
    section = top.table("fs")
    if section is None:
        return ()
    found = []
    for guest, value in section.data.items():
        if isinstance(value, dict):
            inner = Table(value, top.file, section.where(guest).removeprefix(f"{top.file}: "), top.warnings)
            found.append(_mapping(guest, inner, None, known))
        else:
            host = section.value(guest, str, "write guest = host, each a path in quotes") or ""
            found.append(FsMapping(_guest(section, guest, guest), host=section.checked_path(guest, host)))
    return tuple(found)


def _guest(table: Table, key: str | None, path: str) -> str:
    found = guest_path(path)
    if found is None:
        table.fail(key, f"{shown(path)} is not a guest path: write an absolute path without '..', for example /data")
    return found


def _mapping(guest: str, table: Table, key: str | None, known: Mapping[str, str]) -> FsMapping:
    """The mapping in a table of its own; `key` is where the guest path stands in it."""
    path = _guest(table, key, guest)
    host = table.host_path("host")
    if host is not None:
        table.finish()
        return FsMapping(path, host=host)
    source = table.required("from", "namespace/name")
    if source not in known:
        table.fail("from", f"{shown(source)} is not a dependency: add it to [dependencies]")
    volume = table.required("volume", "/data")
    if guest_path(volume) is None:
        table.fail("volume", f"{shown(volume)} is not the name of a volume: write for example /data")
    subpath = table.host_path("path")
    table.finish()
    return FsMapping(path, source=source, volume=volume, subpath=subpath or None)


def module(table: Table) -> Module:
    """One `[[module]]`."""
    name = table.required("name", "main")
    if not is_file_name(name) or ":" in name:
        table.fail("name", f"{shown(name)} is not a module name: use at most 255 bytes without '/' and ':'")
    source = table.checked_path("source", table.required("source", "main.wasm"))
    kind = table.text("kind")
    if kind is not None and kind not in KINDS and not _URL.fullmatch(kind):
        table.fail("kind", f'{shown(kind)} is unknown: use "wasm", "tensorflow-SavedModel" or a URL')
    abi = (table.choice("abi", ABIS) or "none").replace("generic", "none")
    found = Module(
        name=name,
        source=source,
        abi=abi,
        kind=kind,
        interfaces=MappingProxyType(table.string_table("interfaces")),
        bindings=_bindings(table.table("bindings")),
        pass_params=_pass_params(table.table("annotations")),
    )
    table.finish()
    return found


def _bindings(table: Table | None) -> Bindings | None:
    if table is None:
        return None
    wit, wai = table.text("wit-bindgen"), table.text("wai-version")
    if (wit is None) == (wai is None):
        table.fail(
            None, "expected one of wit-bindgen and wai-version: keep the one that says how the interface is written"
        )
    key, version = ("wit-bindgen", wit) if wit is not None else ("wai-version", wai or "")
    assert version is not None
    _checked(table, key, Version.parse, version)
    if wit is not None:
        exports: str | None = table.checked_path("wit-exports", table.required("wit-exports", "exports.wit"))
        imports: tuple[str, ...] = ()
    else:
        exports = table.host_path("exports")
        paths = table.strings("imports")
        imports = tuple(table.checked_path(f"imports[{index}]", path) for index, path in enumerate(paths))
    table.finish()
    return Bindings(key[:3], version, exports, imports)


def _pass_params(table: Table | None) -> bool | None:
    hints = None if table is None else table.table("suggested_compiler_optimizations")
    found = None if hints is None else hints.value("pass_params", bool)
    for inner in (hints, table):
        if inner is not None:
            inner.finish()
    return found


def command(table: Table) -> Command:
    """One `[[command]]`, in either form; `main_args` is a string split at spaces, or an array kept as it is."""
    name = table.required("name", "hello")
    if not is_file_name(name):
        table.fail("name", f"{shown(name)} is not a command name: use at most 255 bytes without '/'")
    runner = table.text("runner")
    if runner is not None and not (_URL.fullmatch(runner) or _RUNNER.fullmatch(runner)):
        table.fail("runner", f'{shown(runner)} is not a runner: use "wasi", "wcgi" or a URL')
    annotations = _annotations(table)
    if runner is None and annotations:
        table.fail("runner", 'is missing, and annotations need it: add runner = "wasi"')
    arguments = (
        table.strings("main_args")
        if isinstance(table.data.get("main_args"), list)
        else tuple((table.text("main_args") or "").split())
    )
    found = Command(
        name=name,
        module=_reference(table),
        runner=runner,
        main_args=arguments,
        package=table.text("package"),
        annotations=annotations,
    )
    table.finish()
    return found


def _reference(table: Table) -> ModuleReference:
    text = table.required("module", "main")
    before, colon, after = text.partition(":")
    if not colon:
        return ModuleReference(before)
    if not before or not is_file_name(after) or ":" in after:
        table.fail(
            "module", f"{shown(text)} is not a module: write its name, or namespace/name:module for a dependency's"
        )
    return ModuleReference(after, before)


def _annotations(table: Table) -> Mapping[str, Any] | AnnotationsFile:
    found = table.value("annotations", dict)
    if not found:
        return MappingProxyType({})
    if isinstance(found.get("file"), str) and found.get("kind") in {"json", "yaml"}:
        return AnnotationsFile(table.checked_path("annotations.file", found["file"]), found["kind"])
    try:
        copied = plain(found)
        for warning in check_wasi(copied):
            table.warn(None, f"annotations.{warning}")
    except AnnotationError as error:
        table.fail("annotations", f"{error.key}: {error.problem}" if error.key else error.problem)
    return MappingProxyType(copied)
