"""`wpm build`, `wpm inspect` and `wpm unpack`, as they are typed."""

import asyncio
import json
from pathlib import Path

import pytest

from pkgmgr.cli.main import main

MANIFEST = """
[package]
name = "wpm/demo"
version = "1.0.0"
description = "Shows \\u001b[31mred\\nand more"
readme = "README.md"
licence = "MIT"

[dependencies]
"wpm/data" = "1"

[fs]
"/opt/share" = "share"

[[module]]
name = "demo"
source = "demo.wasm"

[[command]]
name = "demo"
module = "demo"
runner = "wasi"
annotations = { wasi = { main-args = ["a b"], env = ["X=1"], cwd = "/opt" } }

[[command]]
name = "other"
module = "wpm/data:tool"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "demo"
    (root / "share").mkdir(parents=True)
    (root / "wasmer.toml").write_text(MANIFEST)
    (root / "README.md").write_text("# demo")
    (root / "demo.wasm").write_bytes(b"\0asm\1\0\0\0")
    (root / "share" / "note.txt").write_text("x" * 1234)
    (root / "share" / "link").symlink_to("note.txt")
    return root


def test_build_inspect_unpack(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = project.parent
    assert main(["build", str(project), "-o", str(out / "demo.webc")]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{out}/demo.webc: ") and "sha256" in told.out
    assert (
        told.err
        == f"wpm: warning: {project}/wasmer.toml: package.licence: unknown key, ignored: did you mean license?\n"
    )

    assert main(["inspect", str(out / "demo.webc"), "--files"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    for line in (
        "wpm/demo 1.0.0",
        "  description: Shows \\u{1b}[31mred\\u{a}and more",
        "  readme: /README.md in metadata",
        "  wpm/data@^1",
        '  demo: demo, runner wasi, main args "a b", env X=1, cwd /opt',
        "  other: wpm/data:tool, runner wasi",
        "  demo: 8 bytes, sha256 93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476",
        "  /share: 1 file, 1 link, 1,234 bytes",
        "           1,234  /note.txt",
        "                  /link -> note.txt",
        "  /opt/share: volume /share",
    ):
        assert line in text.splitlines()

    assert main(["unpack", str(out / "demo.webc"), "-o", str(out / "unpacked")]) == 0
    assert capsys.readouterr().out == f"{out}/unpacked: unpacked\n"
    assert main(["build", str(out / "unpacked"), "-o", str(out / "again.webc")]) == 0
    assert (out / "again.webc").read_bytes() == (out / "demo.webc").read_bytes()


def test_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = project.parent / "demo.webc"
    assert main(["build", str(project), "-o", str(target), "--format", "v2", "--json"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert (built["path"], built["name"], built["version"], built["format"]) == (str(target), "wpm/demo", "1.0.0", "v2")
    assert (built["size"], built["commands"]) == (target.stat().st_size, ["demo", "other"])
    assert main(["inspect", str(target), "--json", "--files"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["version"], shown["sha256"], shown["size"]) == ("v2", built["sha256"], built["size"])
    assert shown["package"]["description"] == "Shows \x1b[31mred\nand more"
    assert shown["commands"]["demo"] == {
        "runner": "https://webc.org/runner/wasi",
        "kind": "wasi",
        "module": "demo",
        "dependency": None,
        "main_args": ["a b"],
        "env": {"X": "1"},
        "exec_name": None,
        "cwd": "/opt",
    }
    assert shown["volumes"]["/share"]["entries"][-1] == {"path": "/note.txt", "type": "file", "size": 1234}
    assert shown["mounts"] == [{"path": "/opt/share", "volume": "/share", "subpath": None, "from": None}]


def test_errors_are_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "demo.wasm").unlink()
    (project.parent / "text.webc").write_text("no container")
    for line in (
        ["build", str(project), "-o", str(project / "x.webc")],
        ["build", str(project.parent / "nowhere")],
        ["inspect", str(project.parent / "text.webc")],
        ["inspect", str(project.parent / "nowhere.webc")],
        ["unpack", str(project.parent / "text.webc"), "-o", str(project.parent / "out")],
    ):
        assert main(line) == 1
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith("wpm: ") and told.err.count("\n") == 1
    assert not (project.parent / "out").exists() and not (project / "x.webc").exists()


@pytest.mark.parametrize(
    "name", ["dash-1.0.18", "hello-0.1.0", "staticserver", "volume-static-webserver-0.1.0", "wabt-1.0.37"]
)
def test_published_packages(conformance: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["inspect", str(conformance / "webc" / f"{name}.webc"), "--files"]) == 0
    assert "format: WEBC v" in capsys.readouterr().out


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_what_we_build_runs_in_wasmer(
    conformance: Path, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wasmer_sdk = pytest.importorskip("wasmer_sdk")
    monkeypatch.chdir(tmp_path)  # the peer may leave a cache in the working directory
    wasm = conformance / "wasm"
    (tmp_path / "catsay.wasm").write_bytes((wasm / "catsay.wasm").read_bytes())
    (tmp_path / "qjs.wasm").write_bytes((wasm / "qjs.wasm").read_bytes())
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "hi.js").write_text("print('from the volume', scriptArgs.length)")
    (tmp_path / "wasmer.toml").write_text(
        "fs = { '/opt/share' = 'share' }\n"
        "module = [{ name = 'catsay', source = 'catsay.wasm' }, { name = 'qjs', source = 'qjs.wasm' }]\n"
        "command = [{ name = 'say', module = 'catsay' },"
        " { name = 'js', module = 'qjs', main_args = '/opt/share/hi.js' }]\n"
    )
    assert main(["build", str(tmp_path), "-o", str(tmp_path / "x.webc"), "--format", version]) == 0

    async def run() -> list[str]:
        async with wasmer_sdk.Wasmer(cache_root=tmp_path / "cache") as wasmer:
            package = await wasmer.packages.load(tmp_path / "x.webc")
            async with await wasmer.sandboxes.create(packages=[package]) as box:
                commands = [box.command(package.command("say"), ["hello"]), box.command(package.command("js"), ["z"])]
                return [(await command.run()).stdout.text() for command in commands]

    said, told = asyncio.run(run())
    cases = {case["name"]: case for case in json.loads((conformance / "cases.json").read_text())}
    assert said == cases["catsay"]["expect"]["stdout"]
    assert told == "from the volume 2\n"
