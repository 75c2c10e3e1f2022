"""Images to write and read: layers out of memory, and layouts that somebody else might have made."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any, NamedTuple

from pkgmgr.rootfs.entry import Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.image import ImageConfig, RootfsImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class MemoryLayer(NamedTuple):
    title: str
    names: tuple[Entry, ...]

    def entries(self) -> Iterator[Entry]:
        return iter(self.names)


def layer(title: str, *entries: Entry) -> MemoryLayer:
    """A layer with the directories on the way to its entries."""
    found = {entry.path: entry for entry in entries}
    for entry in entries:
        for way in ways_to(entry.path):
            found.setdefault(way, Entry(way, Kind.DIRECTORY, 0o755))
    return MemoryLayer(title, tuple(found[path] for path in sorted(found, key=path_order)))


def a_file(path: str, content: bytes = b"x", mode: int = 0o644, mtime: int = 0) -> Entry:
    return Entry(path, Kind.FILE, mode, mtime, len(content), memoryview(content))


def a_link(path: str, target: str, kind: Kind = Kind.SYMLINK) -> Entry:
    return Entry(path, kind, 0o777, 3, 0, memoryview(b""), target)


def an_image() -> RootfsImage:
    """All kinds of names, in three layers that cover one another."""
    base = layer(
        "base",
        Entry("tmp", Kind.DIRECTORY, 0o1777),
        Entry("etc", Kind.DIRECTORY, 0o755, 1_600_000_000),
        a_file("etc/motd", b"of the base\n", mtime=1_500_000_000),
        a_file("old/a"),
        a_file("old/b"),
        a_file("gone"),
    )
    tools = layer(
        "acme/tools@1.2.3",
        a_file("bin/tool", b"\0asm" * 50_000, 0o755, 1_700_000_001),
        a_link("usr/bin/tool", "bin/tool", Kind.HARD_LINK)._replace(mode=0o755, mtime=1_700_000_001),
        a_link("etc/absolute", "/usr/../../etc/motd"),
        a_file("usr/share/" + "long name " * 20, b"l" * 513, 0o640),
        a_file("usr/share/grüße", b"", 0o4755),
        a_file("usr.d/file", b"beside usr"),
    )
    files = layer(
        "files",
        a_file("etc/motd", b"of the copied files\n", 0o600, 1_700_000_000),
        Entry("old", Kind.OPAQUE, 0o700, 9),
        a_file("old/c"),
        Entry("gone", Kind.WHITEOUT, 0),
    )
    config = ImageConfig(
        env={"PATH": "/bin", "A": "b=c"},
        entrypoint=("/bin/tool", "--fast"),
        command=("go",),
        cwd="/tmp",
        user="65534:65534",
        labels={"org.example.name": "grüße"},
    )
    return RootfsImage((base, tools, files), config, 1_700_000_000)


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(members: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


class ForeignLayout:
    """A layout as anybody may have made it: nothing is checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        self.write("oci-layout", {"imageLayoutVersion": "1.0.0"})
        self.index()

    def write(self, name: str, value: object) -> None:
        (self.folder / name).write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())

    def index(self, *manifests: Mapping[str, Any], **more: Any) -> None:
        self.write("index.json", {"schemaVersion": 2, "manifests": list(manifests), **more})

    def blob(self, data: bytes | object, media_type: str, **more: Any) -> dict[str, Any]:
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.path(digest_of(data)).write_bytes(data)
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}

    def path(self, digest: str) -> Path:
        return self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def image(
        self,
        *tars: bytes,
        config: Mapping[str, Any] | None = None,
        diff_ids: Sequence[str] | None = None,
        media_type: str = LAYER + "+gzip",
        tag: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        packed = [gzip.compress(tar, mtime=0) if media_type.endswith("gzip") else tar for tar in tars]
        document = {
            "os": "linux",
            "architecture": "wasm",
            "rootfs": {"type": "layers", "diff_ids": diff_ids or [digest_of(tar) for tar in tars]},
            **(config or {}),
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(document, CONFIG),
            "layers": [self.blob(each, media_type) for each in packed],
            **more,
        }
        annotations = {} if tag is None else {"annotations": {"org.opencontainers.image.ref.name": tag}}
        return self.blob(manifest, MANIFEST, **annotations)
