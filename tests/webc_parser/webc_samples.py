"""Containers to test with: an independent builder of version 1 (which the product only reads), and a small package."""

from __future__ import annotations

import io
import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from webc_parser import DirectorySource, FileSource, SymlinkSource, Version, write_container
from webc_parser.cbor import encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from webc_parser.source import Source, Tree

    V1Tree: TypeAlias = "Mapping[str, bytes | V1Tree]"
    """What version 1 can hold: contents and directories."""

type_directory, type_file = 0, 1
WASM = b"\0asm\x01\0\0\0"

MANIFEST: dict[str, object] = {
    "package": {
        "wapm": {
            "name": "test/sample",
            "version": "1.2.3",
            "description": "a sample",
            "license": "MIT",
            "readme": {"volume": "metadata", "path": "README.md"},
        },
        "fs": [
            {"from": None, "volume_name": "/data", "host_path": "/", "mount_path": "/data"},
            {"from": "dep", "volume_name": "/lib", "mount_path": "/usr/lib"},
        ],
    },
    "use": {"dep": "test/dep@^1", "url": "https://example.com/x.webc"},
    "commands": {
        "run": {
            "runner": "https://webc.org/runner/wasi",
            "annotations": {
                "atom": {"name": "main", "dependency": None},
                "wasi": {
                    "atom": "main",
                    "env": ["A=1", "B=x=y"],
                    "main-args": ["-c", "x"],
                    "exec-name": "runner",
                    "cwd": "/data",
                },
            },
        },
        "other": {"runner": "https://webc.org/runner/wcgi/x@unstable_", "annotations": {"wcgi": {"dialect": "wcgi"}}},
    },
    "entrypoint": "run",
}
ATOMS = {"main": WASM + b"main" * 20, "tool": WASM + b"tool" * 9}
TREE: dict[str, bytes | V1Tree] = {
    "README": b"read me\n",
    "bin": {"a": b"A" * 30, "b": b""},
    "deep": {"er": {"est": {"file": b"deep\n"}}},
    "empty": {},
}
VOLUMES: dict[str, dict[str, bytes | V1Tree]] = {"/data": TREE, "metadata": {"README.md": b"# Hi\n"}}
TIMED_TREE = DirectorySource(
    {
        "file": FileSource(b"timed\n", 1_700_000_000_000_000_000),
        "link": SymlinkSource("sub/../file", 1_600_000_000_000_000_000),
        "sub": DirectorySource({"x": b"x"}, 1_500_000_000_000_000_000),
    },
    1_400_000_000_000_000_000,
)


def leb128(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(encoded) + bytes((value,))


def v1_volume(tree: V1Tree) -> bytes:
    """A volume of version 1; levels breadth first, as the published packages have them."""
    header, data = bytearray(), bytearray()
    levels: list[tuple[V1Tree, int | None]] = [(tree, None)]
    while levels:
        level, patch = levels.pop(0)
        start = len(header)
        entries = bytearray()
        for name, node in sorted(level.items()):
            at = start + 8 + len(entries)
            raw = name.encode()
            if isinstance(node, bytes):
                kind, first, last = type_file, len(data), len(data) + len(node)
                data += node
            else:
                kind, first, last = type_directory, 0, 0
                if node:
                    levels.append((node, at + 8))
            entries += struct.pack("<QQQ", len(raw) | kind << 56, first, last) + raw
        header += struct.pack("<Q", len(entries)) + entries
        if patch is not None:
            struct.pack_into("<QQ", header, patch, start, len(header))
    return leb128(len(header)) + header + data


def v1_container(
    manifest: Mapping[Any, object],
    atoms: Mapping[str, bytes],
    volumes: Mapping[str, V1Tree],
    *,
    checksum: bool = False,
) -> bytes:
    """A container of version 1; its manifest may be as wrong as one likes."""
    encoded = encode(manifest)
    body = leb128(len(encoded)) + encoded
    packed = v1_volume(atoms)
    body += leb128(len(packed)) + packed
    for name, tree in volumes.items():
        packed = v1_volume(tree)
        body += leb128(len(name)) + name.encode() + leb128(len(packed)) + packed
    head = b"\0webc001" + (b"sha256" if checksum else b"").ljust(16, b"-")
    zeros = bytes(256 + 4 + 1024)
    digest = sha256(head + zeros + body).digest() if checksum else b""
    return head + digest.ljust(256, b"\0") + bytes(4 + 1024) + body


def written(
    version: Version,
    *,
    manifest: Mapping[str, object] = MANIFEST,
    atoms: Mapping[str, Source] = ATOMS,
    volumes: Mapping[str, Tree] = VOLUMES,
) -> bytes:
    target = io.BytesIO()
    write_container(target, version=version, manifest=manifest, atoms=atoms, volumes=volumes)
    return target.getvalue()


def samples() -> dict[str, bytes]:
    """A container of each version, and a few more."""
    legacy = {key: value for key, value in MANIFEST.items() if key != "package"}
    return {
        "v1": v1_container(MANIFEST, ATOMS, VOLUMES, checksum=True),
        "v1 of old": v1_container(legacy, ATOMS, {"atom": TREE}),
        "v2": written(Version.V2),
        "v3": written(Version.V3),
        "v3 with times and links": written(Version.V3, volumes={"/t": TIMED_TREE}),
        "v3 of nothing": written(Version.V3, manifest={}, atoms={}, volumes={}),
    }
