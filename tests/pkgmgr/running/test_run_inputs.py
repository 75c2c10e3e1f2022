"""What `wpm run INPUT` takes: a command of the project, a package, a `.webc`, a `.wasm`, a directory."""

from pathlib import Path
from shutil import copyfile

import pytest
from make_packages import write_package, write_project
from typed import ROOT, guest, output, wpm

import registry_fixtures

HELLO = registry_fixtures.ROOT / "packages/wpm/hello/1.1.0.webc"
PACKAGE = """
[package]
name = "me/greeter"
version = "0.1.0"
description = "Greets"
entrypoint = "greet"

[fs]
"/share" = "share"

[[module]]
name = "hello"
source = "hello.wasm"

[[command]]
name = "greet"
module = "hello"
runner = "wasi"
annotations = { wasi = { main-args = ["-g", "Good day"] } }

[[command]]
name = "show"
module = "wpm/coreutils:coreutils"
runner = "wasi"
annotations = { wasi = { main-args = ["cat"], cwd = "/share" } }
"""


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "greeter", {"wpm/coreutils": "^1"}, PACKAGE)
    (root / "share").mkdir()
    (root / "share" / "note.txt").write_text("a note\n")
    copyfile(ROOT / "registry_fixtures/sources/hello/1.1.0/hello.wasm", root / "hello.wasm")
    return root


@pytest.mark.parametrize(
    ("source", "greeting"),
    [
        ("wpm/hello", "Hello, you!\n"),
        ("wpm/hello@=1.0.0", "Hello, you!\n"),
        ("wpm/hello@^1", "Hello, you!\n"),
        ("wpm/hello@latest", "Hello, you!\n"),
    ],
)
def test_a_package_of_a_registry(source: str, greeting: str, tmp_path: Path) -> None:
    assert output("run", source, "you", cwd=tmp_path) == greeting


def test_the_version_asked_for_is_the_one_that_runs(tmp_path: Path) -> None:
    for source, version in (("wpm/hello@=1.0.0", "1.0.0"), ("wpm/hello@^1", "1.1.0"), ("wpm/hello", "2.0.0")):
        assert output("run", source, "--", "--version", cwd=tmp_path) == f"hello {version}\n"


def test_a_package_by_its_hash(tmp_path: Path) -> None:
    from hashlib import sha256

    digest = sha256(HELLO.read_bytes()).hexdigest()
    assert output("run", f"sha256:{digest}", "you", cwd=tmp_path) == "Hello, you!\n"


def test_a_package_file_wherever_and_however_it_is_called(tmp_path: Path) -> None:
    copyfile(HELLO, tmp_path / "h.webc")
    copyfile(HELLO, tmp_path / "plain")
    (tmp_path / "deep").mkdir()
    for cwd, path in (
        (tmp_path, "h.webc"),
        (tmp_path, "./h.webc"),
        (tmp_path, "plain"),
        (tmp_path / "deep", "../plain"),
    ):
        assert output("run", path, "you", cwd=cwd) == "Hello, you!\n"
    assert output("run", HELLO.as_uri(), "you", cwd=tmp_path) == "Hello, you!\n"


def test_a_module_file(tmp_path: Path) -> None:
    guest(tmp_path, "exit")
    (tmp_path / "exit.wasm").rename(tmp_path / "leave")
    assert wpm("run", "leave", cwd=tmp_path).returncode == 42
    assert wpm("run", "./leave", cwd=tmp_path).returncode == 42


def test_a_directory_with_a_manifest(greeter: Path) -> None:
    assert output("run", greeter, "you", cwd=greeter.parent) == "Good day, you!\n"
    assert output("run", ".", "you", cwd=greeter) == "Good day, you!\n"
    assert output("run", "greeter/", "-e", "show", "note.txt", cwd=greeter.parent) == "a note\n"
    assert output("run", greeter / "wasmer.toml", "you", cwd=greeter.parent) == "Good day, you!\n"


def test_a_command_of_the_project_from_anywhere_inside_it(greeter: Path) -> None:
    assert output("run", "greet", "you", cwd=greeter) == "Good day, you!\n"
    assert output("run", "show", "note.txt", cwd=greeter / "share") == "a note\n"
    assert output("run", "seq", "2", cwd=greeter) == "1\n2\n"


def test_a_project_that_is_nothing_but_dependencies(tmp_path: Path) -> None:
    project = write_project(tmp_path / "only", {"wpm/text-tools": "^1", "wpm/coreutils": "^1"})
    assert output("run", "seq", "2", cwd=project) == "1\n2\n"
    assert output("run", project, "-e", "count-lines", stdin=b"a\nb\n", cwd=tmp_path).split() == ["2"]
    assert output("run", "--use", "only/", "wpm/coreutils", "-e", "ls", "/bin/story", cwd=tmp_path) == "/bin/story\n"


def test_a_directory_of_the_project_does_not_hide_a_command(greeter: Path) -> None:
    (greeter / "seq").mkdir()
    (greeter / "greet").write_text("not a program")
    assert output("run", "seq", "1", cwd=greeter) == "1\n"
    assert output("run", "greet", "you", cwd=greeter) == "Good day, you!\n"


def test_a_change_of_the_project_is_seen(greeter: Path) -> None:
    assert output("run", "show", "note.txt", cwd=greeter) == "a note\n"
    (greeter / "share" / "note.txt").write_text("another\n")
    assert output("run", "show", "note.txt", cwd=greeter) == "another\n"


def test_a_built_package(greeter: Path) -> None:
    output("build", greeter, "-o", greeter.parent / "g.webc")
    assert output("run", "g.webc", "you", cwd=greeter.parent) == "Good day, you!\n"
    assert output("run", "g.webc", "-e", "show", "note.txt", cwd=greeter.parent) == "a note\n"


def test_a_package_with_one_command_needs_no_entrypoint(tmp_path: Path) -> None:
    one = write_package(tmp_path / "one.webc", "n/one", "1.0.0", commands=("only",), module=guest_bytes(tmp_path))
    assert wpm("run", one).returncode == 42


def guest_bytes(folder: Path) -> bytes:
    return guest(folder, "exit").read_bytes()


class TestPublished:
    """Packages and programs that somebody else made."""

    def test_a_module(self, conformance: Path) -> None:
        assert "< hello >" in output("run", conformance / "wasm/catsay.wasm", "hello")

    def test_a_v1_package_whose_dependency_is_given(self, conformance: Path, tmp_path: Path) -> None:
        coreutils = write_package(
            tmp_path / "c.webc",
            "sharrattj/coreutils",
            "1.0.16",
            commands=("quit",),
            files={"a.txt": b"from a dependency\n"},
            module=guest_bytes(tmp_path),
        )
        dash = conformance / "webc/dash-1.0.18.webc"
        words = ("run", "--include-webc", coreutils, dash, "--", "-c")
        assert output(*words, "echo $((6 * 7))") == "42\n"
        assert output(*words, "read line < /data/a.txt; echo $line") == "from a dependency\n"
        assert wpm(*words, "quit").returncode == 42

    def test_a_v1_package_without_its_dependency(self, conformance: Path) -> None:
        done = wpm("run", conformance / "webc/dash-1.0.18.webc")
        assert done.returncode == 1
        assert done.stderr.decode().count("\n") == 1 and "sharrattj/coreutils" in done.stderr.decode()

    def test_a_v3_package(self, conformance: Path, tmp_path: Path) -> None:
        (tmp_path / "m.wat").write_text("(module)")
        wabt = conformance / "webc/wabt-1.0.37.webc"
        words = ("run", "--volume", f"{tmp_path}:/w", "--cwd", "/w", wabt, "-e")
        assert output(*words, "wat2wasm", "m.wat", "--", "-o", "m.wasm") == ""
        assert (tmp_path / "m.wasm").read_bytes() == b"\0asm\1\0\0\0"
        assert output(*words, "wasm2wat", "m.wasm") == "(module)\n"
