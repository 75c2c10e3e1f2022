"""The file tools of coreutils answer as the GNU tools do, and leave the same tree: cases recorded with LC_ALL=C."""

import json
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

import pytest
import wasmtime

HERE = Path(__file__).parent
WASM = HERE.parents[1] / "registry_fixtures" / "sources" / "coreutils" / "1.0.0" / "coreutils.wasm"
TABLE: dict[str, Any] = json.loads((HERE / "cases" / "files.json").read_text())


class Coreutils:
    """The module, compiled once, run by wasmtime's own WASI in a folder that the guest sees as its root."""

    def __init__(self) -> None:
        self.engine = wasmtime.Engine()
        self.module = wasmtime.Module.from_file(self.engine, str(WASM))
        self.linker = wasmtime.Linker(self.engine)
        self.linker.define_wasi()

    def run(self, argv: list[str], root: Path, stdin: str = "", env: dict[str, str] | None = None) -> dict[str, Any]:
        """Run one command; what it printed on both streams, and its exit status."""
        with tempfile.TemporaryDirectory() as folder:
            streams = Path(folder)
            (streams / "in").write_text(stdin)
            wasi = wasmtime.WasiConfig()
            wasi.argv = argv
            wasi.env = list({"TERM": "xterm", **(env or {})}.items())
            wasi.preopen_dir(str(root), "/")
            wasi.stdin_file = str(streams / "in")
            wasi.stdout_file = str(streams / "out")
            wasi.stderr_file = str(streams / "err")
            store = wasmtime.Store(self.engine)
            store.set_wasi(wasi)
            status = 0
            try:
                start = self.linker.instantiate(store, self.module).exports(store)["_start"]
                assert isinstance(start, wasmtime.Func)
                start(store)
            except wasmtime.ExitTrap as exit_trap:
                status = exit_trap.code
            return {"stdout": (streams / "out").read_text(), "stderr": (streams / "err").read_text(), "exit": status}


@pytest.fixture(scope="session")
def tools() -> Coreutils:
    return Coreutils()


def build(root: Path, tree: dict[str, str | int | None]) -> None:
    """Make the tree; each entry is a minute younger than the one before it."""
    root.mkdir()
    for path, content in tree.items():
        target = root / path
        if content is None:
            target.mkdir()
        elif isinstance(content, int):
            target.write_text("x" * content)
        elif content.startswith("-> "):
            target.symlink_to(content[3:])
        elif content.startswith("="):
            target.hardlink_to(root / content[1:])
        else:
            target.write_text(content)
    for index, path in reversed(list(enumerate(tree))):
        time = TABLE["first_time"] + 60 * (index + 1)
        os.utime(root / path, (time, time), follow_symlinks=False)


def snapshot(root: Path) -> dict[str, str | None]:
    """Every entry with its content (its size, when long), None for a directory, "-> target" for a link."""
    found: dict[str, str | None] = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(folder, name)
            key = str(path.relative_to(root))
            if path.is_symlink():
                found[key] = f"-> {path.readlink()}"
            elif path.is_dir():
                found[key + "/"] = None
            else:
                text = path.read_text()
                found[key] = text if len(text) <= 200 else f"({len(text)} bytes)"
    return found


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: f"{case['tree']}: {shlex.join(case['argv'])}"[:60])
def test_as_gnu(case: dict[str, Any], tools: Coreutils, tmp_path: Path) -> None:
    root = tmp_path / "root"
    build(root, TABLE["trees"][case["tree"]])
    before = snapshot(root)
    answer = tools.run(case["argv"], root, case.get("stdin", ""), case.get("env"))
    after = snapshot(root)
    if case.get("sorted"):
        answer["stdout"] = "\n".join(sorted(answer["stdout"].split("\n")))
    changed = {
        path: after.get(path, "(gone)")
        for path in before | after
        if path not in before or path not in after or before[path] != after[path]
    }
    assert answer == {key: case.get(key, "") for key in ("stdout", "stderr", "exit")}
    assert changed == case.get("after", {})


def test_touch_sets_times(tools: Coreutils, tmp_path: Path) -> None:
    root = tmp_path / "root"
    build(root, {"a": "", "b": ""})
    for argv, expected in (
        (["touch", "-d", "2020-02-29 12:34:56.25", "a"], 1582979696.25),
        (["touch", "-t", "202002291234.56", "a"], 1582979696.0),
        (["touch", "-d", "@1000000000", "a"], 1e9),
        (["touch", "-d", "2020-02-29T12:34:56+02:00", "a"], 1582972496.0),
        (["touch", "-d", "Feb 29 2020 1pm", "a"], 1582981200.0),
        (["touch", "-r", "b", "a"], (root / "b").stat().st_mtime),
    ):
        assert tools.run(argv, root) == {"stdout": "", "stderr": "", "exit": 0}
        assert (root / "a").stat().st_mtime == expected, argv


def test_copies_keep_times_when_asked(tools: Coreutils, tmp_path: Path) -> None:
    root = tmp_path / "root"
    build(root, TABLE["trees"]["plain"])
    assert tools.run(["cp", "-a", "dir", "copy"], root)["exit"] == 0
    for name in ("", "inner.txt", "sub", "sub/deep.txt"):
        assert (root / "copy" / name).stat().st_mtime == (root / "dir" / name).stat().st_mtime


def test_a_deep_tree_needs_no_stack(tools: Coreutils, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "/".join("d" * 400)).mkdir(parents=True)
    assert tools.run(["cp", "-r", "d", "copy"], root)["exit"] == 0
    assert len(tools.run(["find", "copy"], root)["stdout"].splitlines()) == 400
    assert tools.run(["rm", "-r", "copy"], root) == {"stdout": "", "stderr": "", "exit": 0}
    assert [path.name for path in root.iterdir()] == ["d"]


def test_pwd_believes_a_true_name_only(tools: Coreutils, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert tools.run(["pwd"], tmp_path)["stdout"] == "/\n"
    assert tools.run(["pwd", "-L"], tmp_path, env={"PWD": "/sub"})["stdout"] == "/\n"
    assert tools.run(["pwd", "-L"], tmp_path, env={"PWD": "/"})["stdout"] == "/\n"


def test_find_says_that_it_runs_no_programs(tools: Coreutils, tmp_path: Path) -> None:
    answer = tools.run(["find", ".", "-exec", "true", ";"], tmp_path)
    assert answer["exit"] == 1
    assert answer["stderr"].startswith("find: -exec: programs cannot be run from here")
