"""Packages: whose commands, whose files, which entrypoint; and what is told when something is missing."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from factory_packages import WASI, command, exit_with, mounted, opened, pack
from hypothesis import given, settings
from hypothesis import strategies as st

from binfactory.errors import FactoryError
from binfactory.loader import Mount, PackageNode, load_package
from binfactory.opened import signature_sha256
from binfactory.package import normal_path
from webc_parser import Version

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, TWO = exit_with(1), exit_with(2)


def node(name: str, dependencies: dict[str, PackageNode] | None = None, /, **parts: Any) -> PackageNode:
    return PackageNode(name, container=opened(pack(name, **parts)), dependencies=dependencies or {})


def test_a_command_has_its_module_uncopied() -> None:
    data = pack("wpm/one@1.0.0", atoms={"a": ONE, "b": TWO}, commands={"run": command("b", main_args=["-x"])})
    package = load_package(PackageNode("wpm/one@1.0.0", container=opened(data)))
    run = package.command("run")
    assert (run.name, run.package, run.origin_package, run.atom_name) == ("run", package.id, package.id, "b")
    assert run.atom == TWO
    assert run.atom.readonly and data.find(TWO) > 0
    assert run.atom_sha256 == sha256(TWO).hexdigest()
    assert run.main_args == ("-x",)
    assert run.runner == WASI and run.runs_as_program


@pytest.mark.parametrize("version", [Version.V2, Version.V3])
def test_a_command_runs_a_dependencys_module(version: Version) -> None:
    tools = node("wpm/tools@2.1.0", atoms={"box": TWO}, version=version)
    root = node(
        "wpm/app@1.0.0",
        {"tools": tools},
        atoms={"box": ONE},
        commands={"go": command("box", "tools", main_args=["ls"]), "by-name": command("box", "wpm/tools")},
        use={"tools": "wpm/tools@^2"},
        version=version,
    )
    package = load_package(root)
    for name in ("go", "by-name"):
        found = package.command(name)
        assert (found.package, found.origin_package) == ("wpm/app@1.0.0", "wpm/tools@2.1.0")
        assert found.atom == TWO
    assert package.uses == ("wpm/tools@2.1.0",)


def test_commands_of_dependencies_come_along_and_the_nearest_wins() -> None:
    deep = node("wpm/deep@1.0.0", atoms={"a": TWO}, commands={"same": command("a"), "deep": command("a")})
    left = node("wpm/left@1.0.0", {"deep": deep}, atoms={"a": TWO}, commands={"both": command("a")})
    right = node("wpm/right@1.0.0", atoms={"a": TWO}, commands={"both": command("a"), "right": command("a")})
    package = load_package(
        node("wpm/root@1.0.0", {"l": left, "r": right}, atoms={"a": ONE}, commands={"same": command("a")})
    )
    assert {name: package.commands[name].package.split("@")[0] for name in package.commands} == {
        "same": "wpm/root",
        "both": "wpm/left",
        "deep": "wpm/deep",
        "right": "wpm/right",
    }
    assert package.own_commands == ("same",)
    assert package.package_ids[0] == "wpm/root@1.0.0"
    assert package.package_ids.index("wpm/left@1.0.0") < package.package_ids.index("wpm/right@1.0.0")


def test_a_diamond_is_one_package() -> None:
    base = node("wpm/base@1.0.0")
    again = PackageNode("wpm/base@1.0.0", container=base.container)
    package = load_package(node("wpm/top@1.0.0", {"a": node("wpm/a@1.0.0", {"b": base}), "b": again}))
    assert package.package_ids == ("wpm/top@1.0.0", "wpm/a@1.0.0", "wpm/base@1.0.0")


class TestEntrypoint:
    def test_the_packages_own(self) -> None:
        commands = {"a": command("m"), "b": command("m")}
        package = load_package(node("n/p@1.0.0", atoms={"m": ONE}, commands=commands, entrypoint="b"))
        assert package.entrypoint_command().name == "b"
        assert package.hash == sha256(ONE).hexdigest()

    def test_a_dependencys_when_the_package_has_none(self) -> None:
        shell = node("n/sh@1.0.0", atoms={"m": TWO}, commands={"sh": command("m")}, entrypoint="sh")
        package = load_package(node("n/p@1.0.0", {"sh": shell}))
        assert package.entrypoint_command().package == "n/sh@1.0.0"

    def test_the_only_command(self) -> None:
        other = node("n/o@1.0.0", atoms={"m": TWO}, commands={"x": command("m"), "y": command("m")})
        package = load_package(node("n/p@1.0.0", {"o": other}, atoms={"m": ONE}, commands={"only": command("m")}))
        assert package.entrypoint_command().name == "only"

    def test_several_commands_have_to_be_chosen_from(self) -> None:
        package = load_package(node("n/p@1.0.0", atoms={"m": ONE}, commands={"b": command("m"), "a": command("m")}))
        with pytest.raises(FactoryError, match=r"n/p@1\.0\.0: .*no entrypoint.*commands: a, b"):
            package.entrypoint_command()
        assert package.command_called("a").name == "a"

    def test_data_only(self) -> None:
        package = load_package(node("n/p@1.0.0"))
        with pytest.raises(FactoryError, match="no commands"):
            package.entrypoint_command()
        assert len(package.hash) == 64

    def test_one_that_does_not_exist(self) -> None:
        package = load_package(node("n/p@1.0.0", atoms={"m": ONE}, commands={"a": command("m")}, entrypoint="gone"))
        with pytest.raises(FactoryError, match=r'no command "gone" \(commands: a\)'):
            package.entrypoint_command()


class TestAtoms:
    def test_a_wasi_command_without_an_atom_has_the_one_of_its_name(self) -> None:
        package = load_package(node("n/p@1.0.0", atoms={"a": ONE, "b": TWO}, commands={"b": {"runner": WASI}}))
        assert package.command("b").atom == TWO

    def test_a_bare_command_of_another_name_has_the_first(self) -> None:
        package = load_package(node("n/p@1.0.0", atoms={"box": ONE}, commands={"ls": {"runner": WASI + "@unstable_"}}))
        assert package.command("ls").atom == ONE

    def test_a_named_atom_must_be_there(self) -> None:
        package = load_package(node("n/p@1.0.0", atoms={"a": ONE}, commands={"x": command("b")}))
        with pytest.raises(FactoryError, match=r'n/p@1\.0\.0: command "x": its module "b" is not in .*\(atoms: a\)'):
            package.command("x")

    def test_an_unknown_runner_without_a_module_is_left_out(self) -> None:
        commands = {"pic": {"runner": "https://webc.org/runner/slideshow"}, "run": command("a")}
        package = load_package(node("n/p@1.0.0", atoms={"a": ONE}, commands=commands))
        assert list(package.commands) == ["run"]
        assert package.entrypoint == "run"

    def test_a_missing_dependency_is_named(self) -> None:
        package = load_package(node("n/p@1.0.0", commands={"x": command("b", "tools")}))
        with pytest.raises(FactoryError, match=r'n/p@1\.0\.0: command "x": .*dependency "tools".*dependencies: none'):
            package.command("x")

    def test_annotations_of_the_wrong_type(self) -> None:
        broken = {"runner": WASI, "annotations": {"atom": {"name": 7}}}
        package = load_package(node("n/p@1.0.0", atoms={"a": ONE}, commands={"x": broken}))
        with pytest.raises(FactoryError, match=r'n/p@1\.0\.0: command "x"'):
            package.command("x")


class TestHostileNames:
    @pytest.mark.parametrize("name", ["../../etc/passwd", "..", ".", "", "a/b", "x" * 300])
    def test_of_a_command(self, name: str) -> None:
        package = load_package(node("n/p@1.0.0", atoms={"a": ONE}, commands={name: command("a")}))
        with pytest.raises(FactoryError, match=r"n/p@1\.0\.0: .* cannot name a command"):
            list(package.commands)
        with pytest.raises(FactoryError, match="cannot name a command"):
            list(load_package(PackageNode("n/q@1.0.0", commands=(name,), sha256="00")).commands)

    @pytest.mark.parametrize("wasi", [{"main_args": ["a\0b"]}, {"env": ["A=\0"]}, {"exec_name": "x\0"}, {"cwd": "/\0"}])
    def test_in_the_annotations(self, wasi: dict[str, Any]) -> None:
        package = load_package(node("n/p@1.0.0", atoms={"a": ONE}, commands={"x": command("a", **wasi)}))
        with pytest.raises(FactoryError, match=r'command "x": .* NUL'):
            package.command("x")

    @given(st.text(max_size=20))
    def test_quoted_in_an_error_is_one_harmless_line(self, name: str) -> None:
        package = load_package(node("n/p@1.0.0", commands={"x": command("m", "\n\x1b[31m" + name)}))
        with pytest.raises(FactoryError) as caught:
            package.command("x")
        assert str(caught.value).isprintable()


class TestCycles:
    def test_a_circle_is_named(self) -> None:
        inner: dict[str, PackageNode] = {}
        a = PackageNode("n/a@1.0.0", dependencies=inner)
        inner["b"] = PackageNode("n/b@1.0.0", dependencies={"a": a})
        with pytest.raises(FactoryError, match=r"cycle: n/a@1\.0\.0 -> n/b@1\.0\.0 -> n/a@1\.0\.0"):
            load_package(a)

    def test_a_long_chain_is_no_problem(self) -> None:
        last = PackageNode("n/last@1.0.0")
        for number in range(5000):
            last = PackageNode(f"n/p{number}@1.0.0", dependencies={"next": last})
        assert len(load_package(last).package_ids) == 5001

    @given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4), max_size=10))
    @settings(max_examples=60)
    def test_dependents_come_before_their_dependencies(self, edges: dict[int, list[int]]) -> None:
        tables: list[dict[str, PackageNode]] = [{} for _ in range(10)]
        nodes = [PackageNode(str(number), dependencies=tables[number]) for number in range(10)]
        for start, ends in edges.items():
            tables[start].update({str(end): nodes[end] for end in ends if end > start})
        order = load_package(nodes[0]).package_ids
        assert len(set(order)) == len(order)
        for number in order:
            for below in tables[int(number)]:
                assert order.index(number) < order.index(below)


class TestLaziness:
    def test_nothing_is_opened_before_it_is_used(self, on_disk: Callable[[str, bytes], Path]) -> None:
        data = pack("n/p@1.0.0", atoms={"m": ONE}, commands={"x": command("m")}, entrypoint="x")
        path, digest = on_disk("p", data), sha256(data).hexdigest()
        gone = PackageNode("n/gone@1.0.0", Path("/nowhere/gone.webc"), commands=("y",), mounts=(), sha256="00")
        package = load_package(PackageNode("n/p@1.0.0", path, dependencies={"gone": gone}, mounts=(), sha256=digest))
        assert list(package.commands) == ["x", "y"]
        assert package.mounts == ()
        assert package.entrypoint_command().atom == ONE
        with pytest.raises(FactoryError, match=r"n/gone@1\.0\.0: cannot open /nowhere/gone\.webc"):
            package.command("y")

    def test_the_lock_may_be_wrong_about_commands(self) -> None:
        container = opened(pack("n/p@1.0.0", atoms={"m": ONE}, commands={"x": command("m")}))
        package = load_package(PackageNode("n/p@1.0.0", container=container, commands=("x", "z"), sha256="00"))
        assert package.command("x").atom == ONE
        with pytest.raises(FactoryError, match=r'commands\."z" is missing'):
            package.command("z")
        unvouched = load_package(PackageNode("n/p@1.0.0", container=container, commands=("x", "z")))
        assert list(unvouched.commands) == ["x"]

    def test_a_package_that_is_not_installed(self) -> None:
        with pytest.raises(FactoryError, match="not installed"):
            list(load_package(PackageNode("n/p@1.0.0")).commands)

    def test_a_file_that_is_no_container(self, on_disk: Callable[[str, bytes], Path]) -> None:
        with pytest.raises(FactoryError, match=r"n/p@1\.0\.0: .*p\.webc.*not a WEBC container"):
            list(load_package(PackageNode("n/p@1.0.0", on_disk("p", b"hello, world"))).commands)


class TestChecksums:
    def lying(self) -> bytes:
        """A container whose manifest gives the checksum of another module."""
        data = bytearray(pack("n/p@1.0.0", atoms={"m": ONE}, commands={"x": command("m")}))
        at = data.find(ONE)
        data[at : at + len(TWO)] = TWO
        return bytes(data)

    def test_a_manifest_that_nobody_vouches_for_is_not_believed(self) -> None:
        package = load_package(PackageNode("n/p@1.0.0", container=opened(self.lying())))
        with pytest.raises(FactoryError, match=r'n/p@1\.0\.0: atom "m" does not match its signature in the manifest'):
            assert package.command("x").atom_sha256

    def test_a_manifest_that_the_lock_vouches_for_is(self) -> None:
        package = load_package(PackageNode("n/p@1.0.0", container=opened(self.lying()), sha256="ab"))
        assert package.command("x").atom_sha256 == sha256(ONE).hexdigest()

    @given(st.binary(min_size=32, max_size=32))
    def test_both_spellings_of_a_signature(self, digest: bytes) -> None:
        from base64 import b64encode

        assert signature_sha256("sha256:" + b64encode(digest).decode()) == digest.hex()
        assert signature_sha256("sha256:" + digest.hex()) == digest.hex()

    @given(st.text())
    def test_anything_else_is_no_signature(self, text: str) -> None:
        assert signature_sha256(text) is None or len(str(signature_sha256(text))) == 64


class TestMounts:
    def test_own_and_borrowed_volumes(self) -> None:
        data = node("n/data@1.0.0", volumes={"share": {"a.txt": b"A"}}, fs=[])
        package = load_package(
            node(
                "n/p@1.0.0",
                {"data": data},
                volumes={"/assets": {"x": b"1"}},
                fs=[mounted("/assets", "/assets"), mounted("/data", "share", "data")],
            )
        )
        assert [(m.guest_path, m.package, m.volume) for m in package.mounts] == [
            ("/assets", "n/p@1.0.0", "/assets"),
            ("/data", "n/data@1.0.0", "share"),
        ]
        assert bytes(package.mounts[1].directory.entries["a.txt"].content) == b"A"  # type: ignore[union-attr]

    def test_a_missing_dependency_and_a_missing_volume_are_named(self) -> None:
        package = load_package(node("n/p@1.0.0", fs=[mounted("/d", "v", "data")]))
        with pytest.raises(FactoryError, match=r'n/p@1\.0\.0: mount "/d": .*dependency "data"'):
            _ = package.mounts
        package = load_package(node("n/q@1.0.0", volumes={"w": {}}, fs=[mounted("/d", "v")]))
        with pytest.raises(FactoryError, match=r'n/q@1\.0\.0: there is no volume "v" \(volumes: /?w\)'):
            _ = package.mounts[0].directory

    def test_a_path_out_of_the_root(self) -> None:
        package = load_package(PackageNode("n/p@1.0.0", mounts=(Mount("/a/../../etc", "v"),), sha256="00"))
        with pytest.raises(FactoryError, match="not a path below the root"):
            _ = package.mounts

    @given(st.text(alphabet="a./\0é", max_size=12))
    def test_normal_paths(self, path: str) -> None:
        try:
            normal = normal_path(path, "key")
        except FactoryError:
            assert ".." in path.split("/") or "\0" in path
        else:
            assert normal.startswith("/") and "//" not in normal
            assert normal == "/" or not {"", ".", ".."} & set(normal[1:].split("/"))


def test_real_packages(conformance: Path) -> None:
    def load(name: str) -> Any:
        return load_package(PackageNode(name, conformance / "webc" / name))

    assert load("dash-1.0.18.webc").entrypoint_command().atom_name == "dash"
    assert "wasm-validate" in load("wabt-1.0.37.webc").commands
    serve = load("staticserver.webc").entrypoint_command()
    assert serve.runs_as_program and "wcgi" in serve.runner
    with pytest.raises(FactoryError, match=r'"wasmer/static-web-server", which is not there'):
        load("volume-static-webserver-0.1.0.webc").entrypoint_command()
