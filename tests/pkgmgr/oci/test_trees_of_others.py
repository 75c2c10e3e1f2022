"""What other programs make of an image of many kinds of names is, name by name, what the directory format is."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from make_packages import EMPTY_MODULE

from webc_parser.source import DirectorySource, FileSource, SymlinkSource
from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from small_registry import Done

LONG = "a name of more than a hundred characters " * 5
SECOND = 10**9


def directory(entries: Mapping[str, object], seconds: int) -> DirectorySource:
    return DirectorySource(entries, seconds * SECOND)  # type: ignore[arg-type]


def file(content: bytes, seconds: int) -> FileSource:
    return FileSource(content, seconds * SECOND)


def link(target: str, seconds: int) -> SymlinkSource:
    return SymlinkSource(target, seconds * SECOND)


def write_package(path: Path, tree: DirectorySource, commands: Mapping[str, str], atoms: Mapping[str, bytes]) -> None:
    manifest: dict[str, object] = {
        "package": {"fs": [{"from": None, "volume_name": "/v", "host_path": "/", "mount_path": "/"}]},
        "commands": {
            name: {
                "runner": "https://webc.org/runner/wasi",
                "annotations": {"atom": {"name": atom, "dependency": None}, "wasi": {"main-args": ["-v"]}},
            }
            for name, atom in commands.items()
        },
    }
    write_container(path, manifest=manifest, atoms=dict(atoms), volumes={"/v": tree})


@pytest.fixture
def image(tmp_path: Path, wpm: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with `tree` and the layout `layout:v1`, of the same packages and files."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.chdir(tmp_path)
    lower = directory(
        {
            "etc": directory({"motd": file(b"lower\n", 1_000), "only-lower": file(b"", 2_000)}, 3_000),
            "opt": directory(
                {
                    "replaced-by-a-file": directory({"inside": directory({"deep": file(b"d", 1)}, 2)}, 3),
                    "replaced-by-a-directory": file(b"was a file", 4),
                    "replaced-by-a-link": directory({"gone": file(b"g", 5)}, 6),
                    "was-a-link": link("../etc/motd", 7),
                    "untouched": directory({"kept": file(b"k" * 70_000, 8)}, 1_600_000_000),
                },
                9,
            ),
            "usr": directory(
                {"share": directory({LONG.strip(): file(b"long", 10), "größe": link(LONG.strip(), 11)}, 12)}, 13
            ),
        },
        14,
    )
    upper = directory(
        {
            "etc": directory({"motd": file(b"upper, and longer\n", 5_000)}, 6_000),
            "opt": directory(
                {
                    "replaced-by-a-file": file(b"a file", 21),
                    "replaced-by-a-directory": directory({"in": directory({}, 22)}, 23),
                    "replaced-by-a-link": link("untouched", 24),
                    "was-a-link": directory({LONG.strip(): directory({LONG.strip(): file(b"deep", 25)}, 26)}, 27),
                },
                28,
            ),
            "日本": directory({"語": file("こんにちは".encode(), 29)}, 4_000_000_000),
        },
        30,
    )
    other = EMPTY_MODULE + b"\0\2\1o"
    write_package(
        tmp_path / "lower.webc", lower, {"one": "m", "two": "m", "three": "o"}, {"m": EMPTY_MODULE, "o": other}
    )
    write_package(tmp_path / "upper.webc", upper, {"two": "o", "four": "o"}, {"o": other})
    copied = tmp_path / "copied"
    (copied / "ünder" / LONG.strip()).mkdir(parents=True)
    (copied / "ünder" / LONG.strip() / "f").write_bytes(b"copied" * 999)
    (copied / "run").write_bytes(b"#!")
    (copied / "run").chmod(0o750)
    (copied / "link").symlink_to("/etc/motd")
    words = ["rootfs", "build", "./lower.webc", "./upper.webc", "--copy", "copied:/srv", "--copy", "copied/run:/etc/"]
    for out in (["tree"], ["layout", "--format", "oci", "--tag", "v1"]):
        done = wpm(*words, "-o", *out)
        assert done.code == 0, done.err
    return tmp_path


def seen(root: Path) -> dict[str, object]:
    """A tree, name by name: kind, mode, time, content or target, and which names are of one file."""
    found: dict[str, object] = {}
    firsts: dict[int, str] = {}
    for path in (root, *sorted(root.rglob("*"))):
        status = path.lstat()
        name = str(path.relative_to(root))
        about = (stat.filemode(status.st_mode), status.st_mtime_ns, status.st_uid, status.st_gid)
        if path.is_symlink():
            found[name] = (*about, os.readlink(path))
        elif path.is_dir():
            found[name] = about
        else:
            found[name] = (*about, path.read_bytes(), firsts.setdefault(status.st_ino, name))
    return found


def run(*command: str | Path) -> str:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_image_is_one_of_many_kinds_of_names(image: Path) -> None:
    tree = image / "tree"
    names = [tree / folder / name for folder in ("bin", "usr/bin") for name in ("two", "three", "four")]
    assert len({path.stat().st_ino for path in names if path.name != "three"}) == 1
    assert (tree / "bin/one").stat().st_nlink >= 2
    assert (tree / "opt/replaced-by-a-directory/in").is_dir() and (tree / "opt/replaced-by-a-file").is_file()
    assert (tree / "opt/replaced-by-a-link").is_symlink() and (tree / "opt/was-a-link").is_dir()
    times = {path: int((tree / path).stat().st_mtime) for path in ("etc", "opt", "opt/untouched", "日本")}
    assert times == {"etc": 0, "opt": 28, "opt/untouched": 1_600_000_000, "日本": 4_000_000_000}


@pytest.mark.parametrize("flags", [["--rootless"], []])
def test_umoci_unpacks_the_same_tree(image: Path, flags: list[str]) -> None:
    if not flags and os.geteuid():
        pytest.skip("only root can give files to others")
    run("umoci", "unpack", *flags, "--image", "layout:v1", "bundle")
    assert seen(image / "bundle" / "rootfs") == seen(image / "tree")


def test_what_skopeo_copies_to_a_registry_is_pulled_as_the_same_tree(
    image: Path, debian: str, wpm: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_CONFIG")
    run("skopeo", "copy", "-q", "--dest-tls-verify=false", "oci:layout:v1", f"docker://{debian}/acme/x:v1")
    assert wpm("rootfs", "pull", f"{debian}/acme/x:v1", "-o", "pulled").code == 0
    assert seen(image / "pulled") == seen(image / "tree")
    # Uncompressed it is the same layers, by other digests.
    run("skopeo", "copy", "-q", "--dest-decompress", "oci:layout:v1", "dir:plain")
    run("skopeo", "copy", "-q", "--dest-tls-verify=false", "dir:plain", f"docker://{debian}/acme/y:v1")
    assert wpm("rootfs", "diff", f"oci://{debian}/acme/y:v1", "layout:v1").code == 0


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.zst"])
def test_tar_unpacks_the_same_tree(image: Path, wpm: Callable[..., Done], ending: str) -> None:
    words = ["./lower.webc", "./upper.webc", "--copy", "copied:/srv", "--copy", "copied/run:/etc/"]
    assert wpm("rootfs", "build", *words, "-o", f"i.{ending}").code == 0
    (image / "out").mkdir()
    if ending == "tar.zst" and shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    run("tar", "-xpf", f"i.{ending}", "-C", "out", "--numeric-owner")
    expected, found = seen(image / "tree"), seen(image / "out")
    # The directory itself is whoever made it.
    del expected["."], found["."]
    assert found == expected


def test_buildah_mounts_the_same_tree(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid():
        pytest.skip("only root can mount")
    (tmp_path / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\nrunroot = "{tmp_path}/run"\ngraphroot = "{tmp_path}/graph"\n'
    )
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(tmp_path / "storage.conf"))
    monkeypatch.delenv("DOCKER_CONFIG")
    name = run("buildah", "from", "oci:layout:v1").strip()
    place = run("buildah", "mount", name).strip()
    try:
        assert json.loads(run("buildah", "inspect", name))["OCIv1"]["os"] == "linux"
        expected, found = seen(image / "tree"), seen(image / place)
        # The directory itself is the storage's.
        del expected["."], found["."]
        assert found == expected
    finally:
        run("buildah", "umount", name)
