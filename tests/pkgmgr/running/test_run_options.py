"""The options of `wpm run`."""

import os
from pathlib import Path

import pytest
from make_packages import RegistryMaker, write_package
from typed import GUESTS, guest, output, wpm
from wasmtime import wat2wasm

TOOLS = ("wpm/coreutils", "-e")


def test_entrypoint_before_and_after_the_package() -> None:
    assert output("run", "-e", "seq", "wpm/coreutils", "2") == "1\n2\n"
    assert output("run", "wpm/coreutils", "--entrypoint=seq", "2") == "1\n2\n"
    assert output("run", "wpm/coreutils", "-eseq", "2") == "1\n2\n"


def test_arguments_before_and_after_the_dashes() -> None:
    assert output("run", *TOOLS, "echo", "a", "--env", "X=1", "b") == "a b\n"
    assert output("run", *TOOLS, "echo", "a", "--", "b", "--env", "--", "-e") == "a b --env -- -e\n"
    assert output("run", *TOOLS, "echo", "--", "") == "\n"
    assert output("run", *TOOLS, "echo", "--", "-n", "ä €", "'\"\\ *") == "ä € '\"\\ *"


def test_an_argument_that_is_not_utf8() -> None:
    done = wpm("run", *TOOLS, "echo", "--", os.fsdecode(b"a\xffb"))
    assert done.stdout == b"a\xffb\n"


def test_variables() -> None:
    ours = {"OURS": "from here", "OTHER": "hidden"}
    assert output("run", *TOOLS, "env", env=ours) == ""
    assert output("run", "--env", "A=1", "--env", "B=x=y", "--env", "E=", *TOOLS, "env") == "A=1\nB=x=y\nE=\n"
    assert output("run", "--env", "OURS", "--env", "NOT_SET_HERE", *TOOLS, "env", env=ours) == "OURS=from here\n"
    forwarded = output("run", "--forward-host-env", "--env", "OTHER=changed", *TOOLS, "env", env=ours).splitlines()
    assert {"OURS=from here", "OTHER=changed"} <= set(forwarded)


def test_cwd(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    volume = ("run", "--volume", f"{tmp_path}:/work")
    assert output(*volume, *TOOLS, "pwd") == "/\n"
    assert output(*volume, "--cwd", "/work/sub", *TOOLS, "pwd") == "/work/sub\n"
    assert output(*volume, "--cwd", "/work", *TOOLS, "ls") == "sub\n"
    assert output(*volume, "--env", "PWD=/mine", "--cwd", "/work", *TOOLS, "env") == "PWD=/mine\n"
    for wrong in ("/nowhere", "/dev/null"):
        done = wpm(*volume, "--cwd", wrong, *TOOLS, "pwd")
        assert done.returncode == 1 and done.stderr.decode().startswith(f"wpm: {wrong}: not a directory")


def test_paths_from_another_cwd(tmp_path: Path) -> None:
    """Relative and absolute paths, and those that climb, mean what they do to any program."""
    (tmp_path / "sub" / "usr").mkdir(parents=True)
    (tmp_path / "a").write_text("a\n")
    (tmp_path / "sub" / "b").write_text("b\n")
    (tmp_path / "sub" / "usr" / "c").write_text("c\n")
    words = ("run", "--volume", f"{tmp_path}:/work", "--cwd", "/work/sub", "--use", "wpm/words", *TOOLS)
    assert (
        output(*words, "cat", "b", "./b", "../sub/b", "/work/sub/b", "usr/c", "/work/sub/usr/../usr/c")
        == "b\n" * 4 + "c\n" * 2
    )
    assert output(*words, "cat", "../a", "/work/a", "../../work/a") == "a\n" * 3
    assert output(*words, "tee", "/tmp/x", "new", stdin=b"x") == "x"
    assert (tmp_path / "sub" / "new").read_text() == "x"


def test_use_adds_commands_and_files() -> None:
    words = ("run", "--use", "wpm/words", "--use", "wpm/hello@^1", *TOOLS)
    assert output(*words, "head", "/usr/share/words/colors.txt", "--", "-n1") == "amber\n"
    assert "hello" in output(*words, "ls", "/bin").split()


def test_use_a_file_and_a_directory(tmp_path: Path) -> None:
    data = write_package(tmp_path / "data.webc", "n/data", "1.0.0", files={"a.txt": b"used\n"})
    assert output("run", "--use", data, *TOOLS, "cat", "/data/a.txt") == "used\n"
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "b.txt").write_text("built\n")
    (tmp_path / "wasmer.toml").write_text('[package]\nname = "n/d"\nversion = "1.0.0"\n[fs]\n"/f" = "files"\n')
    assert output("run", "--use", tmp_path, *TOOLS, "cat", "/f/b.txt") == "built\n"


def test_include_webc_answers_before_the_registry(tmp_path: Path) -> None:
    ours = write_package(
        tmp_path / "h.webc", "wpm/hello", "9.0.0", commands=("hello",), module=bytes(wat2wasm(GUESTS["exit"]))
    )
    assert wpm("run", "--include-webc", ours, "wpm/hello").returncode == 42
    assert wpm("run", "--include-webc", ours, "wpm/hello@9.0.0").returncode == 42
    # Nor does the lock of the project around need the file, whose version it does not know.
    cold = {"WPM_CACHE_DIR": str(tmp_path / "cold")}
    assert wpm("run", "--include-webc", ours, "wpm/hello", env=cold).returncode == 42
    assert output("run", "wpm/hello") == "Hello, World!\n"


def test_map_command(tmp_path: Path) -> None:
    leave = guest(tmp_path, "exit")
    words = ("run", "--map-command", f"leave={leave}", *TOOLS)
    assert output(*words, "ls", "/bin/leave", "/usr/bin/leave") == "/bin/leave\n/usr/bin/leave\n"


def test_map_command_is_what_a_shell_finds(conformance: Path, tmp_path: Path) -> None:
    words = ("run", "--map-command", f"leave={guest(tmp_path, 'exit')}", "--use", "wpm/hello")
    assert wpm(*words, conformance / "wasm/dash.wasm", "--", "-c", "leave").returncode == 42
    assert output(*words, conformance / "wasm/dash.wasm", "--", "-c", "hello you") == "Hello, you!\n"


def test_the_shell_of_2023_finds_absolute_paths_from_another_directory(conformance: Path) -> None:
    script = "echo made >/dev/null && echo there >/tmp/file && while read line; do echo $line; done </tmp/file"
    assert output("run", "--cwd", "/tmp", conformance / "wasm/dash.wasm", "--", "-c", script) == "there\n"


def test_registry_and_its_variable(tmp_path: Path) -> None:
    registry = RegistryMaker(tmp_path / "registry")
    registry.add("acme/data", "1.0.0", files={"a.txt": b"1.0\n"})
    registry.add("acme/data", "1.2.0", files={"a.txt": b"1.2\n"})
    words = ("--use", "acme/data@^1", *TOOLS, "cat", "/data/a.txt")
    assert output("run", "--registry", registry.root, *words) == "1.2\n"
    assert output("run", "--registry", registry.root.as_uri(), "--offline", *words) == "1.2\n"
    assert output("run", *words, env={"WPM_REGISTRY": str(registry.root)}) == "1.2\n"
    done = wpm("run", "--offline", *words)
    assert done.returncode == 1 and b"--offline forbids" in done.stderr


@pytest.mark.parametrize("words", [("sleep", "100"), ("cat",), ("yes",)])
def test_timeout_ends_what_blocks_and_what_works(words: tuple[str, ...]) -> None:
    done = wpm("run", "--timeout", "300ms", *TOOLS, *words)
    if words != ("cat",):
        assert done.returncode == 124
        assert done.stderr.decode() == f"wpm: {words[0]}: ended after 0.3 s (--timeout)\n"


def test_timeout_ends_what_computes(tmp_path: Path) -> None:
    done = wpm("run", "--timeout", "0.2", guest(tmp_path, "spin"))
    assert (done.returncode, done.stderr) == (124, b"wpm: spin: ended after 0.2 s (--timeout)\n")


def test_timeout_leaves_a_quick_guest_alone() -> None:
    assert output("run", "--timeout", "1h", "wpm/hello") == "Hello, World!\n"


def test_memory(tmp_path: Path) -> None:
    grow = guest(tmp_path, "grow")
    assert wpm("run", grow).returncode == 0
    assert wpm("run", "--memory", "4M", grow).returncode == 0
    assert wpm("run", "--memory", "4032K", grow).returncode == 1
    done = wpm("run", "--memory", "64KiB", "wpm/hello")
    assert done.returncode == 1 and done.stderr.decode().count("\n") == 1 and b"memory" in done.stderr


def test_net_takes_no_input_for_its_rules() -> None:
    assert output("run", "--net", "wpm/hello", "you") == "Hello, you!\n"
    assert output("run", "--net=loopback", "wpm/hello", "you") == "Hello, you!\n"


SOCKET = """(module
  (import "wasix_32v1" "sock_open" (func $open (param i32 i32 i32 i32) (result i32)))
  (import "wasix_32v1" "sock_connect" (func $connect (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\\01\\00PPPP\\7f\\00\\00\\01")
  (func (export "_start")
    (drop (call $open (i32.const 1) (i32.const 1) (i32.const 6) (i32.const 0)))
    (call $exit (call $connect (i32.load (i32.const 0)) (i32.const 16)))))"""


@pytest.mark.parametrize(
    ("words", "reached"),
    [
        ([], False),
        (["--net"], True),
        (["--net="], True),
        (["--net=loopback"], True),
        (["--net=allow:tcp:127.0.0.1:*"], True),
        (["--net=ipv4:allow=127.0.0.0/8:*/out"], True),
        (["--net=deny:127.0.0.1:*,allow:*:*"], False),
        (["--net=allow:tcp:127.0.0.1:1"], False),
    ],
)
def test_net_is_a_policy(tmp_path: Path, words: list[str], reached: bool) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        text = SOCKET.replace("PPPP", "".join(f"\\{byte:02x}" for byte in port.to_bytes(2, "little")))
        (tmp_path / "connect.wasm").write_bytes(bytes(wat2wasm(text)))
        assert (wpm("run", *words, tmp_path / "connect.wasm").returncode == 0) is reached
