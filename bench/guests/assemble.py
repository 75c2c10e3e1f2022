"""Make the guests of the works out of their texts: `python bench/guests/assemble.py` writes a `.wasm` beside each `.wat`."""

from __future__ import annotations

from pathlib import Path

from wasmtime import wat2wasm

HERE = Path(__file__).parent


def main() -> None:
    """Build all of them."""
    for source in sorted(HERE.glob("*.wat")):
        source.with_suffix(".wasm").write_bytes(bytes(wat2wasm(source.read_text())))


if __name__ == "__main__":
    main()
