"""`wpm env export` and `import`: from one store into another, which knows nothing and has no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from launched import launch
from make_packages import RegistryMaker, write_package, write_project
from typed import COMMAND, environment, guest, output, wpm

PACKAGE = """\
[package]
name = "me/it"
version = "1.2.3"
readme = "README.md"

[[module]]
name = "exit"
source = "build/exit.wasm"
abi = "wasi"

[[command]]
name = "leave"
module = "exit"

[fs]
"/data" = "data"
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The variables of another machine: an empty store, no configuration, a network that leads nowhere."""
    return {
        "WPM_CACHE_DIR": str(tmp_path / "their store"),
        "WPM_CONFIG_DIR": str(tmp_path / "their config"),
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }


def rich_project(tmp_path: Path) -> Path:
    """A project with a module, files, links, and dependencies in and beside it."""
    needs = {
        "wpm/sh": "^1",
        "wpm/coreutils": "^1",
        "me/inner": "./libs/inner",
        "me/file": "./libs/file.webc",
        "me/outer": "../outer",
    }
    root = write_project(tmp_path / "rich", needs, PACKAGE)
    (root / "README.md").write_text("read me")
    (root / "build").mkdir()
    (root / "build/exit.wasm").write_bytes(guest(tmp_path, "exit").read_bytes())
    (root / "data" / "sub" / "empty").mkdir(parents=True)
    (root / "data/sub/tool.sh").write_text("#!/bin/sh\n")
    (root / "data/sub/tool.sh").chmod(0o775)
    (root / "data/secret").write_text("mine")
    (root / "data/.wasmerignore").write_text("secret\n")
    (root / "data/link").symlink_to("sub/tool.sh")
    (root / "notes.txt").write_text("named by nothing")
    for folder, name in ((root / "libs/inner", "inner"), (tmp_path / "outer", "outer")):
        text = f'[package]\nname = "me/{name}"\nversion = "1.0.0"\n[fs]\n"/{name}" = "files"\n'
        (folder / "files").mkdir(parents=True)
        (folder / "files" / "f").write_text(name)
        (folder / "wasmer.toml").write_text(text)
    write_package(root / "libs/file.webc", "me/file", "1.0.0", files={"x": b"x"})
    output("install", "--project", root)
    return root


class TestRoundTrip:
    def test_it_runs_where_nothing_is_known(self, project: Path, elsewhere: dict[str, str], tmp_path: Path) -> None:
        said = output("env", "export", "--project", project, "-o", tmp_path / "e.tar")
        assert said.startswith(f"{tmp_path / 'e.tar'}: 3 packages, ")
        there = tmp_path / "there"
        said = output("env", "import", tmp_path / "e.tar", there, env=elsewhere)
        assert "2 files written, 3 packages put into the store\n3 packages installed" in said
        done = launch(there / ".wpm/bin/hello", "Ada", env=elsewhere)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello, Ada!\n", b"")
        assert (there / ".wpm/manifest.json").read_bytes() == (project / ".wpm/manifest.json").read_bytes()
        assert output("install", "--locked", "--project", there, env=elsewhere).endswith("(nothing to do)\n")
        assert output("env", "import", tmp_path / "e.tar", there, env=elsewhere).startswith(
            f"{there}: 0 files written, 0 "
        )

    @pytest.mark.parametrize("name", ["e.tar.gz", "e.tar.zst"])
    def test_compressed(self, name: str, project: Path, elsewhere: dict[str, str], tmp_path: Path) -> None:
        output("env", "export", "--project", project, "-o", tmp_path / name)
        told = json.loads(output("env", "import", "--no-compile", "--json", tmp_path / name, "there", env=elsewhere))
        assert (told["packages_stored"], told["files_written"], told["compiled"]) == (3, 2, 0)

    def test_what_a_manifest_names_travels_and_works(self, elsewhere: dict[str, str], tmp_path: Path) -> None:
        root = rich_project(tmp_path)
        done = wpm("env", "export", "--project", root, "-o", "e.tar")
        assert done.stderr.count(b"\n") == 1
        assert b"me/outer@1.0.0: ../outer is not in the project" in done.stderr
        with tarfile.open("e.tar") as archive:
            names = {member.name.removeprefix("environment/project/") for member in archive}
            modes = {member.name.rpartition("/")[2]: member.mode for member in archive}
        assert {"README.md", "data/sub/empty", "libs/inner/files/f", "libs/file.webc", "data/.wasmerignore"} <= names
        assert not {"notes.txt", "data/secret"} & names
        assert (modes["tool.sh"], modes["README.md"]) == (0o755, 0o644)
        there = tmp_path / "far" / "there"
        output("env", "import", "e.tar", there, env=elsewhere)
        assert launch(there / ".wpm/bin/leave", env=elsewhere).returncode == 42
        assert (there / "data/link").readlink() == Path("sub/tool.sh")
        assert os.access(there / "data/sub/tool.sh", os.X_OK)
        seen = output("shell", "--project", there, "-c", "cat /inner/f /outer/f /data/sub/tool.sh", env=elsewhere)
        assert seen == "innerouter#!/bin/sh\n"
        assert output("install", "--locked", "--offline", "--project", there, env=elsewhere).endswith(
            "(nothing to do)\n"
        )
        assert output("verify", "--project", root)
        for place, name in ((there, "theirs.webc"), (root, "ours.webc")):
            assert wpm("build", place, "-o", name).returncode == 0
        assert Path("theirs.webc").read_bytes() == Path("ours.webc").read_bytes()

    def test_another_directory_where_one_was_is_told(self, elsewhere: dict[str, str], tmp_path: Path) -> None:
        root = rich_project(tmp_path)
        wpm("env", "export", "--project", root, "-o", "e.tar")
        (tmp_path / "outer/files/f").write_text("another")
        done = wpm("env", "import", "e.tar", tmp_path / "there", env=elsewhere)
        assert (done.returncode, done.stderr.count(b"\n")) == (0, 1)
        assert b"wasmer.lock is not of ../outer as it is now: what runs next is resolved anew" in done.stderr

    def test_registries_are_told_and_no_configuration_is_written(
        self, registry: RegistryMaker, elsewhere: dict[str, str]
    ) -> None:
        root = write_project(Path("p"), {"acme/exit": "*"})
        output("install", "--project", root)
        output("env", "export", "--project", root, "-o", "e.tar")
        assert str(registry.root).encode() not in Path("e.tar").read_bytes()
        output("env", "import", "e.tar", "there", env=elsewhere)
        assert launch("there/.wpm/bin/exit", env=elsewhere).returncode == 42
        assert not Path(elsewhere["WPM_CONFIG_DIR"]).exists()


class TestBytes:
    def test_the_same_environment_the_same_bytes(self, tmp_path: Path) -> None:
        root = rich_project(tmp_path)
        wpm("env", "export", "--project", root, "-o", "first.tar")
        (root / "data/sub/tool.sh").touch()
        (root / "data/sub/tool.sh").chmod(0o700)
        (root / "notes.txt").unlink()
        moved = tmp_path / "moved" / "away"
        moved.parent.mkdir()
        root.rename(moved)
        (tmp_path / "outer").rename(tmp_path / "moved" / "outer")
        old = os.umask(0o077)
        try:
            with Path("second.tar").open("wb") as file:
                subprocess.run(
                    [*COMMAND, "env", "export", "--project", moved, "-o", "-"],
                    stdout=file,
                    stderr=subprocess.DEVNULL,
                    check=True,
                    env=environment({"TZ": "Asia/Tokyo", "LC_ALL": "C", "SOURCE_DATE_EPOCH": ""}),
                )
        finally:
            os.umask(old)
        assert Path("first.tar").read_bytes() == Path("second.tar").read_bytes()

    def test_the_time_of_source_date_epoch(self, project: Path) -> None:
        for seconds in ("0", "1700000000"):
            output("env", "export", "--project", project, "-o", "e.tar", env={"SOURCE_DATE_EPOCH": seconds})
            with tarfile.open("e.tar") as archive:
                assert {(each.mtime, each.uid, each.gid, each.uname) for each in archive} == {(int(seconds), 0, 0, "")}
        wrong = wpm("env", "export", "--project", project, "-o", "e.tar", env={"SOURCE_DATE_EPOCH": "now"})
        assert (wrong.returncode, wrong.stderr.count(b"\n")) == (1, 1)

    def test_a_name_of_its_own(self, project: Path) -> None:
        output("env", "export", "--project", project)
        assert Path("a project.env.tar").is_file()
        output("env", "export", "--project", project, "-o", project)
        before = (project / "a project.env.tar").read_bytes()
        assert before == Path("a project.env.tar").read_bytes()


class TestRefusals:
    def test_a_stale_lock(self, project: Path) -> None:
        with (project / "wasmer.toml").open("a") as file:
            file.write('"wpm/words" = "*"\n')
        done = wpm("env", "export", "--project", project, "-o", "e.tar")
        assert (done.returncode, Path("e.tar").exists()) == (1, False)
        assert b"wasmer.lock is not of these dependencies" in done.stderr

    def test_a_full_disk_and_no_directory(self, project: Path, elsewhere: dict[str, str]) -> None:
        assert (
            wpm("env", "export", "--project", project, "-o", "no/e.tar").stderr
            == b"wpm: no/e.tar: No such file or directory\n"
        )
        output("env", "export", "--project", project, "-o", "e.tar")
        limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); "
        program = [sys.executable, "-B", "-c", f"{limit}from pkgmgr.cli.main import script; script()", "env"]
        for words, surroundings, named in (
            (["export", "--project", str(project), "-o", "f.tar"], {}, "f.tar: File too large"),
            (["import", "e.tar", "there"], elsewhere, f"{elsewhere['WPM_CACHE_DIR']}: File too large"),
        ):
            done = subprocess.run(
                program + words, env=environment(surroundings), capture_output=True, text=True, timeout=60
            )
            assert (done.returncode, done.stderr) == (1, f"wpm: {named}\n")
        assert not Path("f.tar").exists()
        assert b"save it to one" in wpm("env", "import", "-").stderr

    def test_files_in_the_way(self, project: Path, tmp_path: Path) -> None:
        output("env", "export", "--project", project, "-o", "e.tar")
        there = tmp_path / "there"
        there.mkdir()
        (there / "wasmer.toml").write_text("# mine")
        (there / "else").write_text("stays")
        done = wpm("env", "import", "e.tar", there)
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
        assert b"wasmer.toml: there already, and other than in" in done.stderr
        assert sorted(os.listdir(there)) == ["else", "wasmer.toml"]
        output("env", "import", "--force", "e.tar", there)
        assert (there / "wasmer.toml").read_bytes() == (project / "wasmer.toml").read_bytes()
        assert (there / "else").read_text() == "stays"

    def test_links_in_the_way_are_not_followed(self, tmp_path: Path) -> None:
        root = rich_project(tmp_path)
        wpm("env", "export", "--project", root, "-o", "e.tar")
        target = tmp_path / "target"
        target.mkdir()
        for name in ("data", ".wpm"):
            there = tmp_path / f"there-{name}"
            there.mkdir()
            (there / name).symlink_to(target)
            done = wpm("env", "import", "--force", "e.tar", there)
            assert (done.returncode, os.listdir(target)) == (1, [])
            assert not (there / "wasmer.toml").exists()

    @pytest.mark.parametrize("what", ["missing", "empty", "text", "folder", "tar of something else"])
    def test_what_is_no_environment(self, what: str, tmp_path: Path) -> None:
        path = tmp_path / "e.tar"
        match what:
            case "empty":
                path.write_bytes(b"")
            case "text":
                path.write_bytes(b"not a tar " * 1000)
            case "folder":
                path.mkdir()
            case "tar of something else":
                with tarfile.open(path, "w") as archive:
                    archive.add(__file__, "test.py")
        done = wpm("env", "import", path, tmp_path / "there")
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1), done.stderr
        assert str(path).encode() in done.stderr
        assert not (tmp_path / "there").exists()
