"""Wrong command lines, of `wpm run` and of the rest: one clear line and the right exit code, never a traceback."""

from pathlib import Path

import pytest
from make_packages import write_package, write_project
from typed import guest, output, wpm

from pkgmgr.cli.main import VERBS, main

HELLO = "wpm/hello"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory full of things that are not what they seem."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WPM_REGISTRY", raising=False)
    guest(tmp_path, "exit")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("text")
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "nothing.wasm").write_bytes(b"")
    (tmp_path / "broken.wasm").write_bytes(b"\0asm\1\0\0\0\xff\xff")
    (tmp_path / "component.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    (tmp_path / "broken.webc").write_bytes(b"\0webc003" + b"x" * 40)
    (tmp_path / "cut.webc").write_bytes(b"\0webc")
    (tmp_path / "text.webc").write_text("text")
    write_package(tmp_path / "data.webc", "n/data", "1.0.0", files={"a": b"a"})
    write_package(tmp_path / "two.webc", "n/two", "1.0.0", commands=("a", "b"))
    write_package(tmp_path / "needs.webc", "n/needs", "1.0.0", {"n/none": "n/none@^1"}, commands=("a",))
    write_project(tmp_path / "badtoml", {}, "[package")
    write_project(tmp_path / "badfield", {}, "[package]\nname = 3")
    write_project(tmp_path / "nodep", {"wpm/nonesuch": "^1"})
    write_project(tmp_path / "badlock", {HELLO: "^1"})
    (tmp_path / "badlock" / "wasmer.lock").write_text("= 3")
    write_project(tmp_path / "onlydeps", {HELLO: "^1"})
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("gone")
    return tmp_path


FAILURES = [
    # What to run
    ["run", "none"],
    ["run", "./none"],
    ["run", "/none/none.wasm"],
    ["run", ""],
    ["run", " "],
    ["run", "a\x1b[31mb"],
    ["run", "a/b/c"],
    ["run", "ns/name"],
    ["run", "wpm/nonesuch"],
    ["run", "wpm/hello@^99"],
    ["run", "wpm/hello@not-a-version"],
    ["run", "sha256:123"],
    ["run", "sha256:" + "0" * 64],
    ["run", "ftp://example.org/x.webc"],
    ["run", "file:///none.webc"],
    ["run", "http://"],
    ["run", "--offline", "http://127.0.0.1:9/x.webc"],
    ["run", "http://127.0.0.1:9/x.webc"],
    ["run", "empty"],
    ["run", "./empty"],
    ["run", "./text.txt"],
    ["run", "./nothing"],
    ["run", "nothing.wasm"],
    ["run", "broken.wasm"],
    ["run", "component.wasm"],
    ["run", "broken.webc"],
    ["run", "cut.webc"],
    ["run", "text.webc"],
    ["run", "data.webc"],
    ["run", "two.webc"],
    ["run", "two.webc", "-e", "c"],
    ["run", "needs.webc"],
    ["run", "./badtoml"],
    ["run", "badtoml/wasmer.toml"],
    ["run", "./badfield"],
    ["run", "./nodep"],
    ["run", "./badlock"],
    ["run", "./onlydeps"],
    ["run", "./loop"],
    ["run", "./dangling"],
    ["run", "x" * 5000],
    # With what
    ["run", "-e", "none", HELLO],
    ["run", "-e", "", HELLO],
    ["run", "--env", "=x", HELLO],
    ["run", "--env", "", HELLO],
    ["run", "--volume", "none:/x", HELLO],
    ["run", "--volume", "text.txt:/x", HELLO],
    ["run", "--volume", ":/x", HELLO],
    ["run", "--volume", "empty:", HELLO],
    ["run", "--volume", "empty:/x:bad", HELLO],
    ["run", "--volume", "", HELLO],
    ["run", "--mapdir", "/x", HELLO],
    ["run", "--mapdir", "/x:none", HELLO],
    ["run", "--cwd", "/none", HELLO],
    ["run", "--cwd", "/dev/null", HELLO],
    ["run", "--use", "none/none", HELLO],
    ["run", "--use", "broken.webc", HELLO],
    ["run", "--include-webc", "none.webc", HELLO],
    ["run", "--include-webc", "text.webc", HELLO],
    ["run", "--map-command", "x", HELLO],
    ["run", "--map-command", "x=none", HELLO],
    ["run", "--map-command", "a/b=exit.wasm", HELLO],
    ["run", "--registry", "none", "n/n"],
    ["run", "--registry", "https://example.org", "n/n"],
    ["run", "--registry", "empty", "n/n"],
    ["run", "--memory", "64K", HELLO],
    ["run", "--net=bogus", HELLO],
    ["run", "--net=allow:tcp:example.org", HELLO],
    ["run", "--net=ipv4:allow=1.2.3.4:99999", HELLO],
    # The other verbs
    ["install"],
    ["install", "--project", "none"],
    ["install", "--project", "badtoml"],
    ["install", "--project", "nodep"],
    ["install", "--locked", "--project", "nodep"],
    ["install", "--frozen", "--project", "nodep"],
    ["lock", "--check", "--project", "badlock"],
    ["lock", "--upgrade", "none", "--project", "nodep"],
    ["tree"],
    ["tree", "--project", "badlock"],
    ["list"],
    ["list", "--project", "badtoml"],
    ["build", "none"],
    ["build", "empty"],
    ["build", "badtoml"],
    ["build", "text.txt"],
    ["inspect", "none"],
    ["inspect", "empty"],
    ["inspect", "text.txt"],
    ["inspect", "broken.webc"],
    ["unpack", "broken.webc", "-o", "out"],
    ["unpack", "data.webc", "-o", "text.txt"],
    ["unpack", "data.webc", "-o", "badtoml"],
]

WRONG_USAGE = [
    [],
    ["nonesuch"],
    ["--nonesuch"],
    ["-x", "run", HELLO],
    ["run"],
    ["run", "--"],
    ["run", "--", HELLO],
    ["run", "--nonesuch", HELLO],
    ["run", HELLO, "-f"],
    ["run", "--vol", "x:/x", HELLO],
    ["run", HELLO, "-e"],
    ["run", "--env"],
    ["run", "--timeout", "soon", HELLO],
    ["run", "--timeout", "-1", HELLO],
    ["run", "--timeout", "0", HELLO],
    ["run", "--timeout", "nan", HELLO],
    ["run", "--timeout", "inf", HELLO],
    ["run", "--timeout", "1e999", HELLO],
    ["run", "--timeout", "", HELLO],
    ["run", "--memory", "much", HELLO],
    ["run", "--memory", "M", HELLO],
    ["run", "--memory", "1", HELLO],
    ["run", "--memory", "-5G", HELLO],
    ["run", "--memory", "inf", HELLO],
    ["run", "--memory", "nan", HELLO],
    ["run", "--memory", "1e999", HELLO],
    ["run", "--memory", "5MMM", HELLO],
    ["install", "extra"],
    ["install", "--locked", "--frozen"],
    ["install", "--jobs", "0"],
    ["install", "--jobs", "many"],
    ["lock", "extra"],
    ["tree", "--", "extra"],
    ["build", "a", "b"],
    ["build", "--format", "v1"],
    ["inspect"],
    ["unpack", "data.webc"],
    ["cache"],
    ["cache", "nonesuch"],
    ["cache", "verify", "extra"],
]


def spelled(words: list[str]) -> str:
    return " ".join(words)[:60]


@pytest.mark.parametrize("words", FAILURES, ids=spelled)
def test_what_cannot_be_done_is_told(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    out, told = capfd.readouterr()
    assert out == ""
    assert told.startswith("wpm: ") and told.endswith("\n") and len(told) > len("wpm: \n")
    assert told.isascii() or told.isprintable() or "\x1b" not in told
    # Only a resolution explains itself at length: who asked for what.
    lines = told.splitlines()
    assert all(line.startswith("  ") for line in lines[1:]) and len(lines) < 12, told
    assert "Traceback" not in told and len(lines[0]) < 600


@pytest.mark.parametrize("words", WRONG_USAGE, ids=spelled)
def test_wrong_usage(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(words)
    out, told = capfd.readouterr()
    assert (exit_.value.code, out) == (2, "")
    assert told.startswith("usage: wpm") and "_size" not in told and "_seconds" not in told


def test_nothing_was_left_behind(here: Path) -> None:
    before = set(here.rglob("*"))
    for words in (["build", "badtoml"], ["unpack", "broken.webc", "-o", "out"], ["install", "--project", "nodep"]):
        assert main(words) == 1
    assert set(here.rglob("*")) == before


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    for words in ([verb, "--help"], ["help", verb]):
        told = output(*words)
        assert told.startswith(f"usage: wpm {verb}") and f"Example: wpm {verb}" in " ".join(told.split())


def test_help_and_version() -> None:
    import pkgmgr

    assert output("--version") == output("-V") == f"wpm {pkgmgr.__version__}\n"
    for words in (["--help"], ["-h"], ["help"]):
        assert all(f"  {verb} " in output(*words) for verb in VERBS)


def test_a_mistyped_verb_is_recognized() -> None:
    assert b"did you mean install?" in wpm("instal").stderr


def test_a_mistyped_command_is_recognized(here: Path) -> None:
    project = write_project(here / "project", {"wpm/text-tools": "^1"})
    done = wpm("run", "storry", cwd=project)
    assert done.returncode == 1 and b"did you mean story" in done.stderr


def test_what_comes_behind_the_dashes_is_no_verb() -> None:
    assert wpm("run", "--", "install").returncode == 2
    assert output("run", "wpm/coreutils", "-e", "echo", "install", "list") == "install list\n"
