"""`wpm rootfs build` as it is typed: formats, places, what is refused, and what is left when it is killed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from make_packages import RegistryMaker, write_package, write_project
from typed import COMMAND, environment, output, wpm

from pkgmgr.files.swapping import swap
from pkgmgr.rootfs.output import new_place

if TYPE_CHECKING:
    from pathlib import Path

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with two packages that have a different file at one path."""
    write_package(tmp_path / "one.webc", "a/one", "1.0.0", commands=("tool",), files={"f": b"one", "g": b"same"})
    write_package(tmp_path / "two.webc", "a/two", "1.0.0", files={"f": b"two", "g": b"same", "sub": b""})
    return tmp_path


def fails(here: Path, *words: str, code: int = 1) -> str:
    """The one line that a command line that fails writes."""
    done = wpm("rootfs", "build", *words, cwd=here)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (code, b""), done
    assert code == 2 or (len(lines) == 1 and lines[0].startswith("wpm: ")), lines
    return lines[-1]


def test_every_ending_has_its_format(here: Path) -> None:
    build = ("rootfs", "build", "./one.webc", "-o")
    assert output(*build, "d", cwd=here) == "d: dir, 5 files, 44 bytes\n"
    assert (here / "d/data/f").read_bytes() == b"one"
    assert (here / "d").stat().st_mode & 0o777 == 0o755
    for name, magic in (("i.tar", b"bin"), ("i.tar.gz", GZIP), ("i.tgz", GZIP), ("i.tar.zst", ZSTD), ("I.TGZ", GZIP)):
        told = output(*build, name, cwd=here)
        data = (here / name).read_bytes()
        assert data.startswith(magic), name
        assert told.endswith(f"sha256:{sha256(data).hexdigest()}\n"), told
    result = json.loads(output(*build, "p.webc", "--name", "me/it@1.2.3", "--json", cwd=here))
    assert result["digest"] == "sha256:" + sha256((here / "p.webc").read_bytes()).hexdigest()
    assert result["layers"] == ["base", "a/one@1.0.0", "settings"]
    assert "l:x: oci, gzip" in output(*build, "l", "--format", "oci", "--tag", "x", cwd=here)
    assert "l:y: oci, gzip" in output(*build, "l", "--tag", "y", cwd=here)
    tags = [each["annotations"] for each in json.loads((here / "l/index.json").read_text())["manifests"]]
    assert [tag["org.opencontainers.image.ref.name"] for tag in tags] == ["x", "y"]
    assert sorted(path.name for path in here.iterdir() if path.name.startswith(".")) == []


def test_a_tar_streams_to_standard_output(here: Path) -> None:
    done = wpm("rootfs", "build", "./one.webc", "-o", "-", cwd=here)
    assert b"-: tar, 5 files" in done.stderr
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert {"bin/tool", "usr/bin/tool", "data/f", "usr/lib/wpm/image.json"} <= set(tar.getnames())
    packed = wpm("rootfs", "build", "./one.webc", "-o", "-", "--compression", "zstd", cwd=here)
    assert packed.stdout.startswith(ZSTD)
    reader = subprocess.Popen(["head", "-c", "1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    words = [*COMMAND, "rootfs", "build", "./one.webc", "-o", "-", "--copy", f"{sys.executable}:/x"]
    gone = subprocess.run(words, cwd=here, env=environment(), stdout=reader.stdin, stderr=subprocess.PIPE, timeout=60)
    assert reader.stdin is not None
    reader.stdin.close()
    reader.wait(10)
    assert (gone.returncode, gone.stderr) in ((141, b""), (0, gone.stderr))


def test_the_project_that_is_locked(tmp_path: Path) -> None:
    registry = RegistryMaker(tmp_path / "registry")
    registry.add("a/low", "1.0.0", files={"f": b"low"})
    registry.add("a/top", "1.0.0", needs={"a/low": "^1"}, commands=("top",))
    project = write_project(tmp_path / "project", {"a/top": "^1"})
    words = ("--registry", str(registry.root))
    told = json.loads(output("rootfs", "build", "-o", "out", "--json", *words, cwd=project))
    assert told["layers"] == ["base", "a/low@1.0.0", "a/top@1.0.0"]
    registry.add("a/top", "1.1.0", commands=("newer",))
    again = json.loads(output("rootfs", "build", "-o", "../again", "--locked", "--json", *words, cwd=project))
    assert again["layers"] == told["layers"]
    elsewhere = output("rootfs", "build", "--project", "project", "-o", "third.tar", *words, cwd=tmp_path)
    assert "third.tar: tar" in elsewhere
    assert "leave one out" in fails(tmp_path, "a/top", "--project", "project", "-o", "x", *words)
    write_project(project, {"a/low": "^1"})
    assert "wasmer.lock" in fails(project, "-o", "fourth", "--locked", *words)


def test_hidden_files_are_told_or_refused(here: Path) -> None:
    done = wpm("rootfs", "build", "./one.webc", "./two.webc", "-o", "out", cwd=here)
    assert done.stderr.decode() == "wpm: warning: data/f: of a/one@1.0.0 is hidden by a/two@1.0.0\n"
    assert (here / "out/data/f").read_bytes() == b"two"
    strict = wpm("rootfs", "build", "./two.webc", "./one.webc", "-o", "strict", "--strict", cwd=here)
    assert strict.returncode == 1
    assert "data/f: of a/two@1.0.0 is hidden by a/one@1.0.0" in strict.stderr.decode()
    assert not (here / "strict").exists()
    (here / "mine").write_bytes(b"mine")
    copied = wpm("rootfs", "build", "./one.webc", "-o", "copied", "--strict", "--copy", "mine:/data/f", cwd=here)
    assert (copied.returncode, copied.stderr) == (0, b"")
    assert (here / "copied/data/f").read_bytes() == b"mine"
    write_package(here / "many.webc", "a/many", "1.0.0", files={f"f{number}": b"1" for number in range(25)})
    write_package(here / "more.webc", "a/more", "1.0.0", files={f"f{number}": b"2" for number in range(25)})
    told = wpm("rootfs", "build", "./many.webc", "./more.webc", "-o", "m", cwd=here).stderr.decode().splitlines()
    assert len(told) == 21
    assert told[-1] == "wpm: warning: and 5 more"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--copy", "x"], "expected HOST:GUEST"),
        (["--copy", "x:relative"], "an absolute path"),
        (["--copy", "x:/a/../b"], "without .."),
        (["--copy", "none:/a"], "none: cannot be copied"),
        (["--env", "=x"], "expected NAME=VALUE"),
        (["--env", "NOBODY_HAS_THIS"], "is not set here"),
        (["--label", "x"], "expected NAME=VALUE"),
        (["--entrypoint", "[1]"], "a JSON list of texts"),
        (["--cmd", "'open"], "no closing quotation"),
        (["--cwd", "x"], "an absolute path"),
        (["--user", "a b"], "a number or a name"),
        (["--tag", "x", "--format", "tar"], "add --format oci"),
        (["--quiet"], "no digest"),
        (["--name", "x@1.0.0"], "add --format webc"),
        (["--compression", "gzip"], "only the formats tar and oci are compressed"),
        (["--format", "webc", "--name", "x"], "x"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_there(here: Path, words: list[str], says: str) -> None:
    assert says in fails(here, "./one.webc", "-o", "out", *words)
    assert sorted(path.name for path in here.iterdir()) == ["one.webc", "two.webc"]


def test_places_that_cannot_be(here: Path) -> None:
    assert "no directory" in fails(here, "./one.webc", "-o", "no/where")
    assert "no format of an image has this ending" in fails(here, "./one.webc", "-o", "out.tar.xz")
    assert "no format of an image has this ending" in fails(here, "./one.webc", "-o", "out.zip")
    # What it is called beside its place until it is whole is nobody's affair.
    assert fails(here, "./one.webc", "-o", "/proc/x.tar").startswith("wpm: /proc/x.tar: ")
    assert "root of a file system" in fails(here, "./one.webc", "-o", "/")
    assert "only a tar" in fails(here, "./one.webc", "-o", "-", "--format", "oci")
    assert "--json" in fails(here, "./one.webc", "-o", "-", "--json")
    fails(here, "./one.webc", code=2)


def test_what_is_there_is_replaced_only_when_asked(here: Path) -> None:
    build = ("rootfs", "build", "./one.webc", "-o")
    (here / "i.tar").write_bytes(b"old")
    assert "exists already" in fails(here, "./one.webc", "-o", "i.tar")
    assert (here / "i.tar").read_bytes() == b"old"
    output(*build, "i.tar", "--force", cwd=here)
    output(*build, "d", cwd=here)
    output(*build, "d", "--force", "--format", "dir", cwd=here)
    output(*build, "d", "--force", "--format", "tar", cwd=here)
    assert (here / "d").is_file()
    (here / "home" / "mine").mkdir(parents=True)
    assert "no image" in fails(here, "./one.webc", "-o", "home", "--force")
    assert "where you are" in fails(here / "home", "../one.webc", "-o", "..", "--force")
    (here / "link").symlink_to("home")
    output(*build, "link", "--force", cwd=here)
    assert not (here / "link").is_symlink()
    assert (here / "home" / "mine").is_dir()
    os.mkfifo(here / "pipe")
    assert "is a device" in fails(here, "./one.webc", "-o", "pipe", "--force", "--format", "tar")
    assert [path.name for path in here.iterdir() if path.name.startswith(".")] == []


def test_the_names_that_other_tools_have(here: Path) -> None:
    build = ("rootfs", "build", "./one.webc")
    assert output(*build, "-t", "1", "-o", "layout", cwd=here).startswith("layout:1: oci, gzip, ")
    digest = output(*build, "--output", "layout:2", "--quiet", cwd=here)
    assert digest.startswith("sha256:") and digest.count("\n") == 1
    assert output(*build, "-o", "another:1", "--format", "oci", "-q", cwd=here) == digest
    assert output("rootfs", "diff", "layout:1", "another:1", cwd=here) == ""
    output(*build, "-o", "a.tar", "-w", "/data", cwd=here)
    output(*build, "-o", "b.tar", "--workdir", "/data", cwd=here)
    assert (here / "a.tar").read_bytes() == (here / "b.tar").read_bytes()
    assert sorted(path.name for path in here.iterdir()) == [
        "a.tar",
        "another",
        "b.tar",
        "layout",
        "one.webc",
        "two.webc",
    ]


def test_settings_reach_the_image(here: Path) -> None:
    words = ["--entrypoint", '["/bin/tool", "a b"]', "--cmd", "x 'y z'", "--cwd", "/w/./x/", "--user", "1000:1000"]
    words += ["--env", "A=1=2", "--env", "HOME", "--label", "l=t"]
    done = wpm("rootfs", "build", "./one.webc", "-o", "out", *words, cwd=here, env={"HOME": "/root"})
    assert done.returncode == 0, done
    assert json.loads((here / "out/usr/lib/wpm/image.json").read_text()) == {
        "entrypoint": ["/bin/tool", "a b"],
        "command": ["x", "y z"],
        "cwd": "/w/x",
        "user": "1000:1000",
        "env": {"A": "1=2", "HOME": "/root"},
        "labels": {"l": "t"},
    }


def test_a_failure_leaves_nothing(here: Path) -> None:
    (here / "odd").mkdir()
    (here / "odd" / ".wh.x").write_bytes(b"")
    assert "means a deletion" in fails(here, "./one.webc", "--copy", "odd:/odd", "-o", "i.tar")
    assert "deletion" in fails(here, "./one.webc", "--copy", "odd:/odd", "-o", "i", "--format", "oci")
    assert sorted(path.name for path in here.iterdir()) == ["odd", "one.webc", "two.webc"]
    output("rootfs", "build", "./one.webc", "--copy", "odd:/odd", "-o", "i", cwd=here)
    assert (here / "i/odd/.wh.x").is_file()


@pytest.mark.parametrize(("name", "told"), [("out", "out/data/f"), ("out.tar", "out.tar"), ("out.webc", "out.webc")])
def test_a_full_disk_is_told_with_the_name_that_was_typed(here: Path, name: str, told: str) -> None:
    write_package(here / "large.webc", "a/large", "1.0.0", files={"f": os.urandom(100_000)})
    # Python does not heed the signal, so that the write fails as it does on a full disk.
    program = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
    program += "from pkgmgr.cli.main import script; script()"
    words = [sys.executable, "-B", "-c", program, "rootfs", "build", "./large.webc", "-o", name, "--name", "a/b@1.0.0"]
    words = words if name.endswith(".webc") else words[:-2]
    done = subprocess.run(words, cwd=here, env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, f"wpm: {here / told}: File too large\n")
    assert sorted(path.name for path in here.iterdir()) == ["large.webc", "one.webc", "two.webc"]


@pytest.mark.parametrize("name", ["out", "out.tar"])
def test_what_a_killed_build_left_is_removed_by_the_next(here: Path, name: str) -> None:
    program = (
        "import sys, time; from pathlib import Path; from pkgmgr.rootfs.output import new_place\n"
        f"with new_place(Path({str(here / name)!r}), directory={name == 'out'}, force=False) as path:\n"
        "    (path / 'closed').mkdir() if path.is_dir() else None\n"
        "    (path / 'closed').chmod(0) if path.is_dir() else None\n"
        "    print('ready', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    leftovers = [path for path in here.iterdir() if path.name.startswith(f".{name}.")]
    assert len(leftovers) == 1
    output("rootfs", "build", "./one.webc", "-o", name, cwd=here)
    assert leftovers[0].exists(), "somebody is at work on it"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    output("rootfs", "build", "./one.webc", "-o", name, "--force", cwd=here)
    assert not leftovers[0].exists()


def test_an_interrupted_build_leaves_nothing(here: Path) -> None:
    with open(here / "large", "wb") as file:
        file.truncate(3 << 30)
    words = [*COMMAND, "rootfs", "build", "./one.webc", "--copy", "large:/large", "-o", "i.tar.gz"]
    process = subprocess.Popen(words, cwd=here, env=environment(), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not any(path.name.startswith(".i.tar.gz.") for path in here.iterdir()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (130, b"")
    assert sorted(path.name for path in here.iterdir()) == ["large", "one.webc", "two.webc"]


def test_names_change_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.write_bytes(b"2")
    swap(one, other)
    assert one.is_file() and other.is_dir()
    monkeypatch.setattr("pkgmgr.files.swapping._exchange", lambda *_: False)
    swap(one, other)
    assert one.is_dir() and other.is_file()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_was_taken_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    from pkgmgr.errors import WpmError

    out = tmp_path / "out"
    with pytest.raises(WpmError, match="in the meantime"), new_place(out, directory=False, force=False):
        out.write_bytes(b"theirs")
    assert out.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [out]
