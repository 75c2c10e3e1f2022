"""The folder `.wpm`: kept as it should be by all that changes a project, and never more than that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from launched import printed
from make_packages import RegistryMaker, write_project
from typed import COMMAND, environment, output, wpm

from pkgmgr.environments.folder import EnvironmentFolder, project_launcher


def launchers(root: Path) -> set[str]:
    return set(os.listdir(root / ".wpm" / "bin"))


def installed(root: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((root / ".wpm" / "manifest.json").read_text())
    return content


class TestInstall:
    def test_what_it_leaves(self, project: Path) -> None:
        assert {"hello", "sh", "wc", "cat"} <= launchers(project)
        assert (project / ".wpm/.gitignore").read_text() == "*\n"
        told = installed(project)
        commands = told["commands"]
        assert isinstance(commands, dict) and commands["hello"] == "wpm/hello@1.1.0"
        assert set(commands) == launchers(project)
        assert [*told] == ["commands", "format", "lock", "packages", "project"]

    def test_the_manifest_is_the_same_everywhere(self, project: Path, tmp_path: Path) -> None:
        other = tmp_path / "elsewhere"
        other.mkdir()
        for name in ("wasmer.toml", "wasmer.lock"):
            (other / name).write_bytes((project / name).read_bytes())
        old = os.umask(0o077)
        try:
            output("install", "--project", other, env={"TZ": "Asia/Tokyo", "LC_ALL": "C"})
        finally:
            os.umask(old)
        told = (other / ".wpm/manifest.json").read_bytes()
        assert told == (project / ".wpm/manifest.json").read_bytes()
        assert str(tmp_path).encode() not in told

    def test_again_writes_nothing(self, project: Path) -> None:
        def state() -> dict[str, int]:
            return {str(path): path.stat().st_mtime_ns for path in (project / ".wpm").rglob("*")}

        before = state()
        assert output("install", "--project", project) == "3 packages installed (nothing to do)\n"
        assert state() == before

    def test_what_is_missing_or_was_changed_comes_back(self, project: Path) -> None:
        (project / ".wpm/bin/wc").unlink()
        assert output("install", "--project", project) == "3 packages installed (launchers written)\n"
        (project / ".wpm/bin/wc").write_text("")
        (project / ".wpm/manifest.json").unlink()
        (project / ".wpm/bin/hello").chmod(0o644)
        assert "verified" not in wpm("verify", "--project", project).stdout.decode()
        output("install", "--project", project)
        assert output("verify", "--project", project) == "3 packages verified\n"

    def test_the_projects_own_commands_have_launchers(self, project: Path) -> None:
        with (project / "wasmer.toml").open("a") as file:
            file.write('[[command]]\nname = "mine"\nmodule = "wpm/hello:hello"\nrunner = "wasi"\n')
        output("install", "--project", project)
        assert "mine" in launchers(project)

    def test_it_can_be_left_alone(self) -> None:
        root = write_project(Path("p"), {"wpm/hello": "*"})
        output("install", "--project", root, "--no-launchers")
        assert not (root / ".wpm").exists()
        assert output("verify", "--project", root) == "1 package verified\n"

    def test_add_remove_and_update_keep_it(self) -> None:
        root = write_project(Path("p"), {"wpm/hello": "=1.1.0"})
        output("install", "--project", root)
        output("add", "--project", root, "wpm/sh")
        assert launchers(root) == {"hello", "sh"}
        output("remove", "--project", root, "wpm/hello")
        assert launchers(root) == {"sh"}
        output("add", "--project", root, "wpm/hello@=1.0.0", "--no-launchers")
        assert launchers(root) == {"sh"}
        output("update", "--project", root)
        assert launchers(root) == {"hello", "sh"}
        assert output("verify", "--project", root) == "2 packages verified\n"

    def test_many_at_once(self) -> None:
        root = write_project(Path("p"), {"wpm/hello": "*", "wpm/coreutils": "*"})
        running = [
            subprocess.Popen([*COMMAND, "install", "--project", root], env=environment(), stdout=subprocess.DEVNULL)
            for _ in range(4)
        ]
        assert [each.wait(60) for each in running] == [0] * 4
        assert output("verify", "--project", root) == "2 packages verified\n"
        assert not [name for name in launchers(root) if name.startswith(".")]


class TestOthersFiles:
    def test_they_stay_and_are_told_about(self, project: Path) -> None:
        mine = project / ".wpm/bin/mine"
        mine.write_text("#!/bin/sh\n")
        (project / ".wpm/bin/hello").unlink()
        (project / ".wpm/bin/hello").write_text("mine, too")
        for _ in range(2):
            done = wpm("install", "--project", project)
            assert done.returncode == 0
            assert b"bin/mine: not what wpm wrote: it stays\n" in done.stderr
            assert b"bin/hello: not what wpm wrote: it stays: remove it" in done.stderr
        assert (project / ".wpm/bin/hello").read_text() == "mine, too"
        checked = wpm("verify", "--project", project)
        assert (checked.returncode, checked.stderr.count(b"wpm did not write it")) == (1, 2)

    def test_they_are_not_put_on_the_path(self, project: Path) -> None:
        theirs = project / ".wpm/bin/ls"
        for plant in (lambda: theirs.write_text("#!/bin/sh\necho hostile\n"), lambda: theirs.symlink_to("/bin/echo")):
            output("env", "activate", "--project", project)
            theirs.unlink(missing_ok=True)
            plant()
            theirs.chmod(0o755)
            for words in (("env", "activate"), ("shell", "--host", "-c", "ls")):
                done = wpm(*words, "--project", project)
                assert (done.returncode, done.stdout) == (1, b""), done
                assert b".wpm/bin/ls: not what wpm writes there" in done.stderr
            theirs.unlink()
            output("install", "--project", project)

    def test_a_state_that_was_brought_along_is_not_believed(self, project: Path) -> None:
        """As if a repository had been cloned with a folder that this very wpm made, and one launcher more."""
        clone = Path("clone")
        shutil.copytree(project, clone, copy_function=shutil.copyfile)
        for path in (clone / ".wpm/bin").iterdir():
            path.chmod(0o755)
        (clone / ".wpm/bin/hello").write_text("#!/bin/sh\n# wpm project\necho hostile\n")
        assert wpm("env", "activate", "--project", clone).returncode == 1
        assert output("install", "--project", clone) == "3 packages installed (launchers written)\n"
        assert printed(clone / ".wpm/bin/hello") == "Hello, World!\n"

    def test_a_state_without_end_is_not_read(self, project: Path) -> None:
        (project / ".wpm/state").unlink()
        (project / ".wpm/state").symlink_to("/dev/zero")
        assert output("install", "--project", project) == "3 packages installed (nothing to do)\n"

    def test_a_link_does_not_lead_us_elsewhere(self, tmp_path: Path) -> None:
        for number, place in enumerate((".wpm", ".wpm/bin")):
            root = write_project(Path(f"p{number}"), {"wpm/hello": "*"})
            target = tmp_path / f"target{number}"
            target.mkdir()
            (root / place).parent.mkdir(exist_ok=True)
            (root / place).symlink_to(target)
            done = wpm("install", "--project", root)
            assert (done.returncode, b"is a link" in done.stderr) == (0, True)
            assert os.listdir(target) == []
            assert wpm("verify", "--project", root).returncode == 1

    def test_a_folder_that_cannot_be_made_is_a_warning(self) -> None:
        root = write_project(Path("p"), {"wpm/hello": "*"})
        (root / ".wpm").write_text("")
        done = wpm("install", "--project", root)
        assert (done.returncode, done.stderr.count(b"\n")) == (0, 1)
        assert b".wpm: is in the way of the project's launchers" in done.stderr


class TestCommands:
    def test_names_that_no_file_can_have_are_told(self, registry: RegistryMaker) -> None:
        registry.add("acme/odd", "1.0.0", commands=("-rf", "fine"))
        root = write_project(Path("p"), {"acme/odd": "*"})
        done = wpm("install", "--project", root, "--no-compile")
        assert (done.returncode, launchers(root)) == (0, {"fine"})
        assert b"'-rf': a command that no file can be called as" in done.stderr

    def test_the_script_is_of_the_version_that_the_state_has(self) -> None:
        """Who changes the script counts `_SCRIPT` up, and this hash with it."""
        import hashlib
        import sys

        from pkgmgr.environments import folder

        script = project_launcher("NAME").replace(sys.executable, "PYTHON")
        script = script.replace(str(Path(folder.__file__).parents[2]), "WPM")
        digest = hashlib.sha256(script.encode()).hexdigest()[:16]
        assert (folder._SCRIPT, digest) == (1, "23096817d136daa5")

    def test_a_build_leaves_it_out(self, project: Path) -> None:
        toml = project / "wasmer.toml"
        toml.write_text('[package]\nname = "me/it"\nversion = "1.0.0"\n[fs]\n"/all" = "."\n' + toml.read_text())
        output("build", project, "-o", "first.webc")
        before = Path("first.webc").read_bytes()
        EnvironmentFolder(project).manifest.write_text("{}")
        (project / ".wasmerignore").write_text("nothing\n")
        (project / ".wasmerignore").unlink()
        output("build", project, "-o", "second.webc")
        assert Path("second.webc").read_bytes() == before
        assert b"manifest.json" not in before
