"""The text tools of coreutils answer as the GNU tools did when `record_text_cases.py` asked them."""

import json
from pathlib import Path
from typing import Any

import pytest
from wasi_module import WasiModule

HERE = Path(__file__).parent
WASM = HERE.parents[1] / "registry_fixtures" / "sources" / "coreutils" / "1.0.0" / "coreutils.wasm"
CASES: list[dict[str, Any]] = json.loads((HERE / "cases" / "text.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def coreutils() -> WasiModule:
    return WasiModule(WASM)


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["args"])[:60])
def test_as_gnu(case: dict[str, Any], coreutils: WasiModule, tmp_path: Path) -> None:
    for name, text in case.get("files", {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(as_bytes(text))
    env = {"LC_ALL": "C"} | case.get("env", {})
    status, out, err = coreutils.run(case["args"], tmp_path, as_bytes(case.get("stdin", "")), env)
    assert out == as_bytes(case["stdout"])
    assert err == as_bytes(case["stderr"])
    assert status == case["exit"]
    for name, text in case.get("written", {}).items():
        assert (tmp_path / name).read_bytes() == as_bytes(text)


def test_recursive_grep(coreutils: WasiModule, tmp_path: Path) -> None:
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    for name in ("tree/a.txt", "tree/b.log", "tree/sub/c.txt"):
        (tmp_path / name).write_text("needle\nother\n")
    assert coreutils.run(["grep", "-rl", "needle", "tree"], tmp_path)[1] == b"tree/a.txt\ntree/b.log\ntree/sub/c.txt\n"
    assert coreutils.run(["grep", "-rlc", "--include=*.txt", "needle"], tmp_path)[1].count(b".txt") == 4
    assert (
        coreutils.run(["grep", "-rl", "--exclude-dir=sub", "--exclude=*.log", "needle", "tree"], tmp_path)[1]
        == b"tree/a.txt\n"
    )


def test_a_pattern_cannot_make_grep_slow(coreutils: WasiModule, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a" * 5000 + "\n")
    assert coreutils.run(["grep", "-cE", "^(a*)*(a|a?)+b$", "a.txt"], tmp_path)[1] == b"0\n"
    (tmp_path / "b.txt").write_text("a" * 60 + "\n")
    assert coreutils.run(["grep", "-cE", r"^(a*)*(a|a?)+\1b$", "b.txt"], tmp_path)[1] == b"0\n"


def test_sort_of_many_lines(coreutils: WasiModule, tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("".join(f"{n}\n" for n in range(200_000)))
    status, out, _ = coreutils.run(["sort", "-rn", "n.txt"], tmp_path)
    assert status == 0
    assert out.splitlines() == [b"%d" % n for n in range(199_999, -1, -1)]
