"""Containers with real modules, built as a registry would serve them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import wasmtime

from webc_parser import Container, Version
from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Mapping

WASI = "https://webc.org/runner/wasi"

ECHO_ARGUMENTS = """
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 1024) (i32.const 4096)))
    (i32.store (i32.const 16) (i32.const 4096))
    (i32.store (i32.const 20) (i32.load (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))
"""
"""Writes its arguments, each followed by a NUL, `argv[0]` first."""

ECHO_ENVIRONMENT = ECHO_ARGUMENTS.replace("args_sizes_get", "environ_sizes_get").replace("args_get", "environ_get")
"""Writes its environment, each `NAME=VALUE` followed by a NUL."""


def module(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def exit_with(code: int) -> bytes:
    """A module that does nothing but exit with a code; every code is another module."""
    return module(
        '(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)'
        f' (func (export "_start") (call $exit (i32.const {code}))))'
    )


def command(atom: str | None = None, dependency: str | None = None, **wasi: Any) -> dict[str, Any]:
    """A command as manifests have it."""
    annotations: dict[str, Any] = {}
    if atom is not None:
        annotations["atom"] = {"name": atom, **({"dependency": dependency} if dependency else {})}
    if wasi:
        annotations["wasi"] = {"atom": atom or "", **{key.replace("_", "-"): value for key, value in wasi.items()}}
    return {"runner": WASI, "annotations": annotations}


def pack(
    name: str,
    *,
    atoms: Mapping[str, bytes] | None = None,
    commands: Mapping[str, Any] | None = None,
    volumes: Mapping[str, Any] | None = None,
    fs: list[dict[str, Any]] | None = None,
    entrypoint: str | None = None,
    use: Mapping[str, str] | None = None,
    version: Version = Version.V3,
) -> bytes:
    """A container."""
    full_name, _, number = name.partition("@")
    manifest: dict[str, Any] = {"package": {"wapm": {"name": full_name, "version": number or "1.0.0"}}}
    if fs is not None:
        manifest["package"]["fs"] = fs
    if commands:
        manifest["commands"] = dict(commands)
    if use:
        manifest["use"] = dict(use)
    if entrypoint is not None:
        manifest["entrypoint"] = entrypoint
    target = BytesIO()
    write_container(target, manifest=manifest, atoms=atoms or {}, volumes=volumes or {}, version=version)
    return target.getvalue()


def mounted(path: str, volume: str, dependency: str | None = None, host_path: str | None = None) -> dict[str, Any]:
    """A row of a manifest's `fs` table."""
    return {"from": dependency, "volume_name": volume, "host_path": host_path, "mount_path": path}


def opened(data: bytes) -> Container:
    return Container.from_bytes(data)
