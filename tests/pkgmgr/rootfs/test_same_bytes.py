"""The same packages give the same bytes, wherever and whenever an image is built, and with whichever Python.

Another Python is looked for on this machine, unless `WPM_OTHER_PYTHON` names one; where there is none, its half is skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from make_packages import EMPTY_MODULE, write_project
from typed import ROOT, environment

from webc_parser.source import DirectorySource, FileSource, SymlinkSource
from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILD: Final = (
    *("rootfs", "build", "./p.webc", "wpm/coreutils", "--offline", "--copy", "copied:/srv", "--env", "B=2"),
    *("--label", "b=1", "--label", "a=2", "--user", "1", "--cwd", "/srv", "-o"),
)
COMMANDS: Final = {
    "i.tar": [*BUILD, "i.tar"],
    "i.tar.gz": [*BUILD, "i.tar.gz"],
    "i.tar.zst": [*BUILD, "i.tar.zst"],
    "layout": [*BUILD, "layout", "--format", "oci", "--tag", "it"],
    "several": [*BUILD, "several", "--format", "oci", "--compression", "zstd", "--platform", "wasi/wasm,linux/amd64"],
    "i.webc": [*BUILD, "i.webc", "--name", "me/it@1.0.0"],
    "tree": [*BUILD, "tree"],
    "project/wasmer.lock": ["install", "--offline", "--project", "project"],
    "project.env.tar": ["env", "export", "--offline", "--project", "project", "-o", "project.env.tar"],
    "project.env.tar.zst": ["env", "export", "--offline", "--project", "project", "-o", "project.env.tar.zst"],
}
"""What is made, and how."""
PROGRAM: Final = """
import json, os, sys
os.umask(int(sys.argv[1]))
from pkgmgr.cli.main import main
for words in json.loads(sys.argv[2]):
    if code := main(words):
        sys.exit(f"{words}: {code}")
"""
_OTHERS: Final = ("python3.14", "python3.13", "python3.12", "python3.11")


def other_python() -> str | None:
    """A Python of another version that can import what we need; None where there is none.

    It is given our dependencies as they are installed for this Python: what is compiled of them for one version is not needed
    here. What stands on PATH may be a shim that runs nothing, so each is tried; those beside ours are of pyenv, of uv, and of
    macOS's framework.
    """
    chosen = os.environ.get("WPM_OTHER_PYTHON")
    beside = sorted(Path(sys.base_prefix).parent.glob("*/bin/python3"), reverse=True)
    for candidate in [chosen] if chosen else [*filter(None, map(shutil.which, _OTHERS)), *map(str, beside)]:
        probe = "import sys, wasmtime, tomli, packaging, urllib3, pkgmgr; print(*sys.version_info[:2])"
        try:
            done = subprocess.run(
                [candidate, "-c", probe], capture_output=True, text=True, env=with_dependencies({}), timeout=60
            )
        except OSError:
            continue
        version = tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()
        if version >= (3, 11) and version != sys.version_info[:2]:
            return candidate
    assert chosen is None, f"WPM_OTHER_PYTHON: {chosen} is no other Python that can run wpm: {done.stderr}"
    return None


def with_dependencies(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process of any Python, which has ours and our dependencies on its path."""
    folders = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    return environment({**variables, "PYTHONPATH": os.pathsep.join((str(ROOT), *folders))})


def write_things(place: Path, *, backwards: bool) -> None:
    """The same packages and files; made in another order, in another place, with other modes and times."""
    place.mkdir()
    write_project(place / "project", {"wpm/hello": "^1.1", "wpm/coreutils": "^1"})
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


def made(python: str, place: Path, variables: Mapping[str, str], umask: int) -> dict[str, object]:
    """What each of the commands makes, run by an interpreter in a place, with a store of its own."""
    words = [python, "-c", PROGRAM, str(umask), json.dumps(list(COMMANDS.values()))]
    own = {"WPM_CACHE_DIR": str(place / "cache"), "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        words, cwd=place, env=with_dependencies({**own, **variables}), capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return {out: seen(place / out) for out in COMMANDS}


def seen(place: Path) -> object:
    """The bytes of a file; all of a directory, but for the times of an image layout's, which are not of the image."""
    if not place.is_dir():
        return hashlib.sha256(place.read_bytes()).hexdigest()
    found: dict[str, tuple[object, ...]] = {}
    for path in (place, *sorted(place.rglob("*"))):
        status = path.lstat()
        time = None if (place / "oci-layout").exists() else status.st_mtime_ns
        if path.is_symlink():
            content = os.readlink(path)
        else:
            content = "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        links = 0 if path.is_dir() else status.st_nlink
        found[str(path.relative_to(place))] = (status.st_mode, time, links, content)
    return found


USUAL: Final = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}
OTHER: Final = {"TZ": "Pacific/Apia", "LC_ALL": "C", "PYTHONHASHSEED": "4242", "PYTHONUTF8": "1"}


@pytest.fixture(scope="module", params=["", "1700000000"])
def expected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, object]]:
    """The `SOURCE_DATE_EPOCH`, and what is made by this Python where all is as usual."""
    date = str(request.param)
    place = tmp_path_factory.mktemp("usual") / "here"
    write_things(place, backwards=False)
    return date, made(sys.executable, place, {**USUAL, "SOURCE_DATE_EPOCH": date}, 0o022)


def test_the_same_wherever_it_is_built(tmp_path: Path, expected: tuple[str, dict[str, object]]) -> None:
    date, usual = expected
    write_things(tmp_path / "it's else where", backwards=True)
    found = made(sys.executable, tmp_path / "it's else where", {**OTHER, "SOURCE_DATE_EPOCH": date}, 0o077)
    assert found == usual
    assert len({str(each) for each in found.values()}) == len(COMMANDS)


def test_the_same_with_another_python(tmp_path: Path, expected: tuple[str, dict[str, object]]) -> None:
    python = other_python()
    if python is None:
        pytest.skip("there is no other Python of version 3.11 or newer here: name one with WPM_OTHER_PYTHON")
    date, usual = expected
    write_things(tmp_path / "elsewhere", backwards=True)
    assert made(python, tmp_path / "elsewhere", {**OTHER, "SOURCE_DATE_EPOCH": date}, 0o000) == usual, python
