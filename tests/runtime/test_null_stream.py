"""A guest that is given no standard streams: `tests/runtime/test_stdio.py` has the others."""

from __future__ import annotations

from pathlib import Path

from binfactory.modules import ModuleCache, WasmBytes
from binfactory.programs import ModuleProgram
from runtime.abi.filetype import Filetype
from runtime.env import WasiEnvBuilder
from runtime.null_stream import NullStream
from runtime.stdio import OutputBuffer

_COREUTILS = Path(__file__).parents[2] / "registry_fixtures" / "sources" / "coreutils" / "1.0.0" / "coreutils.wasm"


def test_it_is_empty_and_takes_everything() -> None:
    stream = NullStream()
    assert stream.readv([memoryview(bytearray(8))], 0) == 0
    assert stream.writev([memoryview(b"abc"), memoryview(b"de")], 0) == 5
    assert stream.append([memoryview(b"abc")]) == (3, 0)
    assert stream.stat().filetype is stream.filetype is Filetype.UNKNOWN
    assert stream.fileno() is None
    stream.close()


def test_a_guest_reads_the_end_and_writes_into_nothing() -> None:
    module = ModuleProgram("cat", WasmBytes.of(_COREUTILS.read_bytes(), "coreutils"), ModuleCache(None)).module()
    output = OutputBuffer()
    assert WasiEnvBuilder("cat").stdout(output).build().run(module) == 0
    assert output.getvalue() == b""
    assert WasiEnvBuilder("echo").args(["x"]).build().run(module) == 0
