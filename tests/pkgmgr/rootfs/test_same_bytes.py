"""The same packages give the same bytes, wherever and whenever an image is built.

`WPM_OTHER_PYTHON` names another interpreter with our dependencies, of another version: the images are then built by both. So
a machine with two virtual environments compares two Pythons.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from make_packages import EMPTY_MODULE
from typed import environment

from webc_parser.source import DirectorySource, FileSource, SymlinkSource
from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OUTPUTS: Final = {
    "i.tar": (),
    "i.tar.gz": (),
    "i.tar.zst": (),
    "layout": ("--format", "oci", "--tag", "it"),
    "i.webc": ("--name", "me/it@1.0.0"),
}
_OTHERS: Final = ("python3.14", "python3.13", "python3.12", "python3.11")


def interpreters() -> list[str]:
    """This Python, and one of another version that can import what we need, where there is one."""
    candidates = [os.environ.get("WPM_OTHER_PYTHON"), *(shutil.which(name) for name in _OTHERS)]
    for candidate in filter(None, candidates):
        probe = "import sys, wasmtime, tomli, packaging, urllib3; print(*sys.version_info[:2])"
        done = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, env=environment())
        if done.returncode == 0 and tuple(map(int, done.stdout.split())) != sys.version_info[:2]:
            return [sys.executable, candidate]
    return [sys.executable]


def write_things(place: Path, *, backwards: bool) -> None:
    """The same packages and files; made in another order, in another place, with other modes and times."""
    place.mkdir()
    files = DirectorySource(
        {"é": FileSource(b"data" * 99, 9_500_000_000), "l": SymlinkSource("é", 3_000_000_000)}, 7_000_000_000
    )
    annotations = {"atom": {"name": "m", "dependency": None}, "wasi": {"main-args": ["-v"], "env": ["A=1"]}}
    manifest: dict[str, object] = {
        "package": {"fs": [{"from": None, "volume_name": "/v", "host_path": "/", "mount_path": "/usr/share"}]},
        "commands": {"c": {"runner": "https://webc.org/runner/wasi", "annotations": annotations}},
        "entrypoint": "c",
    }
    write_container(place / "p.webc", manifest=manifest, atoms={"m": EMPTY_MODULE}, volumes={"/v": files})
    copied = place / "copied"
    names = [f"file{number}" for number in range(30)] + ["ümlaut", "Z", "a.b", "a"]
    for name in reversed(names) if backwards else names:
        folder = copied / name
        folder.mkdir(parents=True, mode=0o700 if backwards else 0o777)
        (folder / "f").write_bytes(name.encode() * 1000)
        (folder / "f").chmod(0o600 if backwards else 0o664)
        (folder / "l").symlink_to("f")
        if backwards:
            os.utime(folder / "f", (1, 1))
    (copied / "Z" / "f").chmod(0o700 if backwards else 0o775)


def digests(python: str, place: Path, variables: Mapping[str, str], umask: int) -> dict[str, str]:
    """What each format's digest is, built by an interpreter in a place."""
    program = f"import os, sys; os.umask({umask}); from pkgmgr.cli.main import script; script()"
    found = {}
    for out, options in OUTPUTS.items():
        words = ["rootfs", "build", "./p.webc", "-o", out, "--copy", "copied:/srv", "--env", "B=2", "--label", "b=1"]
        words += ["--label", "a=2", "--user", "1", "--cwd", "/srv", "--json", *options]
        done = subprocess.run(
            [python, "-c", program, *words], cwd=place, env=environment(variables), capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        found[out] = json.loads(done.stdout)["digest"]
    return found


@pytest.mark.parametrize("date", ["", "1700000000"])
def test_one_digest_wherever_it_is_built(tmp_path: Path, date: str) -> None:
    write_things(tmp_path / "here", backwards=False)
    write_things(tmp_path / "elsewhere", backwards=True)
    usual = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": date}
    other = {"TZ": "Pacific/Apia", "LC_ALL": "C", "PYTHONHASHSEED": "4242", "PYTHONUTF8": "1"}
    expected = digests(sys.executable, tmp_path / "here", usual, 0o022)
    for python in interpreters():
        place = tmp_path / f"elsewhere{len(list(tmp_path.iterdir()))}"
        shutil.copytree(tmp_path / "elsewhere", place, symlinks=True)
        assert digests(python, place, {**usual, **other}, 0o077) == expected, python
    assert len(set(expected.values())) == len(OUTPUTS)


def test_a_directory_is_the_same_name_by_name(tmp_path: Path) -> None:
    write_things(tmp_path / "here", backwards=False)
    write_things(tmp_path / "elsewhere", backwards=True)
    listings = []
    for place, umask in ((tmp_path / "here", 0o000), (tmp_path / "elsewhere", 0o077)):
        program = f"import os; os.umask({umask}); from pkgmgr.cli.main import script; script()"
        words = ["rootfs", "build", "./p.webc", "--copy", "copied:/srv", "-o", "out"]
        subprocess.run([sys.executable, "-c", program, *words], cwd=place, env=environment(), check=True, timeout=60)
        listings.append(
            [
                (str(path.relative_to(place / "out")), status.st_mode, status.st_mtime_ns, status.st_nlink)
                for path in [place / "out", *sorted((place / "out").rglob("*"))]
                for status in [path.lstat()]
            ]
        )
    assert listings[0] == listings[1]
