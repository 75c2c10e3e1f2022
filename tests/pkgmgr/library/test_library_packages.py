"""Packages out of everything that they can be loaded from, projects, and images."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pkgmgr import (
    Container,
    Environment,
    Image,
    LoadPhase,
    LoadProgress,
    Package,
    Project,
    Sandbox,
    WpmError,
    load_packages,
)
from webc_parser import WebcError

if TYPE_CHECKING:
    from pkgmgr.library.package import PackageSource


def test_what_packages_are_loaded_from(hello_wasm: bytes, tmp_path: Path) -> None:
    (tmp_path / "tool.wasm").write_bytes(hello_wasm)
    project = Project.create(tmp_path / "p", name="me/p", dependencies=["wpm/hello"])
    webc = project.build(tmp_path / "p.webc")
    sources: list[PackageSource] = [
        "wpm/hello@^1",
        tmp_path / "tool.wasm",
        str(tmp_path / "tool.wasm"),
        hello_wasm,
        webc,
        webc.read_bytes(),
    ]
    loaded = load_packages([*sources, tmp_path / "p", memoryview(hello_wasm)])
    assert [package.commands for package in loaded] == [
        ("hello",),
        ("main",),
        ("main",),
        ("main",),
        ("hello",),
        ("hello",),
        ("hello",),
        ("main",),
    ]
    assert loaded[0].id == "wpm/hello@1.1.0"
    assert loaded[0].entrypoint == "hello"
    assert loaded[4].packages == ("me/p@0.1.0", "wpm/hello@2.0.0")
    assert Package.load(loaded[0]) is loaded[0]
    for package in loaded:
        assert Environment.of(package).run(package.commands[0], "x").stdout == b"Hello, x!\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"neither", "neither a .wasm module nor a .webc package"),
        (b"", "neither"),
        (b"\0webc002" + bytes(50), "at byte"),
        (Path("/missing.webc"), "/missing.webc"),
        ("wpm/hello@^9", "no version of wpm/hello"),
        ("not a source", "not a package"),
        ("", "empty"),
    ],
)
def test_what_cannot_be_loaded(source: str | bytes | Path, told: str) -> None:
    with pytest.raises(WpmError, match=told):
        Package.load(source)


def test_packages_in_memory(hello_wasm: bytes) -> None:
    package = Package.create(
        modules={"greet": hello_wasm},
        commands={"hi": "greet", "ho": "greet"},
        entrypoint="ho",
        files={"/data/x": "1", "/data/y": b"2"},
    )
    assert (package.commands, package.entrypoint) == (("hi", "ho"), "ho")
    with Sandbox([package, "wpm/coreutils"]) as sandbox:
        assert sandbox.run("cat", "/data/x", "/data/y").text() == "12"
        assert sandbox.run(package, "a").stdout == b"Hello, a!\n"
        assert sandbox.run(package.command("hi"), "b").text() == "Hello, b!\n"
        sandbox.fs.write("/data/x", "changed")
    assert Environment.of(package, "wpm/coreutils").run("cat", "/data/x").text() == "1"
    assert Package.create(modules={}, files={"/a": ""}).commands == ()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"modules": {"a": b"no"}}, "no WebAssembly"),
        ({"modules": {}, "commands": {"a": "b"}}, "has no module"),
        ({"modules": {}, "entrypoint": "x"}, "none of the commands"),
        ({"modules": {}, "files": {"relative": ""}}, "absolute"),
        ({"modules": {}, "files": {"/a/../b": ""}}, "absolute"),
        ({"modules": {}, "files": {"/a": "", "/a/b": ""}}, "on the way"),
        ({"modules": {}, "files": {"/a/b": "", "/a": ""}}, "directory"),
    ],
)
def test_packages_that_cannot_be_made(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(WpmError, match=told):
        Package.create(**arguments)  # type: ignore[arg-type]


def test_a_command_of_a_certain_package() -> None:
    old, new = load_packages(["wpm/hello@^1", "wpm/hello@^2"])
    environment = Environment.of(old, new)
    assert environment.commands == ("hello",)
    shout = ("--shout", "x")
    assert environment.run(old.command(), *shout).stdout != environment.run(new.command(), *shout).stdout
    assert environment.run("hello", *shout).stdout == environment.run(new, *shout).stdout
    with pytest.raises(WpmError, match="there is no command"):
        old.command("nope")
    with pytest.raises(WpmError, match="choose a command"):
        Environment.of("wpm/coreutils").run(Package.load("wpm/coreutils"))


def test_progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path))
    heard: list[LoadProgress] = []
    Package.load("wpm/hello", progress=heard.append)
    phases = [each.phase for each in heard]
    assert phases == sorted(phases, key=list(LoadPhase).index)
    assert set(phases) == set(LoadPhase)
    assert heard[-1].percent == 100.0
    assert not heard[-1].packages[0].cached
    heard.clear()
    Package.load("wpm/hello", progress=heard.append)
    assert (heard[-1].downloaded, heard[-1].total, heard[-1].percent) == (0, 0, 100.0)
    assert heard[-1].packages[0].cached

    def refuse(_: LoadProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Package.load("wpm/words", progress=refuse)
    assert capfd.readouterr() == ("", "")


def test_a_project(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "p"
    project = Project.create(root, name="me/p", description="Something")
    assert (project.name, project.version, project.packages, project.dependencies) == ("me/p", "0.1.0", (), {})
    project = project.add("wpm/hello@^1", "wpm/text-tools")
    assert project.dependencies == {"wpm/hello": "^1", "wpm/text-tools": "^1.2.0"}
    assert "hello" in project.commands
    assert Project.open(root).packages == project.packages
    environment = Project.open(root).lock().install()
    assert environment.run("hello", "x").text() == "Hello, x!\n"
    assert project.remove("wpm/text-tools").dependencies == {"wpm/hello": "^1"}
    locked = Project.open(root / "wasmer.toml").lock(check=True)
    assert [package.id for package in locked.packages] == ["wpm/hello@1.1.0"]
    assert locked.lock(resolution="lowest").packages[0].version == "1.0.0"
    assert Project.open(root).update("wpm/hello", install=False).packages[0].version == "1.1.0"
    (root / "wasmer.lock").unlink()
    with pytest.raises(WpmError, match="--locked"):
        Project.open(root).install(locked=True)
    with pytest.raises(WpmError, match="there is a project already"):
        Project.create(root)
    with pytest.raises(WpmError, match=r"no wasmer\.toml"):
        Project.open(tmp_path / "elsewhere")
    with pytest.raises(WpmError, match="not a package name"):
        project.add("a b")
    assert not (tmp_path / "wasmer.toml").exists()
    assert capfd.readouterr() == ("", "")


def test_images(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("note\n")
    image = Image.build(
        "wpm/coreutils", "wpm/hello", copy={"/data/": tmp_path / "note"}, env={"A": "b"}, labels={"l": "1"}, cwd="/data"
    )
    assert image.layers == ("base", "wpm/coreutils@1.0.0", "wpm/hello@2.0.0", "files", "settings")
    assert (image.entrypoint, image.env["A"], image.labels, image.conflicts) == (("/bin/hello",), "b", {"l": "1"}, ())
    assert image.read("/data/note") == b"note\n"
    assert {"bin/hello", "data/note", "tmp"} <= {file.path for file in image.files()}
    places: list[str | Path] = [
        image.write_directory(tmp_path / "dir"),
        tmp_path / "x.tar",
        tmp_path / "x.tar.zst",
        tmp_path / "x.webc",
    ]
    assert image.write_tar(places[1]) == image.digest
    image.write_tar(places[2])
    image.write_webc(places[3], name="me/image@1.0.0")
    first = image.write_oci(tmp_path / "oci", tag="one")
    assert first == image.write_oci(tmp_path / "oci2")
    for place in [*places, f"{tmp_path / 'oci'}:one"]:
        opened = Image.open(place)
        assert opened.run("hello", "x").text() == "Hello, x!\n"
        assert opened.run("cat", "/data/note").text() == "note\n"
    assert image.run().text() == "Hello, World!\n"
    assert image.run("cat", "note").text() == "note\n"
    with image.spawn("cat") as process:
        assert process.communicate("x").stdout == b"x"
    with (tmp_path / "open.tar").open("wb") as file:
        assert image.write_tar(file) == image.digest
    with pytest.raises(WpmError, match="exists already"):
        image.write_tar(places[1])
    image.write_tar(places[1], force=True)
    with pytest.raises(WpmError, match="no such file"):
        image.read("nothing")
    with pytest.raises(WpmError, match=r"there is no such file"):
        Image.open(tmp_path / "nothing")
    with pytest.raises(WpmError, match="absolute path"):
        Image.build("wpm/hello", copy={"x": tmp_path})
    with pytest.raises(WpmError, match="words in a list"):
        Image.build("wpm/hello", entrypoint="/bin/hello")
    with pytest.raises(WpmError, match="does not say what to run"):
        Image.build("wpm/coreutils").run()


def test_conflicts_are_told(hello_wasm: bytes) -> None:
    one, other = (Package.create(modules={name: hello_wasm}, files={"/x": name}) for name in ("a", "b"))
    image = Image.build(one, other)
    assert [(each.path, each.hidden, each.seen) for each in image.conflicts] == [("x", one.id, other.id)]
    assert image.read("x") == b"b"
    with pytest.raises(WpmError, match="strict forbids"):
        Image.build(one, other, strict=True)
    assert Image.build(Environment.of(one), other).digest == image.digest


def test_containers(tmp_path: Path) -> None:
    webc = Project.create(tmp_path / "p", name="me/p", dependencies=["wpm/hello"]).build(tmp_path / "p.webc")
    with Container.open(webc) as container:
        assert container.manifest.package.name == "me/p"
    with pytest.raises(WebcError):
        Container.from_bytes(b"nothing")
