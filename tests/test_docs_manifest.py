"""The reference of `wasmer.toml` is whole: it has every key that the reader asks for, no other, and examples that it reads."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from transcripts import ROOT, blocks

from pkgmgr.manifest import ProjectManifest, parse_manifest
from pkgmgr.manifest.annotations import WASI_LISTS, WASI_STRINGS
from pkgmgr.manifest.fields import Table

DOCUMENT = (ROOT / "docs" / "reference" / "wasmer-toml.md").read_text(encoding="utf-8")
SECTIONS = {
    "package": "`[package]`",
    "fs": "`[fs]`",
    "wpm": "`[wpm]`",
    "module": "`[[module]]`",
    "module.bindings": "`[module.bindings]`",
    "module.annotations": "`[module.annotations]`",
    "command": "`[[command]]`",
}
"""The heading of each table's keys."""


def documented(heading: str) -> set[str]:
    """The keys of the tables below a heading, up to the next one."""
    section = re.split(r"^#+ ", DOCUMENT.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| `([^`]+)` \| [a-z]", section, re.MULTILINE)
    return set(rows)


def examples() -> list[str]:
    return [block.text for block in blocks(DOCUMENT) if block.language == "toml"]


def parsed(text: str) -> ProjectManifest:
    return parse_manifest(text, Path("/somewhere/wasmer.toml"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The keys that the reader asks for in all the examples, by table."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    value = Table.value

    def noted(table: Table, key: str, kind: type[Any], advice: str = "") -> Any:
        place = re.sub(r"\[[0-9]+\]", "", table.key)
        found["fs" if place.startswith("fs") else place].add(key)
        return value(table, key, kind, advice)

    monkeypatch.setattr(Table, "value", noted)
    for text in examples():
        assert not parsed(text).warnings, text
    return found


def test_every_key_is_explained(asked: dict[str, set[str]]) -> None:
    hints = asked.pop("module.annotations.suggested_compiler_optimizations")
    asked["module.annotations"] |= {f"suggested_compiler_optimizations.{key}" for key in hints}
    asked["fs"] = {key for key in asked["fs"] if not key.startswith("/")}
    del asked["dependencies"], asked["module.interfaces"]
    assert asked.pop("") == {"package", "dependencies", "wpm", "fs", "module", "command"}
    asked["fs"].add("guest")
    assert {place: keys for place, keys in asked.items() if place} == {
        place: documented(heading) for place, heading in SECTIONS.items()
    }


def test_every_annotation_that_is_read_is_explained() -> None:
    assert documented("`[command.annotations.wasi]`") == {*WASI_STRINGS, *WASI_LISTS}


def test_the_kinds_of_requirements_are_read() -> None:
    section = DOCUMENT.partition("| value | what it takes |")[2].partition("\n\n")[0]
    shown = [each for row in section.splitlines()[2:] for each in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(shown) > 8
    for text in (each for each in shown if "…" not in each):
        value = text.replace("HEX", "0" * 64)
        parsed(f'[dependencies]\n"acme/a" = "{value}"\n')
