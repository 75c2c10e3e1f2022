"""Assembles the modules of this directory; run it after a change: `python -m runtime.engine.wat.build`.

The binary modules are in the tree, because assembling takes the `wasmtime` package, which no run imports.
"""

from __future__ import annotations

from pathlib import Path

SHARED = '(import "guest" "memory" (memory $guest 0 65536 shared))'
OWN = '(import "guest" "memory" (memory $guest 0))'
"""The guest's memory, as a guest has it that exports it."""


def assembled(source: Path) -> dict[str, bytes]:
    """The binary forms of a module in text form, by name.

    What serves every guest has two: one for a memory that is shared, and one (`_own`) for that of a guest of preview 1.
    """
    from wasmtime import wat2wasm

    text = source.read_text()
    built = {source.stem: bytes(wat2wasm(text))}
    if source.stem in {"clock", "desk"}:
        built[f"{source.stem}_own"] = bytes(wat2wasm(text.replace(SHARED, OWN)))
    return built


if __name__ == "__main__":
    for each in sorted(Path(__file__).parent.glob("*.wat")):
        for name, wasm in assembled(each).items():
            each.with_name(f"{name}.wasm").write_bytes(wasm)
