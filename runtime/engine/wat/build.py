"""Assembles the modules of this directory; run it after a change: `python -m runtime.engine.wat.build`.

The binary modules are in the tree, because assembling takes the `wasmtime` package, which no run imports.
"""

from __future__ import annotations

from pathlib import Path


def assembled(source: Path) -> bytes:
    """The binary form of a module in text form."""
    from wasmtime import wat2wasm

    return bytes(wat2wasm(source.read_text()))


if __name__ == "__main__":
    for each in sorted(Path(__file__).parent.glob("*.wat")):
        each.with_suffix(".wasm").write_bytes(assembled(each))
