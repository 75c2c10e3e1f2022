"""From packages to running processes, in the three kinds of root."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from factory_packages import ECHO_ARGUMENTS, ECHO_ENVIRONMENT, command, exit_with, module, mounted, opened, pack

from binfactory.errors import FactoryError
from binfactory.factory import BinFactory
from binfactory.loader import PackageNode, load_package
from binfactory.modules import ModuleCache, WasmBytes
from binfactory.prepare import prepare_spawn
from binfactory.programs import ModuleProgram
from binfactory.roots import backing_root, overlay_root, sandbox_root
from binfactory.use import map_commands, unite_package, use_package, use_packages
from runtime.env import WasiEnv, WasiEnvBuilder
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.node import Directory, File
from runtime.fs.tmpfs import TmpFileSystem
from runtime.fs.walk import walk
from runtime.stdio import OutputBuffer

if TYPE_CHECKING:
    from collections.abc import Callable

    from binfactory.package import BinaryPackage
    from runtime.fs.node import FileSystem

ARGUMENTS = module(ECHO_ARGUMENTS)
ENVIRONMENT = module(ECHO_ENVIRONMENT)

KINDS: dict[str, Callable[[Path], FileSystem]] = {
    "sandbox": lambda _: sandbox_root(),
    "overlay-memory": lambda _: overlay_root(),
    "overlay-host": lambda path: overlay_root(HostFileSystem(path)),
    "backing-memory": lambda _: backing_root(TmpFileSystem()),
    "backing-host": lambda path: backing_root(HostFileSystem(path)),
}


@pytest.fixture(params=KINDS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> FileSystem:
    folder = tmp_path / "root"
    folder.mkdir()
    return KINDS[request.param](folder)


@pytest.fixture
def factory(modules: ModuleCache) -> BinFactory:
    return BinFactory(modules)


def package(name: str, dependencies: dict[str, PackageNode] | None = None, /, **parts: Any) -> BinaryPackage:
    return load_package(PackageNode(name, container=opened(pack(name, **parts)), dependencies=dependencies or {}))


def environment(factory: BinFactory, root: FileSystem, *args: str) -> tuple[WasiEnv, OutputBuffer]:
    out = OutputBuffer()
    name, *rest = args or ("main",)
    env = WasiEnvBuilder(name).args(rest).root(root).programs(factory).stdout(out).stderr(out).build()
    return env, out


def run(factory: BinFactory, root: FileSystem, *args: str) -> list[str]:
    """What the program says its arguments are."""
    env, out = environment(factory, root, *args)
    assert factory.spawn(args[0], env).wait(20) == 0
    return out.getvalue().decode().split("\0")[:-1]


def write(root: FileSystem, path: str, data: bytes) -> None:
    from binfactory.copying import put_file

    put_file(root.root, path, memoryview(data), replace=True)


def read(env: WasiEnv, path: str) -> bytes:
    node = walk(env.root, env.root, path, follow=True).found().node
    assert isinstance(node, File)
    size = node.stat().size
    buffer = bytearray(size)
    done = 0
    handle = node.open(read=True, write=False)
    while done < size:
        done += handle.readv([memoryview(buffer)[done:]], done)
    handle.close()
    return bytes(buffer)


def names(env: WasiEnv, path: str) -> set[str]:
    node = walk(env.root, env.root, path, follow=True).found().node
    assert isinstance(node, Directory)
    return {entry.name for entry in node.entries()}


TOOLS: dict[str, Any] = {"atoms": {"args": ARGUMENTS, "env": ENVIRONMENT}}


class TestRoots:
    def test_commands_and_files_are_there_and_run(self, root: FileSystem, factory: BinFactory) -> None:
        tools = package(
            "n/tools@1.0.0",
            **TOOLS,
            commands={
                "show": command("args", main_args=["-m"], exec_name="shown"),
                "vars": command("env", env=["A=1"]),
            },
            volumes={"data": {"share": {"a.txt": b"hello", "deep": {"b": b"B"}}}},
            fs=[mounted("/opt/tools", "data")],
        )
        env, out = environment(factory, root, "show", "x", "y")
        use_package(env, tools)
        use_package(env, tools)
        assert read(env, "/opt/tools/share/a.txt") == b"hello"
        assert read(env, "/opt/tools/share/deep/b") == b"B"
        assert names(env, "/bin") >= {"show", "vars"} and names(env, "/usr/bin") >= {"show", "vars"}
        assert read(env, "/usr/bin/show") == ARGUMENTS
        assert factory.spawn("show", env).wait(20) == 0
        assert out.getvalue() == b"shown\0-m\0x\0y\0"
        assert run(factory, root, "/usr/bin/show", "z") == ["shown", "-m", "z"]
        assert run(factory, root, "vars") == ["A=1"]

    def test_packages_share_directories(self, root: FileSystem, factory: BinFactory) -> None:
        one = package("n/one@1.0.0", volumes={"v": {"a": b"1", "d": {"x": b"1"}}}, fs=[mounted("/data", "v")])
        two = package(
            "n/two@1.0.0", volumes={"v": {"a": b"2", "d": {"y": b"2"}, "b": b"2"}}, fs=[mounted("/data/", "v")]
        )
        env, _ = environment(factory, root)
        use_packages(env, [one, two])
        assert names(env, "/data") == {"a", "b", "d"} and names(env, "/data/d") == {"x", "y"}
        assert read(env, "/data/a") == b"1"

    def test_the_guests_own_files_stay(self, root: FileSystem, factory: BinFactory) -> None:
        write(root, "/data/a", b"mine")
        env, _ = environment(factory, root)
        use_package(env, package("n/p@1.0.0", volumes={"v": {"a": b"1", "b": b"2"}}, fs=[mounted("/data", "v")]))
        assert read(env, "/data/a") == b"mine" and read(env, "/data/b") == b"2"

    def test_the_command_used_last_has_the_name(self, root: FileSystem, factory: BinFactory) -> None:
        env, _ = environment(factory, root)
        commands = {"a": command("args"), "b": command("args")}
        use_package(env, package("n/p@1.0.0", **TOOLS, commands=commands))
        assert run(factory, root, "a") == ["a"]
        use_package(env, package("n/q@1.0.0", **TOOLS, commands={"a": command("args", main_args=["q"])}))
        assert run(factory, root, "a") == ["a", "q"]
        assert run(factory, root, "b") == ["b"]

    def test_a_package_may_mount_into_bin(self, root: FileSystem, factory: BinFactory) -> None:
        volumes = {"v": {"helper": ARGUMENTS, "a": b"hidden by the command"}}
        env, _ = environment(factory, root)
        use_package(env, package("n/p@1.0.0", **TOOLS, commands={"z": command("args")}))
        assert names(env, "/bin") >= {"z"}
        mounting = package(
            "n/q@1.0.0", **TOOLS, commands={"a": command("args")}, volumes=volumes, fs=[mounted("/bin", "v")]
        )
        use_package(env, mounting)
        use_package(env, package("n/r@1.0.0", **TOOLS, commands={"b": command("args", main_args=["r"])}))
        assert names(env, "/bin") >= {"z", "a", "b", "helper"}
        assert run(factory, root, "/bin/helper") == ["/bin/helper"]
        assert run(factory, root, "a") == ["a"] and run(factory, root, "b") == ["b", "r"]

    def test_map_commands(self, root: FileSystem, factory: BinFactory, tmp_path: Path) -> None:
        host = tmp_path / "host.wasm"
        host.write_bytes(ARGUMENTS)
        script = tmp_path / "script"
        script.write_text("#!/bin/mine -s\n")
        env, _ = environment(factory, root)
        use_package(env, package("n/p@1.0.0", **TOOLS, commands={"mine": command("env")}))
        map_commands(env, {"mine": host, "script": script})
        assert run(factory, root, "mine", "1") == ["mine", "1"]
        assert run(factory, root, "/usr/bin/mine") == ["/usr/bin/mine"]
        assert run(factory, root, "script", "2") == ["/bin/mine", "-s", "/bin/script", "2"]
        with pytest.raises(FactoryError, match="nowhere"):
            map_commands(env, {"x": tmp_path / "nowhere"})
        with pytest.raises(FactoryError, match="cannot name a command"):
            map_commands(env, {"../x": host})


class TestUnion:
    def test_within_a_package_the_first_mount_wins(self, factory: BinFactory) -> None:
        below = PackageNode(
            "n/below@1.0.0",
            container=opened(
                pack("n/below@1.0.0", volumes={"v": {"a": b"low", "b": b"low"}}, fs=[mounted("/x/y", "v")])
            ),
        )
        top = package(
            "n/top@1.0.0",
            {"below": below},
            volumes={"v": {"a": b"top", "sub": {"c": b"c"}}, "w": {"y": {"a": b"never"}}},
            fs=[mounted("/x/y", "v"), mounted("/x", "w"), mounted("/z", "v", None, "/sub")],
        )
        env, _ = environment(factory, sandbox_root())
        use_package(env, top)
        assert read(env, "/x/y/a") == b"top" and read(env, "/x/y/b") == b"low"
        assert names(env, "/x/y") == {"a", "b", "sub"} and names(env, "/z") == {"c"}

    def test_what_is_wrong_is_told_before_the_guest_starts(self, factory: BinFactory) -> None:
        env, _ = environment(factory, sandbox_root())
        with pytest.raises(FactoryError, match=r'n/p@1\.0\.0: .*volume "gone"'):
            use_package(env, package("n/p@1.0.0", fs=[mounted("/x", "gone")]))
        with pytest.raises(FactoryError, match=r'n/q@1\.0\.0: command "x"'):
            use_package(env, package("n/q@1.0.0", **TOOLS, commands={"x": command("gone")}))

    def test_a_vouched_package_is_opened_when_it_is_looked_into(self, factory: BinFactory) -> None:
        from binfactory.loader import Mount

        gone = PackageNode(
            "n/gone@1.0.0", Path("/nowhere.webc"), commands=("x",), mounts=(Mount("/gone", "v"),), sha256="00"
        )
        root = sandbox_root()
        unite_package(factory, root, load_package(gone))
        env, _ = environment(factory, root)
        assert "gone" in names(env, "/") and "x" in names(env, "/bin")
        with pytest.raises(OSError, match="cannot open") as caught:
            names(env, "/gone")
        assert caught.value.errno == errno.EIO
        with pytest.raises(FactoryError, match=r"x: n/gone@1\.0\.0: cannot open"):
            factory.spawn("x", env)

    def test_a_root_with_mounts(self, factory: BinFactory) -> None:
        root = sandbox_root()
        builder = WasiEnvBuilder("show").root(root).mount("/host", TmpFileSystem()).mount("/bin/extra", TmpFileSystem())
        out = OutputBuffer()
        env = builder.programs(factory).stdout(out).build()
        use_package(
            env,
            package(
                "n/p@1.0.0",
                **TOOLS,
                commands={"show": command("args")},
                volumes={"v": {"a": b"1"}},
                fs=[mounted("/data", "v")],
            ),
        )
        assert names(env, "/") >= {"host", "data", "bin"} and read(env, "/data/a") == b"1"
        assert factory.spawn("/bin/show", env).wait(20) == 0
        assert out.getvalue() == b"show\0"

    def test_directories_that_are_open_see_what_comes(self, factory: BinFactory) -> None:
        root = sandbox_root()
        env, _ = environment(factory, root)
        directories = [walk(env.root, env.root, path, follow=True).found().directory for path in ("/", "/bin", "/usr")]
        assert [each.entries() for each in directories]
        use_package(env, package("n/p@1.0.0", **TOOLS, commands={"a": command("args")}))
        assert "a" in {entry.name for entry in directories[1].entries()}
        use_package(env, package("n/q@1.0.0", **TOOLS, commands={"b": command("args")}))
        assert {"a", "b"} <= {entry.name for entry in directories[1].entries()}
        assert isinstance(directories[1].lookup("b"), File)

    def test_an_environment_without_a_factory(self) -> None:
        with pytest.raises(FactoryError, match="no binary factory"):
            use_package(WasiEnvBuilder().build(), package("n/p@1.0.0"))


class TestNames:
    def test_a_file_of_the_guest_runs_as_what_it_is(self, root: FileSystem, factory: BinFactory) -> None:
        inner = pack("n/in@1.0.0", **TOOLS, commands={"in": command("args", main_args=["webc"]), "o": command("env")})
        write(root, "/job/in", inner)
        write(root, "/job/plain", ARGUMENTS)
        write(root, "/job/script", b"#! ./plain  -f  x \nbody\n")
        env, _ = environment(factory, root)
        env.cwd = env.locate("/job")
        assert run(factory, root, "/job/plain", "1") == ["/job/plain", "1"]
        assert run(factory, root, "/job/in", "1") == ["/job/in", "webc", "1"]
        program = factory.find("./script", env)
        assert program is not None
        assert program.arguments(["script", "a"]) == ["./plain", "-f  x", "./script", "a"]
        assert run(factory, root, "in") == ["in", "webc"], "a container brings its commands along"

    def test_a_name_made_later_is_found_later(self, root: FileSystem, factory: BinFactory) -> None:
        env, _ = environment(factory, root)
        env.environ["PATH"] = "/nowhere:/tools"
        assert factory.find("late", env) is None and factory.find("/tools/late", env) is None
        write(root, "/tools/late", ARGUMENTS)
        assert factory.find("late", env) is not None and factory.find("/tools/late", env) is not None

    def test_what_replaces_a_commands_file_is_what_runs(self, factory: BinFactory) -> None:
        root = sandbox_root()
        env, _ = environment(factory, root)
        use_package(env, package("n/p@1.0.0", **TOOLS, commands={"a": command("args", main_args=["package"])}))
        bin_directory = walk(env.root, env.root, "/bin", follow=True).found().directory
        bin_directory.symlink("b", "a")
        assert run(factory, root, "/bin/b") == ["/bin/b", "package"]
        bin_directory.unlink("a")
        assert factory.find("/bin/a", env) is None
        write(root, "/bin/a", ARGUMENTS)
        assert run(factory, root, "/bin/a") == ["/bin/a"]

    def test_what_is_no_program(self, root: FileSystem, factory: BinFactory) -> None:
        write(root, "/x/text", b"hello")
        write(root, "/x/empty", b"")
        write(root, "/x/loop", b"#!/x/loop\n")
        write(root, "/x/nothing", b"#!  \n")
        write(root, "/x/long", b"#!" + b"a" * 1000)
        write(root, "/x/gone", b"#!/not/here\n")
        write(root, "/x/broken", b"\0asm\x01\0\0\0 and nonsense")
        write(root, "/x/broken.webc", b"\0webc003 and nonsense")
        env, _ = environment(factory, root)
        expected = {
            "text": errno.ENOEXEC,
            "empty": errno.ENOEXEC,
            "loop": errno.ELOOP,
            "nothing": errno.ENOEXEC,
            "long": errno.ENOEXEC,
            "broken": errno.ENOEXEC,
            "broken.webc": errno.ENOEXEC,
        }
        for name, code in expected.items():
            with pytest.raises(OSError) as caught:
                found = factory.find(f"/x/{name}", env)
                assert found is not None
                found.module()
            assert caught.value.errno == code, name
        assert factory.find("/x/gone", env) is None
        assert factory.find("/x/text/below", env) is None
        assert factory.find("", env) is None
        with pytest.raises(PermissionError):
            factory.find("/x", env)
        with pytest.raises(FactoryError, match="nosuch: command not found"):
            factory.spawn("nosuch", env)

    def test_a_data_file_does_not_hide_a_command(self, factory: BinFactory) -> None:
        root = sandbox_root()
        write(root, "/show", b"just text")
        env, _ = environment(factory, root)
        use_package(env, package("n/p@1.0.0", **TOOLS, commands={"show": command("args")}))
        assert run(factory, root, "show") == ["show"]

    def test_set_binary_and_builtins_come_first(self, root: FileSystem, factory: BinFactory) -> None:
        tools = package("n/p@1.0.0", **TOOLS, commands={"a": command("args", main_args=["set"])})
        env, _ = environment(factory, root)
        factory.set_binary("/opt//a", tools.command("a"))
        assert run(factory, root, "/opt/a") == ["/opt/a", "set"]
        built_in = ModuleProgram("host", WasmBytes.of(ARGUMENTS, "host"), factory.modules)
        factory.builtins.register("a", lambda _: built_in)
        assert factory.find("a", env) is built_in and factory.find("/bin/a", env) is built_in
        assert factory.find("/opt/a", env) is not built_in
        with pytest.raises(ValueError):
            factory.builtins.register("a/b", lambda _: built_in)

    def test_a_changed_file_is_compiled_again(self, factory: BinFactory) -> None:
        root = sandbox_root()
        for code in (3, 4, 3):
            write(root, "/tmp/x", exit_with(code))
            env, _ = environment(factory, root)
            assert factory.spawn("/tmp/x", env).wait(20) == code


class TestPrepare:
    def test_in_place(self) -> None:
        tools = package(
            "n/p@1.0.0", **TOOLS, commands={"a": command("args", main_args=["-m"], env=["A=1", "B=2"], cwd="/tmp")}
        )
        root = sandbox_root()
        env = WasiEnvBuilder("called").args(["x"]).env("A", "mine").root(root).build()
        prepare_spawn(tools.command("a"), env)
        assert env.args == ["called", "-m", "x"]
        assert env.environ == {"A": "mine", "B": "2"}
        assert env.cwd.path() == "/"
        prepare_spawn(tools.command("a"), env, own_cwd=True)
        assert env.cwd.path() == "/tmp"


class TestRealPrograms:
    @pytest.fixture
    def catsay(self, conformance: Path) -> bytes:
        return (conformance / "wasm" / "catsay.wasm").read_bytes()

    def test_a_dependencys_module_with_its_own_arguments(self, catsay: bytes, factory: BinFactory) -> None:
        cat = PackageNode("n/cat@1.0.0", container=opened(pack("n/cat@1.0.0", atoms={"catsay": catsay})))
        app = package(
            "n/app@1.0.0", {"cat": cat}, commands={"greet": command("catsay", "cat", main_args=["hello", "from"])}
        )
        root = sandbox_root()
        unite_package(factory, root, app)
        env, out = environment(factory, root, "greet", "afar")
        assert factory.spawn("greet", env).wait(60) == 0
        assert b"hello from afar" in out.getvalue()

    def test_wabt_validates_a_module(self, conformance: Path, factory: BinFactory) -> None:
        wabt = load_package(PackageNode("wabt", conformance / "webc" / "wabt-1.0.37.webc"))
        root = sandbox_root()
        unite_package(factory, root, wabt)
        write(root, "/good.wasm", ARGUMENTS)
        write(root, "/bad.wasm", ARGUMENTS[:-1])
        env, out = environment(factory, root, "wasm-validate", "/good.wasm")
        assert factory.spawn("wasm-validate", env).wait(120) == 0, out.getvalue()
        env, out = environment(factory, root, "wasm-validate", "/bad.wasm")
        assert factory.spawn("wasm-validate", env).wait(120) == 1
        assert b"invalid section size" in out.getvalue()

    def test_a_shell_runs_the_commands_of_packages(self, conformance: Path, factory: BinFactory) -> None:
        shell = load_package(PackageNode("dash", conformance / "webc" / "dash-1.0.18.webc"))
        tools = package("n/tools@1.0.0", **TOOLS, commands={"show": command("args", main_args=["-m"])})
        root = sandbox_root()
        unite_package(factory, root, shell)
        unite_package(factory, root, tools)
        write(root, "/job/greet", b"#!/bin/dash -e\necho script $0 $1\n")
        lines = [
            "show 1",
            "echo",
            "/job/greet you",
            "nosuch || echo $?",
            "exec /usr/bin/show 2",
        ]
        env, out = environment(factory, root, "dash", "-c", "\n".join(lines))
        env.environ["PATH"] = "/bin"
        assert factory.spawn("dash", env).wait(60) == 0, out.getvalue()
        written = out.getvalue().decode().split("\n")
        assert written[0] == "show\0-m\x001\0"
        assert written[1] == "script /job/greet you"
        assert "127" in written
        assert written[-1] == "/usr/bin/show\0-m\x002\0"
