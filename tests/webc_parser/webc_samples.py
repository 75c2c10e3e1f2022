"""Containers to test with: an independent builder of version 1 (which the product only reads), and a small package."""

import io
import struct
from collections.abc import Mapping
from hashlib import sha256

from webc_parser import DirectorySource, FileSource, SymlinkSource, Version, write_container
from webc_parser.cbor import encode

type_directory, type_file = 0, 1
WASM = b"\0asm\x01\0\0\0"

MANIFEST = {
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
TREE = {
    "README": b"read me\n",
    "bin": {"a": b"A" * 30, "b": b""},
    "deep": {"er": {"est": {"file": b"deep\n"}}},
    "empty": {},
}
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


def v1_volume(tree: Mapping) -> bytes:
    """A volume of version 1; levels breadth first, as the published packages have them."""
    header, data = bytearray(), bytearray()
    levels = [(tree, None)]
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


def v1_container(manifest: Mapping, atoms: Mapping, volumes: Mapping, *, checksum: bool = False) -> bytes:
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


def written(version: Version, **changes: object) -> bytes:
    parts = {"manifest": MANIFEST, "atoms": ATOMS, "volumes": {"/data": TREE, "metadata": {"README.md": b"# Hi\n"}}}
    target = io.BytesIO()
    write_container(target, version=version, **{**parts, **changes})
    return target.getvalue()


def samples() -> dict[str, bytes]:
    """A container of each version, and a few more."""
    volumes = {"/data": TREE, "metadata": {"README.md": b"# Hi\n"}}
    legacy = {key: value for key, value in MANIFEST.items() if key != "package"}
    return {
        "v1": v1_container(MANIFEST, ATOMS, volumes, checksum=True),
        "v1 of old": v1_container(legacy, ATOMS, {"atom": TREE}),
        "v2": written(Version.V2),
        "v3": written(Version.V3),
        "v3 with times and links": written(Version.V3, volumes={"/t": TIMED_TREE}),
        "v3 of nothing": written(Version.V3, manifest={}, atoms={}, volumes={}),
    }
