"""`wpm run` as a tool among others: its streams, its exit code, its signals, its terminal."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from typed import COMMAND, environment, guest, output, wpm

TOOLS = ("run", "wpm/coreutils", "-e")


def start(*words: str, **streams: int | None) -> subprocess.Popen[bytes]:
    """Start `wpm`; pipes for the streams that are not named."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *words], env=environment(), **{**pipes, **streams})  # type: ignore[call-overload,no-any-return]


def test_standard_input_passes_through() -> None:
    assert output(*TOOLS, "sort", stdin=b"b\na\n") == "a\nb\n"
    data = os.urandom(3 << 20)
    done = wpm(*TOOLS, "cat", stdin=data)
    assert done.stdout == data


def test_streams_that_are_files(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"one\ntwo\n")
    (tmp_path / "out").write_bytes(b"before\n")
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("ab") as sink:
        source.readline()
        # Unbuffered for the child: it goes on where its parent's descriptor is.
        os.lseek(source.fileno(), 4, os.SEEK_SET)
        start(*TOOLS, "cat", stdin=source.fileno(), stdout=sink.fileno()).communicate()
    assert (tmp_path / "out").read_bytes() == b"before\ntwo\n"


def test_output_and_errors_stay_apart() -> None:
    done = wpm(*TOOLS, "ls", "/nowhere", "/dev/null")
    assert done.stdout == b"/dev/null\n" and b"nowhere" in done.stderr and done.returncode != 0


def test_a_reader_that_leaves_early_hears_no_noise() -> None:
    process = start(*TOOLS, "yes", stdin=subprocess.DEVNULL)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == b"y\n"
    process.stdout.close()
    assert process.wait(20) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["list"], ["tree"]])
def test_our_own_output_may_be_cut_too(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "wasmer.toml").write_text('[dependencies]\n"wpm/coreutils" = "*"\n')
    assert wpm("install", "--no-compile", cwd=tmp_path).returncode == 0
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *words], cwd=tmp_path, env=environment(), stdout=writing, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_output_that_is_full_is_told_once() -> None:
    for words in (["--help"], ["cache", "dir"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*COMMAND, *words], env=environment(), stdout=full, stderr=subprocess.PIPE, timeout=60
            )
        assert (done.returncode, done.stderr) == (1, b"wpm: No space left on device\n")


def test_closed_streams() -> None:
    def closing(descriptors: tuple[int, ...]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    for closed in ((0,), (0, 1), (0, 1, 2)):
        done = subprocess.run(
            [*COMMAND, *TOOLS, "sleep", "0"], env=environment(), preexec_fn=partial(closing, closed), timeout=60
        )
        assert done.returncode == 0, closed


@pytest.mark.parametrize(
    ("code", "words"), [(0, ["true"]), (1, ["false"]), (1, ["grep", "x"]), (2, ["test", "1", "--", "-eq", "x"])]
)
def test_exit_codes_pass_through(code: int, words: list[str]) -> None:
    assert wpm(*TOOLS, *words).returncode == code


def test_a_guest_chooses_its_code(tmp_path: Path) -> None:
    assert wpm("run", guest(tmp_path, "exit")).returncode == 42


def test_a_trap_is_told_with_the_guests_calls(tmp_path: Path) -> None:
    done = wpm("run", guest(tmp_path, "trap"))
    assert done.returncode == 134 and done.stdout == b""
    told = done.stderr.decode()
    assert told.startswith("wpm: trap: trap: ") and "unreachable" in told.splitlines()[0]
    assert told.index("deepest") < told.index("middle")
    assert "Traceback" not in told


def interrupt(process: subprocess.Popen[bytes], after: bytes | None = None) -> tuple[int, bytes]:
    """Ctrl-C, when the guest has said something or after a while; the exit code and what it wrote to its errors."""
    assert process.stdout is not None and process.stderr is not None
    if after is not None:
        assert process.stdout.readline() == after
    else:
        time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    code = process.wait(10)
    return code, process.stderr.read()


def test_ctrl_c_ends_a_guest_that_computes(tmp_path: Path) -> None:
    assert interrupt(start("run", str(guest(tmp_path, "spin")))) == (130, b"")


def test_ctrl_c_ends_a_guest_that_reads() -> None:
    process = start(*TOOLS, "cat")
    assert process.stdin is not None
    process.stdin.write(b"first\n")
    process.stdin.flush()
    assert interrupt(process, b"first\n") == (130, b"")


def test_ctrl_c_ends_a_guest_that_sleeps() -> None:
    assert interrupt(start(*TOOLS, "sleep", "100")) == (130, b"")


def test_ctrl_c_ends_a_guest_that_writes_to_nobody() -> None:
    assert interrupt(start(*TOOLS, "yes"), b"y\n") == (130, b"")


def test_ctrl_c_ends_a_shell_that_has_no_handler(conformance: Path) -> None:
    process = start("run", str(conformance / "wasm/dash.wasm"))
    assert process.stdin is not None
    process.stdin.write(b"echo ready\n")
    process.stdin.flush()
    assert interrupt(process, b"ready\n")[0] == 130


class Terminal:
    """`wpm` in a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self.ours, theirs = pty.openpty()
        self.said = b""
        self.process = subprocess.Popen(
            [*COMMAND, *words],
            env=environment(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.ours, 4096)
            except OSError:
                return
            if not data:
                return
            self.said += data

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def wait_for(self, text: bytes) -> None:
        end = time.monotonic() + 20
        while text not in self.said:
            assert time.monotonic() < end, self.said
            time.sleep(0.01)

    def end(self) -> tuple[int, bytes]:
        code = self.process.wait(20)
        self._reader.join(5)
        os.close(self.ours)
        return code, self.said


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="needs a pseudo-terminal")
class TestTerminal:
    @pytest.mark.parametrize("descriptor", ["0", "1", "2"])
    def test_the_guest_knows_that_it_is_in_a_terminal(self, descriptor: str) -> None:
        assert Terminal(*TOOLS, "test", "--", "-t", descriptor).end() == (0, b"")

    def test_and_that_it_is_not(self) -> None:
        assert wpm(*TOOLS, "test", "--", "-t", "0").returncode == 1
        assert wpm(*TOOLS, "test", "--", "-t", "1").returncode == 1

    def test_a_conversation(self) -> None:
        terminal = Terminal(*TOOLS, "cat")
        terminal.type(b"line\n")
        terminal.wait_for(b"line\r\nline\r\n")
        terminal.type(b"\x04")
        assert terminal.end() == (0, b"line\r\nline\r\n")

    def test_ctrl_c_is_typed(self) -> None:
        terminal = Terminal(*TOOLS, "cat")
        terminal.type(b"x\n")
        terminal.wait_for(b"x\r\nx\r\n")
        terminal.type(b"\x03")
        code, said = terminal.end()
        assert code == 130 and b"Traceback" not in said
