"""Images as packages: what comes back, and that packages run."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_images import build, coreutils, echoes, opened, run, shell, write
from typed import output as wpm

from binfactory.errors import FactoryError
from pkgmgr.errors import WpmError
from pkgmgr.rootfs.comparing import compare_images
from pkgmgr.rootfs.entry import Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.image import ImageConfig, RootfsImage
from pkgmgr.rootfs.write_webc import write_webc
from webc_parser.container import Container
from webc_parser.version import Version
from webc_parser.writer import write_container

WASM = b"\0asm\1\0\0\0"


class PlainLayer:
    """A layer of given entries, and the directories on the way to them."""

    title = "files"

    def __init__(self, *entries: Entry) -> None:
        found = {way: Entry(way, Kind.DIRECTORY, 0o755) for entry in entries for way in ways_to(entry.path)}
        found |= {entry.path: entry for entry in entries}
        self._entries = [found[path] for path in sorted(found, key=path_order)]

    def entries(self) -> Any:
        return iter(self._entries)


def file(path: str, data: bytes = b"", mode: int = 0o644, mtime: int = 0) -> Entry:
    return Entry(path, Kind.FILE, mode, mtime, len(data), memoryview(data))


def image(*entries: Entry, **config: Any) -> RootfsImage:
    return RootfsImage((PlainLayer(*entries),), ImageConfig(**config))


def commands_of(path: Path) -> dict[str, Any]:
    with Container.open(path) as container:
        container.verify()
        assert container.version is Version.V3
        return {name: command.annotations for name, command in container.manifest.commands.items()}


def test_it_is_a_package_that_runs(tmp_path: Path) -> None:
    built = build(shell(), coreutils(), echoes(tmp_path))
    path = tmp_path / "image.webc"
    digest = write_webc(built, path, "acme/image@1.2.3")
    assert digest == json.loads(wpm("inspect", "--json", str(path)))["sha256"]
    assert wpm("run", str(path), "--", "you") == "greeter\0hello\0dear\0you\0"
    assert wpm("run", str(path), "-e", "sh", "--", "-c", "greet a; cat /link.txt") == (
        "greeter\0hello\0dear\0a\0a note\n"
    )
    assert "COLOUR=blue" in wpm("run", str(path), "-e", "vars")
    with Container.open(path) as container:
        info = container.manifest.package
        assert (info.name, info.version) == ("acme/image", "1.2.3")
        # One atom for each distinct module: the shell, the coreutils, and two of ours.
        assert len(container.atoms) == 4
        assert container.manifest.entrypoint == "greet"
        assert list(container.volumes) == ["/"]
    wpm("unpack", str(path), "-o", str(tmp_path / "unpacked"))
    wpm("build", str(tmp_path / "unpacked"), "-o", str(tmp_path / "again.webc"))
    assert wpm("run", str(tmp_path / "again.webc"), "--", "you") == "greeter\0hello\0dear\0you\0"


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    built = build(coreutils(), echoes(tmp_path))
    digests = {write_webc(built, tmp_path / "one.webc")}
    for kind in ("dir", "tar.gz"):
        digests.add(write_webc(opened(write(built, tmp_path, kind)), tmp_path / "other.webc"))
    digests.add(write_webc(opened(tmp_path / "one.webc"), tmp_path / "again.webc"))
    assert len(digests) == 1


def test_commands_are_what_is_the_same_in_both_directories(tmp_path: Path) -> None:
    other = WASM + b"\0\1\0"
    path = tmp_path / "image.webc"
    written = image(
        file("bin/both", WASM),
        file("usr/bin/both", WASM),
        file("bin/one", WASM),
        file("usr/bin/other", WASM),
        file("bin/unlike", WASM),
        file("usr/bin/unlike", other),
        file("bin/script", b"#!/bin/both\n", 0o755),
        Entry("bin/link", Kind.SYMLINK, 0o777, target="both"),
        Entry("bin/twin", Kind.SYMLINK, 0o777, target="../usr/bin/twin"),
        file("usr/bin/twin", WASM),
        file("opt/module.wasm", WASM),
        Entry("bin/folder", Kind.DIRECTORY, 0o755),
    )
    write_webc(written, path)
    assert sorted(commands_of(path)) == ["both", "one", "other", "twin"]
    back = {entry.path: entry for entry in flatten(opened(path).layers).entries}
    assert back["bin/link"].target == "both"
    assert bytes(back["bin/unlike"].content) == WASM  # type: ignore[arg-type]
    assert bytes(back["usr/bin/unlike"].content) == other  # type: ignore[arg-type]
    assert {"bin/script", "opt/module.wasm", "bin/folder"} <= set(back)


def test_an_entrypoint_with_arguments_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "image.webc"
    built = build(echoes(tmp_path), entrypoint=("/bin/plain", "-v"), command=("x",), env={"A": "b"}, cwd="/work")
    write_webc(built, path)
    found = commands_of(path)["entrypoint"]["wasi"]
    assert found == {"atom": "greet", "main-args": ["-v", "x"], "env": ["A=b"], "exec-name": "plain", "cwd": "/work"}
    assert wpm("run", str(path)) == "plain\0-v\0x\0"
    # As an image it is run as it wants to be.
    assert run(capfd, opened(path), None, "y") == (0, "/bin/plain\0-v\0y\0")


def test_an_entrypoint_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "image.webc"
    write_webc(image(file("app/main.wasm", WASM), entrypoint=("/app/main.wasm", "x")), path)
    assert commands_of(path)["entrypoint"]["wasi"]["exec-name"] == "main.wasm"
    write_webc(image(file("app/main", b"#!/bin/sh"), entrypoint=("/app/main",)), path)
    assert commands_of(path) == {}


def test_settings_of_another_file_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "image.webc"
    text = json.dumps({"module": "0" * 64, "args": ["x"]}).encode()
    write_webc(image(file("bin/tool", WASM), file("usr/lib/wpm/commands/tool.json", text)), path)
    assert commands_of(path)["tool"]["wasi"] == {"atom": "tool"}
    assert "usr/lib/wpm/commands/tool.json" in {entry.path for entry in flatten(opened(path).layers).entries}


@pytest.mark.parametrize(
    "name", ["", "acme", "acme/x", "acme/x@", "acme/x@^1", "@1.0.0", "a b/c@1.0.0", "acme/x@1.0.0\n"]
)
def test_names_that_are_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(WpmError, match="name"):
        write_webc(image(file("a")), tmp_path / "image.webc", name)
    assert not (tmp_path / "image.webc").exists()


def test_what_no_package_can_have(tmp_path: Path) -> None:
    for path in (os.fsdecode(b"\xff"), "x" * 1025, "/".join("x" * 200)):
        with pytest.raises(WpmError, match="cannot be a WEBC") as caught:
            write_webc(image(file(path)), tmp_path / "image.webc")
        assert "\n" not in str(caught.value)
        assert not list(tmp_path.iterdir())


NAMES = st.sampled_from(["a", "b.txt", "bin", "usr", "lib", "-", "ü", "x y"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
TIMES = st.integers(0, 2**33 - 1)


@st.composite
def trees(draw: st.DrawFn) -> RootfsImage:
    """What a WEBC can say: its modes and owners, and files of one name each."""
    entries: dict[str, Entry] = {}
    for path in draw(st.lists(PATHS, unique=True, max_size=12)):
        if any(way in entries and entries[way].kind is not Kind.DIRECTORY for way in ways_to(path)):
            continue
        if any(other.startswith(path + "/") for other in entries):
            continue
        kind = draw(st.sampled_from([Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK]))
        time = draw(TIMES)
        match kind:
            case Kind.FILE:
                entries[path] = file(path, draw(st.binary(max_size=30)), mtime=time)
            case Kind.DIRECTORY:
                entries[path] = Entry(path, Kind.DIRECTORY, 0o755, time)
            case _:
                entries[path] = Entry(path, Kind.SYMLINK, 0o777, time, target=draw(PATHS))
    return image(*entries.values())


@settings(max_examples=60)
@given(tree=trees())
def test_what_is_written_comes_back(tree: RootfsImage, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("webc") / "image.webc"
    write_webc(tree, path)
    assert compare_images(tree, opened(path)).same


def test_links_to_directories_of_commands_stay(tmp_path: Path) -> None:
    path = tmp_path / "image.webc"
    for target in ("usr/bin", "/usr/bin"):
        merged = image(file("usr/bin/tool", WASM, 0o755), Entry("bin", Kind.SYMLINK, 0o777, 7, target=target))
        write_webc(merged, path)
        assert list(commands_of(path)) == ["tool"]
        assert not compare_images(merged, opened(path)).changes


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "image.webc"
    odd = image(
        Entry("bin", Kind.SYMLINK, 0o777, target="bin"),
        Entry("usr/bin/up", Kind.SYMLINK, 0o777, target="../../../../../../etc/passwd"),
        Entry("usr/bin/loop", Kind.SYMLINK, 0o777, target="loop"),
        entrypoint=("/bin/loop",),
    )
    write_webc(odd, path)
    assert commands_of(path) == {}
    assert compare_images(odd, opened(path)).changes[0].path == "usr/lib"


@pytest.mark.parametrize("text", [b"{", b'{"entrypoint": 1}', b'{"env": {"=": ""}}'])
def test_a_package_with_a_configuration_that_is_none(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "image.webc"
    manifest = {"package": {"fs": [{"from": None, "volume_name": "/", "host_path": "/", "mount_path": "/"}]}}
    volume: Any = {"usr": {"lib": {"wpm": {"image.json": text}}}}
    write_container(path, manifest=manifest, atoms={}, volumes={"/": volume})
    with pytest.raises(WpmError, match=r"image\.webc: usr/lib/wpm/image\.json: ") as caught:
        opened(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [b"[", b'{"module": 1}', b'{"args": [1]}'])
def test_settings_of_a_command_that_are_none(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match=r"^usr/lib/wpm/commands/tool\.json: "):
        write_webc(image(file("bin/tool", WASM), file("usr/lib/wpm/commands/tool.json", text)), tmp_path / "x.webc")
