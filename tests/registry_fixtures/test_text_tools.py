"""The text tools of coreutils answer as the GNU tools did when `record_text_cases.py` asked them."""

import json
from pathlib import Path
from typing import Any

import pytest
import wasmtime

HERE = Path(__file__).parent
WASM = HERE.parents[1] / "registry_fixtures" / "sources" / "coreutils" / "1.0.0" / "coreutils.wasm"
CASES: list[dict[str, Any]] = json.loads((HERE / "cases" / "text.json").read_text())


class Coreutils:
    """The module, compiled once, run by wasmtime's own WASI in a folder that the guest sees as its root."""

    def __init__(self) -> None:
        self.engine = wasmtime.Engine()
        self.module = wasmtime.Module.from_file(self.engine, str(WASM))
        self.linker = wasmtime.Linker(self.engine)
        self.linker.define_wasi()

    def run(
        self, arguments: list[str], folder: Path, streams: Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run one command; its status, what it printed and what it complained about."""
        (streams / "in").write_bytes(stdin)
        wasi = wasmtime.WasiConfig()
        wasi.argv = arguments
        wasi.env = list((env or {}).items())
        wasi.preopen_dir(str(folder), "/")
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
        return status, (streams / "out").read_bytes(), (streams / "err").read_bytes()


@pytest.fixture(scope="session")
def coreutils() -> Coreutils:
    return Coreutils()


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["args"])[:60])
def test_as_gnu(case: dict[str, Any], coreutils: Coreutils, tmp_path: Path) -> None:
    folder, streams = tmp_path / "root", tmp_path / "streams"
    folder.mkdir()
    streams.mkdir()
    for name, text in case.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(as_bytes(text))
    env = {"LC_ALL": "C"} | case.get("env", {})
    status, out, err = coreutils.run(case["args"], folder, streams, as_bytes(case.get("stdin", "")), env)
    assert out == as_bytes(case["stdout"])
    assert err == as_bytes(case["stderr"])
    assert status == case["exit"]
    for name, text in case.get("written", {}).items():
        assert (folder / name).read_bytes() == as_bytes(text)
