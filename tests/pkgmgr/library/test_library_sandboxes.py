"""Sandboxes: one filesystem, many commands, and nothing of the host."""

import socket
import threading
from pathlib import Path

import pytest
import wasmtime

from pkgmgr import Package, ProcessFailed, Sandbox, Volume, WaitTimeout, WpmError, aio


def test_commands_share_a_filesystem(packages: list[Package]) -> None:
    with Sandbox(packages, files={"in.txt": "1\n", "/etc/conf": b"\xff", "a/b/c": ""}, env={"A": "x"}) as sandbox:
        assert sandbox.shell('pwd; cat in.txt; echo "$A"; echo 2 > out').text() == "/workspace\n1\nx\n"
        assert sandbox.run("cat", "out").text() == "2\n"
        assert (
            sandbox.run("sh", "-c", "cd sub && pwd; echo $A $B", cwd="a", env={"A": "y", "B": "z"}).stdout == b"y z\n"
        )
        assert sandbox.fs.read("/etc/conf") == b"\xff"
        assert sandbox.run("ls", "/workspace/a/b").text() == "c\n"


def test_a_guest_sees_nothing_of_the_host(packages: list[Package], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    with Sandbox(packages) as sandbox:
        assert sandbox.run("env").text() == "PWD=/workspace\n"
        assert not sandbox.run("cat", "/etc/passwd").ok
        assert not sandbox.run("cat", "/workspace/../../../../etc/passwd").ok
        assert sandbox.shell("ls /home /etc").stdout.split() == [b"/etc:", b"/home:"]


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("ls /", "bin dev etc home tmp usr workspace"),
        ("mkdir bin && ls && ls -d /workspace/bin", "bin /workspace/bin"),
        ("mkdir -p tmp/x && ls /tmp", ""),
        ("echo yes > /file; cat /file; ls", "yes"),
        ("mkdir /data && ls -d /data; ls", "/data"),
        ("ls ../usr/../workspace/..", "bin dev etc home tmp usr workspace"),
        ("mkdir workspace && cd workspace && touch /workspace/a b && ls . ..", ".: b ..: a workspace"),
        ("touch x; find / -name x", "/workspace/x"),
        ("echo yes > x; ln -s /workspace/x /link && cat /link && cat < /link", "yes yes"),
        ("ln -s ../../../etc/passwd up; cat up 2>&1 || ls /etc", "cat: up: No such file or directory"),
        ("cd /tmp; unset PWD; touch x; ls /tmp", "x"),
        ("echo yes > x; echo 'cat x; sort /workspace/x' > t; sh t", "yes yes"),
    ],
)
def test_absolute_and_relative_names_are_told_apart(packages: list[Package], script: str, output: str) -> None:
    with Sandbox(packages) as sandbox:
        assert sandbox.shell(script).stdout.decode().split() == output.split()


def test_commands_at_the_same_time(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox:
        first = sandbox.spawn("sh", "-c", "while ! test -e go; do sleep 0.01; done; cat go")
        second = sandbox.spawn("cat")
        assert first.pid != second.pid
        second.stdin.write(b"x")
        second.stdin.close()
        assert second.communicate().stdout == b"x"
        sandbox.fs.write("go", "now")
        assert first.communicate().stdout == b"now"


def test_closing_ends_what_runs(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox:
        running = [sandbox.spawn("sleep", "60"), sandbox.spawn("sh", "-c", "while :; do :; done")]
    assert [process.poll() for process in running] == [137, 137]
    for use in (
        lambda: sandbox.run("true"),
        lambda: sandbox.fs.read("x"),
        lambda: sandbox.spawn("true"),
        lambda: sandbox.install("wpm/hello"),
    ):
        with pytest.raises(WpmError, match="the sandbox is closed"):
            use()
    sandbox.close()


def test_limits_of_a_sandbox(packages: list[Package]) -> None:
    with Sandbox(packages, timeout=0.2, disk=100_000, memory=32 << 20) as sandbox:
        assert sandbox.run("sleep", "60").timed_out
        assert sandbox.run("sleep", "0.3", timeout=20).ok
        done = sandbox.shell("head -c 1000000 /dev/zero > big", timeout=20)
        assert b"write error" in done.stderr
        assert sandbox.fs.stat("big").size <= 100_000
        sandbox.fs.remove("big")
        with pytest.raises(WpmError, match="big"):
            sandbox.fs.write("big", bytes(100_001))
        sandbox.fs.remove("big")
        sandbox.fs.write("small", bytes(50_000))
    for wrong in ({"timeout": -1.0}, {"memory": 1}, {"processes": 0}, {"threads": 0}):
        with pytest.raises(WpmError, match="expected"):
            Sandbox(**wrong)


def test_processes_are_counted_over_all_commands(packages: list[Package]) -> None:
    with Sandbox(packages, processes=4) as sandbox:
        running = [sandbox.spawn("sleep", "60") for _ in range(3)]
        assert not sandbox.shell("true & true & true & wait; cat /dev/null | cat").ok
        fourth = sandbox.spawn("cat")
        with pytest.raises(WpmError, match="as many processes"):
            sandbox.run("true")
        fourth.kill()
        fourth.wait()
        running[0].kill()
        running[0].wait()
        assert sandbox.run("true").ok


def test_the_shell(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox:
        with pytest.raises(ProcessFailed, match="sh: exit code 4"):
            sandbox.shell("exit 4", check=True)
        assert sandbox.shell("cat", input="x").text() == "x"
    with Sandbox(["wpm/coreutils"], shell="echo") as sandbox:
        assert sandbox.shell("words").text() == "-c words\n"
    with Sandbox(["wpm/coreutils"]) as sandbox:
        with pytest.raises(WpmError, match="no shell"):
            sandbox.shell("true")
        installed = sandbox.install("wpm/sh", as_shell="sh")
        assert installed.commands == ("sh",)
        assert sandbox.shell("echo yes").text() == "yes\n"
        with pytest.raises(WpmError, match="there is no command"):
            sandbox.install("wpm/hello", as_shell="zsh")


def test_installing_is_seen_by_what_runs(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox, sandbox.spawn("sh") as shell:
        shell.stdin.write(b"hello; echo $?\n")
        assert shell.stdout.readline() == b"127\n"
        sandbox.install("wpm/hello")
        assert "hello" in sandbox.commands
        shell.stdin.write(b"hello\n")
        assert shell.stdout.readline() == b"Hello, World!\n"


def test_what_guests_write_can_run(packages: list[Package], hello_wasm: bytes) -> None:
    with Sandbox(packages) as sandbox:
        sandbox.fs.write("tool", hello_wasm)
        assert sandbox.run("./tool", "x").text() == "Hello, x!\n"
        sandbox.fs.write("/usr/local/bin/greet", "#!/bin/sh\necho hi $1\n")
        assert sandbox.run("greet", "you").text() == "hi you\n"
        with pytest.raises(WpmError, match="neither a WebAssembly module"):
            sandbox.fs.write("data", "x")
            sandbox.run("./data")


def test_volumes(packages: list[Package], tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    with Sandbox(packages, volumes=[Volume(tmp_path, "/data", read_only=True), Volume(tmp_path, "/rw")]) as sandbox:
        assert sandbox.fs.read("/data/a") == b"1"
        assert sandbox.run("cat", "/data/a").text() == "1"
        with pytest.raises(WpmError):
            sandbox.fs.write("/data/b", "x")
        sandbox.fs.write("/rw/b", "x")
        assert (tmp_path / "b").read_text() == "x"
        (tmp_path / "out").symlink_to("/etc")
        with pytest.raises(WpmError):
            sandbox.fs.read("/rw/out/passwd")


def test_ports_need_a_network(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox:
        with pytest.raises(WpmError, match="has no network"):
            sandbox.ports.wait(8080)
        with pytest.raises(WpmError, match="expected a port"):
            sandbox.ports.wait(0)
    with Sandbox(packages, network="loopback") as sandbox, pytest.raises(WaitTimeout, match="no guest listens"):
        sandbox.ports.wait(8080, timeout=0.05)


def test_a_server_is_reached(conformance: Path) -> None:
    python = next(conformance.rglob("python*.webc"), None)
    if python is None:
        pytest.skip("there is no CPython here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = (
        "import socket\n"
        "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        f"s.bind(('127.0.0.1', {port})); s.listen()\n"
        "c, _ = s.accept(); c.sendall(b'hello ' + c.recv(10)); c.close()\n"
    )
    with (
        Sandbox([python], files={"server.py": server}, network="loopback", offline=True) as sandbox,
        sandbox.spawn("python", "/workspace/server.py", stderr="capture") as process,
    ):
        sandbox.ports.wait(port, timeout=60)
        assert sandbox.ports.listening() == (port,)
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(b"you")
            assert connection.recv(20) == b"hello you"
        assert process.wait(timeout=30).ok


@pytest.mark.usefixtures("unchanged_process")
def test_threads_use_one_sandbox(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox:

        def work(number: int) -> None:
            sandbox.fs.write(f"in/{number}", str(number))
            sandbox.shell(f"cat in/{number} > out{number}", check=True)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [sandbox.fs.read_text(f"out{number}") for number in range(16)] == [str(number) for number in range(16)]


def test_what_is_printed_of_them(packages: list[Package]) -> None:
    with Sandbox(packages, network="loopback") as sandbox:
        assert repr(sandbox) == "<Sandbox of wpm/sh@1.0.0, wpm/coreutils@1.0.0: 0 running>"
        with sandbox.spawn("cat") as process:
            assert repr(sandbox).endswith(": 1 running>")
            assert repr(process).endswith("runs>")
        assert (repr(sandbox.fs), repr(sandbox.ports)) == (
            "<GuestFiles: relative paths start at /workspace>",
            "<Ports: guests listen at none>",
        )
    assert repr(sandbox).endswith(": closed>")
    assert repr(Sandbox().ports) == "<Ports: no network>"
    assert repr(aio.Sandbox()) == "<Sandbox: not there yet>"


def test_it_goes_on_after_crashes(packages: list[Package]) -> None:
    crash = wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "_start") unreachable))')
    with Sandbox([*packages, Package.create(modules={"crash": bytes(crash)})]) as sandbox:
        for _ in range(3):
            done = sandbox.run("crash")
            assert (done.reason, done.exit_code) == ("trapped", 134)
            assert sandbox.shell("crash; echo $?; kill -SEGV $$").stdout == b"134\n"
            assert sandbox.shell("echo yes > x; cat x").text() == "yes\n"
