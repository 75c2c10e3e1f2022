"""Why there is no resolution, told down to the lines of the manifest: through the command line, with real packages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_packages import RegistryMaker, write_package

from pkgmgr.cli.main import main
from pkgmgr.manifest.positions import find_lines

MANIFEST = """# A project
[package]
description = \"\"\"
[dependencies]
"acme/tool" = "9"
\"\"\"

[dependencies]
# The tool.
"acme/tool" = "^1"  # of acme
own = "acme/lib@^1"
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryMaker:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "store"))
    maker = RegistryMaker(tmp_path / "registry")
    monkeypatch.setenv("WPM_REGISTRY", str(maker.root))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return maker


def refused(manifest: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    Path("wasmer.toml").write_text(manifest)
    assert main(["lock"]) == 1
    assert not Path("wasmer.lock").exists()
    return capsys.readouterr().err.splitlines()


def test_a_conflict_is_a_chain_of_reasons_from_two_lines(
    registry: RegistryMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.add("acme/tool", "1.0.0", {"acme/middle": "^2"})
    registry.add("acme/tool", "1.4.0", {"acme/middle": "^2"})
    registry.add("acme/middle", "2.1.0", {"acme/lib": "^3"})
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        registry.add("acme/lib", version)
    assert refused(MANIFEST, capsys) == [
        "wpm: no version of acme/lib satisfies everyone who needs it",
        '  wasmer.toml:11: "own" = "acme/lib@^1"',
        '  wasmer.toml:10: "acme/tool" = "^1"',
        "    acme/tool@1.4.0 needs acme/middle ^2",
        "      acme/middle@2.1.0 needs acme/lib ^3",
        "  versions of acme/lib: 3.0.0, 2.0.0, 1.0.0",
        "  no other version of acme/tool helps",
    ]


def test_a_package_that_is_not_there_far_below(registry: RegistryMaker, capsys: pytest.CaptureFixture[str]) -> None:
    registry.add("acme/tool", "1.0.0", {"acme/libary": "*"})
    registry.add("acme/library", "1.0.0")
    assert refused('[dependencies]\n"acme/tool" = "*"\n', capsys) == [
        "wpm: there is no package acme/libary in its registry: is acme/library meant?",
        '  wasmer.toml:2: "acme/tool" = "*"',
        "    acme/tool@1.0.0 needs acme/libary *",
    ]


def test_a_path_against_a_version(registry: RegistryMaker, capsys: pytest.CaptureFixture[str]) -> None:
    registry.add("acme/tool", "1.0.0", {"acme/lib": "^1"})
    registry.add("acme/lib", "1.0.0")
    write_package(Path("lib.webc"), "acme/lib", "2.0.0")
    lines = refused('[dependencies]\n"acme/tool" = "*"\n"acme/lib" = "./lib.webc"\n', capsys)
    assert lines[:4] == [
        "wpm: no version of acme/lib satisfies everyone who needs it",
        '  wasmer.toml:3: "acme/lib" = "./lib.webc" is acme/lib@2.0.0',
        '  wasmer.toml:2: "acme/tool" = "*"',
        "    acme/tool@1.0.0 needs acme/lib ^1",
    ]


def test_a_path_satisfies_those_who_ask_for_the_name(
    registry: RegistryMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.add("acme/tool", "1.0.0", {"acme/lib": "^1"})
    registry.add("acme/lib", "1.9.0")
    write_package(Path("lib.webc"), "acme/lib", "1.2.0")
    Path("wasmer.toml").write_text('[dependencies]\n"acme/tool" = "*"\n"acme/lib" = "./lib.webc"\n')
    assert main(["lock"]) == 0
    assert "+ acme/lib 1.2.0" in capsys.readouterr().out
    assert 'source = "path:./lib.webc"' in Path("wasmer.lock").read_text()


def test_the_lowest_versions_by_the_command_line(registry: RegistryMaker, capsys: pytest.CaptureFixture[str]) -> None:
    for version in ("1.0.0", "1.1.0"):
        registry.add("acme/tool", version, {"acme/lib": "^1"})
        registry.add("acme/lib", version)
    Path("wasmer.toml").write_text('[dependencies]\n"acme/tool" = "1"\n')
    assert main(["lock"]) == 0
    assert main(["lock", "--check", "--resolution", "lowest"]) == 1
    assert "--locked" in capsys.readouterr().err
    assert main(["lock", "--resolution", "lowest"]) == 0
    assert "acme/lib 1.1.0 -> 1.0.0\nacme/tool 1.1.0 -> 1.0.0" in capsys.readouterr().out
    assert main(["install", "--resolution", "lowest-direct"]) == 0
    assert main(["lock"]) == 0
    assert {"acme/lib@1.1.0", "acme/tool@1.0.0"} == {
        f"{name}@{version}"
        for name in ("acme/lib", "acme/tool")
        for version in ("1.0.0", "1.1.0")
        if f'name = "{name}"\nversion = "{version}"' in Path("wasmer.lock").read_text()
    }


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('dependencies = { "a/b" = "1", c = "2" }', {"a/b": 1, "c": 1}),
        ('dependencies."a/b" = "1"\ndependencies.c = "2"', {"a/b": 1, "c": 2}),
        ('[[module]]\nname = "x"\n[ dependencies ] # these\n\n\'a/b\' = "1"\n[package]\n"c" = "2"', {"a/b": 5}),
        ('[fs]\n"dependencies" = "x"\n[dependencies]\nc = """1"""\nd = "2"\r', {"c": 4, "d": 5}),
        ('[dependencies.c]\nversion = "1"', {}),
        ("[dependencies\n[[[\n= =", {}),
    ],
)
def test_where_dependencies_are(text: str, lines: dict[str, int]) -> None:
    assert find_lines(text) == lines


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="[]dependcis=\"'.a/b1{}#\n \\", max_size=80))
def test_any_text_has_lines(text: str) -> None:
    assert all(0 < number <= text.count("\n") + 1 for number in find_lines(text).values())
