"""The shell answers as dash did when `record_sh_cases.py` asked it; and what no recording can tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from binfactory.factory import BinFactory
from binfactory.loader import PackageNode, load_package
from binfactory.modules import ModuleCache
from binfactory.roots import sandbox_root
from binfactory.use import use_packages
from runtime.abi.filetype import Filetype
from runtime.env import WasiEnvBuilder
from runtime.fs.tmpfs import TmpFileSystem
from runtime.signals import Signal
from runtime.stdio import HostStream, InputBuffer, OutputBuffer
from webc_parser.container import Container

if TYPE_CHECKING:
    from binfactory.package import BinaryPackage
    from runtime.fs.node import OpenFile
    from runtime.process import WasiProcess

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = ROOT / "registry_fixtures" / "packages" / "wpm"
CASES: list[dict[str, Any]] = json.loads((HERE / "cases" / "sh.json").read_text())

pytestmark = pytest.mark.xdist_group("sh")


class Answer:
    """A shell that was started, and what it has written so far."""

    def __init__(self, process: WasiProcess, out: OutputBuffer, err: OutputBuffer) -> None:
        self.process = process
        self._streams = (out, err)

    def wait(self) -> tuple[str, str, int]:
        """Both streams and the exit status."""
        status = self.process.wait(30)
        return self.out, self.err, status

    @property
    def out(self) -> str:
        return self._streams[0].getvalue().decode("utf-8", "surrogateescape")

    @property
    def err(self) -> str:
        return self._streams[1].getvalue().decode("utf-8", "surrogateescape")

    def until(self, text: str) -> None:
        """Wait until the shell has written this."""
        deadline = time.monotonic() + 20
        while text not in self.out + self.err:
            assert time.monotonic() < deadline, f"no {text!r} in {self.out!r} {self.err!r}"
            time.sleep(0.002)


class Shells:
    """Starts shells; the modules are compiled once."""

    def __init__(self, folder: Path) -> None:
        self._factory = BinFactory(ModuleCache(folder))
        self._packages = [self._load("coreutils/1.0.0"), self._load("sh/1.0.0")]

    def _load(self, name: str) -> BinaryPackage:
        package, version = name.split("/")
        node = PackageNode(f"wpm/{package}@{version}", container=Container.open(PACKAGES / f"{name}.webc"))
        return load_package(node)

    def start(self, *args: str, stdin: bytes | OpenFile | int = b"", tty: bool = False) -> Answer:
        """A shell in an empty directory."""
        kind = Filetype.CHARACTER_DEVICE if tty else Filetype.UNKNOWN
        out, err = OutputBuffer(filetype=kind), OutputBuffer(filetype=kind)
        source = InputBuffer(stdin, kind) if isinstance(stdin, bytes) else stdin
        builder = WasiEnvBuilder("sh").args(args).root(sandbox_root()).mount("/work", TmpFileSystem()).cwd("/work")
        builder.envs({"LC_ALL": "C", "HOME": "/home"}).stdin(source).stdout(out).stderr(err).timeout(25)
        env = builder.programs(self._factory).build()
        use_packages(env, self._packages)
        return Answer(self._factory.spawn("sh", env), out, err)

    def run(self, script: str, *args: str, stdin: bytes | OpenFile | int = b"") -> tuple[str, str, int]:
        """What a script answers."""
        return self.start("-c", script, *args, stdin=stdin).wait()


@pytest.fixture(scope="session")
def shells(tmp_path_factory: pytest.TempPathFactory) -> Shells:
    return Shells(tmp_path_factory.mktemp("code"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["script"].split())[:60])
def test_as_dash(case: dict[str, Any], shells: Shells) -> None:
    assert shells.run(case["script"]) == (case["stdout"], case["stderr"], case["exit"])


def test_a_pipe_of_many_bytes(shells: Shells) -> None:
    assert shells.run("head -c 100000000 /dev/zero | cat | cat | wc -c") == ("100000000\n", "", 0)


def test_a_writer_whose_reader_left_says_nothing(shells: Shells) -> None:
    assert shells.run("yes | head -1; (yes; echo $? >&2) | head -1") == ("y\ny\n", "141\n", 0)


def test_a_script_on_standard_input_leaves_the_rest_to_its_commands(shells: Shells) -> None:
    script = b"read x\nfor the shell\necho got $x\ncat\nfor cat\nalso\n"
    assert shells.start(stdin=script).wait() == ("got for the shell\nfor cat\nalso\n", "", 0)
    assert shells.start("-s", "a", "b", stdin=b"echo $0 $# $2\n").wait() == ("sh 2 b\n", "", 0)


def test_lines_are_counted(shells: Shells) -> None:
    script = "echo $LINENO\n\necho $LINENO\nf() {\n  echo $LINENO\n  nosuch\n}\nf\nnosuch\n"
    messages = "sh: 3: nosuch: not found\nsh: 9: nosuch: not found\n"
    assert shells.run(script) == ("1\n3\n2\n", messages, 127)


def test_arguments_and_variables_keep_their_line_feeds(shells: Shells) -> None:
    script = """export V='one
two'; printf '[%s]' "$V" '' ' x
'; sh -c 'echo "$1|$V|$2|"' name 'a
b
' ''"""
    assert shells.run(script) == ("[one\ntwo][][ x\n]a\nb\n|one\ntwo||\n", "", 0)


def test_programs_find_their_files_wherever_the_shell_has_gone(shells: Shells) -> None:
    script = """mkdir -p a/b; echo x > a/f; cd a/b; cat ../f "$PWD/../f" /work/a/f; ls ..; cat /dev/null
    cp ../f /tmp/g; cat /tmp/g; cat 3>out /tmp/g 4<out; exec 3</tmp/g; cat /tmp/g; cat <&3; (exec 3<&- 4<&-; cat /tmp/g)"""
    assert shells.run(script) == ("x\n" * 3 + "b\nf\n" + "x\n" * 5, "", 0)


def test_children_keep_what_the_shell_has_open(shells: Shells) -> None:
    """A descriptor that exec closes is open in a forked child, which has not executed anything."""
    assert shells.run("(echo a > f; (cat < f > g; (cat g)))")[0] == "a\n"


def test_an_interrupt_ends_a_script_and_its_commands(shells: Shells) -> None:
    answer = shells.start("-c", "echo on; sleep 20; echo no")
    answer.until("on")
    answer.process.raise_signal(Signal.INT)
    assert answer.wait() == ("on\n", "", 130)


def test_a_trap_takes_an_interrupt(shells: Shells) -> None:
    answer = shells.start("-c", "trap 'echo caught; exit 3' INT; echo on; while :; do sleep 0.01; done")
    answer.until("on")
    answer.process.raise_signal(Signal.INT)
    assert answer.wait() == ("on\ncaught\n", "", 3)


def test_a_trap_ends_wait_at_once(shells: Shells) -> None:
    answer = shells.start("-c", "trap 'echo usr' USR1; sleep 20 & echo on; wait; echo $?; kill $!; wait $!; echo $?")
    answer.until("on")
    answer.process.raise_signal(Signal.USR1)
    out, _, status = answer.wait()
    assert (out, status) == ("on\nusr\n138\n143\n", 0)


def test_a_prompt(shells: Shells) -> None:
    script = (
        b"echo a\nfor i in 1 2\ndo echo $i; done\nnosuch\necho ${x?gone}; echo no\nif; fi\necho $?\nset -Q\nexit 4\n"
    )
    out, err, status = shells.start(stdin=script, tty=True).wait()
    assert (out, status) == ("a\n1\n2\n2\n", 4)
    for part in ("$ ", "nosuch: not found", "x: gone", "Syntax error", "Illegal option -Q"):
        assert part in err


def test_ctrl_c_at_a_prompt_ends_the_command_only(shells: Shells) -> None:
    reading, writing = os.pipe()
    try:
        stream = HostStream(reading)
        stream.filetype = Filetype.CHARACTER_DEVICE
        answer = shells.start("-i", stdin=stream)
        answer.until("$ ")
        os.write(writing, b"for i in 1; do\n")
        answer.until("> ")
        os.write(writing, b"echo on; sleep 20; echo no; done\n")
        answer.until("on")
        time.sleep(0.05)
        answer.process.raise_signal(Signal.INT)
        os.write(writing, b"echo $?; exit 7\n")
        assert answer.wait()[::2] == ("on\n130\n", 7)
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    "script",
    [
        "f() { f; }; f",
        "eval " * 40 + "'" + "(" * 1000 + "'",
        'x=\'eval "$x"\'; eval "$x"',
        "echo $(" * 3000,
        "echo $((" + "(" * 3000 + "1" + ")" * 3000 + "))",
        "{ " * 2000 + "echo x" + "; }" * 2000,
    ],
)
def test_nothing_is_too_deep_to_be_refused(shells: Shells, script: str) -> None:
    answer = shells.start("-c", script)
    _, err, status = answer.wait()
    assert status not in (0, 134) and err


def test_many_children_at_once(shells: Shells) -> None:
    script = "i=0; while [ $i -lt 60 ]; do (echo $i) & i=$((i+1)); done | sort -n | tail -1; wait"
    assert shells.run(script) == ("59\n", "", 0)


def test_shells_beside_each_other(shells: Shells) -> None:
    found: list[tuple[str, str, int]] = []
    script = "for i in 1 2 3; do echo $(echo $i) | cat; done | wc -l"
    threads = [threading.Thread(target=lambda: found.append(shells.run(script))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("3\n", "", 0)] * 8


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-c", "ls /bin | sort | head -5 | wc -l"), ("5\n", 0)),
        (("-c", 'echo "$0 $1"; cat; exit 3', "name", "x"), ("name x\nfrom outside\n", 3)),
        (("-c", "yes | head -1"), ("y\n", 0)),
    ],
)
def test_from_the_command_line(arguments: tuple[str, ...], expected: tuple[str, int], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pkgmgr.cli.main", "run", "--use", "wpm/coreutils", "wpm/sh", "--", *arguments],
        input=b"from outside\n",
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert (done.stdout.decode(), done.returncode) == expected
    assert done.stderr == b""
