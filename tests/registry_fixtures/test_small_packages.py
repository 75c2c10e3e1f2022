"""The small packages do what they say, and what their manifests declare is what their modules have."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from wasi_module import WasiModule

from pkgmgr.building.build import build_package

SOURCES = Path(__file__).parents[2] / "registry_fixtures" / "sources"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with the data of the newest wpm/words in its place."""
    words = tmp_path / "root" / "usr" / "share" / "words"
    words.mkdir(parents=True)
    for path in (SOURCES / "words" / "1.1.0" / "share").iterdir():
        (words / path.name).write_bytes(path.read_bytes())
    return tmp_path / "root"


@pytest.mark.parametrize(
    ("version", "arguments", "expected"),
    [
        ("1.0.0", [], "Hello, World!\n"),
        ("1.0.0", ["Ada"], "Hello, Ada!\n"),
        ("1.1.0", ["-g", "Good evening", "Ada", "Bob"], "Good evening, Ada!\nGood evening, Bob!\n"),
        ("2.0.0", ["--shout", "-n", "2", "Ada"], "HELLO, ADA!!!\nHELLO, ADA!!!\n"),
        ("2.0.0", ["-"], "Hello, Grace!\nHello, Edsger!\n"),
        ("2.0.0", ["--version"], "hello 2.0.0\n"),
    ],
)
def test_hello(version: str, arguments: list[str], expected: str, tmp_path: Path) -> None:
    module = WasiModule(SOURCES / "hello" / version / "hello.wasm")
    status, out, err = module.run(["hello", *arguments], tmp_path, b"Grace\n\nEdsger")
    assert (status, out.decode(), err) == (0, expected, b"")


def test_an_older_hello_knows_less(tmp_path: Path) -> None:
    module = WasiModule(SOURCES / "hello" / "1.0.0" / "hello.wasm")
    status, out, err = module.run(["hello", "--shout"], tmp_path)
    assert (status, out) == (2, b"")
    assert b"--shout" in err


def test_top_words_leaves_out_stop_words(root: Path) -> None:
    module = WasiModule(SOURCES / "top-words" / "1.0.0" / "top-words.wasm")
    text = "The caf\u00e9 and the CAF\u00c9; don\u2019t: the sea's sea, the sea\u2019s and a \u201csea\u201d".encode()
    status, out, err = module.run(["top-words"], root, text)
    assert (status, err) == (0, b"")
    assert out.decode().split() == ["2", "caf\u00e9", "2", "sea", "2", "sea's"]
    status, out, err = module.run(["top-words", "-a", "-n1"], root, text)
    assert out.decode().split() == ["4", "the"]


def test_top_words_of_a_word_across_two_reads(root: Path) -> None:
    module = WasiModule(SOURCES / "top-words" / "1.1.0" / "top-words.wasm")
    (root / "long.txt").write_text("x" * 65535 + " " + "\u00e9l\u00e8ve " * 20000 + "end")
    status, out, _ = module.run(["top-words", "--json", "long.txt"], root)
    assert status == 0
    assert json.loads(out) == {"\u00e9l\u00e8ve": 20000, "end": 1}


def test_top_words_complains(root: Path) -> None:
    module = WasiModule(SOURCES / "top-words" / "1.0.0" / "top-words.wasm")
    assert module.run(["top-words", "nosuch"], root) == (1, b"", b"top-words: nosuch: No such file or directory\n")
    assert module.run(["top-words", "-n", "x"], root)[0] == 2
    assert module.run(["top-words", "-s", "/nosuch"], root)[0] == 1


@pytest.mark.parametrize("version", ["0.9.0", "1.0.0"])
def test_coreutils_has_its_commands(version: str, tmp_path: Path) -> None:
    folder = SOURCES / "coreutils" / version
    manifest = tomllib.loads((folder / "wasmer.toml").read_text("utf-8"))
    module = WasiModule(folder / "coreutils.wasm")
    status, out, _ = module.run(["coreutils", "--list"], tmp_path)
    written = {path.stem for path in folder.parent.glob("*.c")} | {"["}
    declared = {command["name"] for command in manifest["command"]} & written
    assert status == 0
    assert set(out.decode().split()) == declared
    for name in sorted(declared - {"test", "["}):
        status, out, _ = module.run([name, "--help"], tmp_path)
        assert (status, name in out.decode()) == (0, True)
        assert module.run([name, "--version"], tmp_path)[1].decode().endswith(f" {version}\n")


def test_coreutils_by_the_first_argument(tmp_path: Path) -> None:
    module = WasiModule(SOURCES / "coreutils" / "1.0.0" / "coreutils.wasm")
    assert module.run(["coreutils", "echo", "a", "b"], tmp_path)[1] == b"a b\n"
    assert module.run(["/usr/bin/echo", "a"], tmp_path)[1] == b"a\n"
    status, _, err = module.run(["coreutils", "nosuch"], tmp_path)
    assert (status, b"nosuch" in err) == (1, True)


def test_every_manifest_names_its_directory() -> None:
    paths = sorted(SOURCES.glob("*/*/wasmer.toml"))
    assert paths
    for path in paths:
        package = tomllib.loads(path.read_text("utf-8"))["package"]
        assert package["name"] == f"wpm/{path.parent.parent.name}"
        assert package["version"] == path.parent.name


@pytest.mark.parametrize(
    "manifest", sorted(SOURCES.glob("*/*/wasmer.toml")), ids=lambda path: "-".join(path.parts[-3:-1])
)
def test_the_registry_holds_what_the_sources_build(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    held = SOURCES.parent / "packages" / "wpm" / manifest.parent.parent.name / f"{manifest.parent.name}.webc"
    built = build_package(manifest.parent, tmp_path / "built.webc")
    assert not built.warnings
    assert built.path.read_bytes() == held.read_bytes(), "run registry_fixtures/build.py and commit what it wrote"


def test_the_build_script_explains_itself() -> None:
    script = SOURCES.parent / "build.py"
    done = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=True)
    assert "--compile" in done.stdout
