"""Works within one process that lives for long, warm: commands of packages, run in one sandbox. The same for both sides."""

from __future__ import annotations

from typing import Final, NamedTuple

MIB: Final = 1 << 20
FILES: Final = 20_000
"""Files of the tree that is walked."""
FILES_IN_FOLDER: Final = 100
TREE: Final = "/usr/share/tree"
TASKS_DONE: Final = "49880 32947 33889 33629 49564 33428\n"
"""What `guests/tasks.js` prints after 200,000 steps."""
BULK: Final = 1 << 30
"""Bytes that go through a pipe, come from a volume and go to `/tmp`."""


class WarmWork(NamedTuple):
    """A command, how often it runs in one round, and what it has to print.

    Attributes:
        title: What is done.
        aim: What the ratio of the medians, ours to theirs, is to be at most.
        packages: The packages of the sandbox, by their names in `materials`.
        command: The command.
        arguments: Its arguments; `{file}` stands for the path of the file in the guest.
        amount: How much one round does, in units.
        unit: Of what.
        times: How often the command runs in a round.
        at_once: How many of them at the same time.
        prints: What each run writes to standard output.
        lines: How many lines it writes, where the lines themselves differ.
        file: A file of the host, by its name in `materials`, that the guest sees: in a volume with `wpm`, in the sandbox's own
            filesystem with the SDK, which has no volumes.
        limit: What of `limits` bounds it.
        note: What to know of how it is measured.
        opens: Whether a round opens the package and lists its commands instead of running one.
    """

    title: str
    aim: float
    packages: tuple[str, ...]
    command: str
    arguments: tuple[str, ...]
    amount: int
    unit: str
    times: int = 1
    at_once: int = 1
    prints: str | None = None
    lines: int | None = None
    file: str | None = None
    limit: str | None = None
    note: str = ""
    opens: bool = False

    def check(self, exit_code: int, written: bytes, complaint: bytes) -> None:
        """See to it that a run did what it should.

        Raises:
            RuntimeError: It did not.
        """
        told = f"{self.title}: exit code {exit_code}, {written[-200:]!r}, {complaint[-500:]!r}"
        if exit_code or (self.prints is not None and written != self.prints.encode()):
            raise RuntimeError(told)
        if self.lines is not None and written.count(b"\n") != self.lines:
            raise RuntimeError(f"{told}: {written.count(10)} lines")


def _shell(title: str, aim: float, script: str, prints: str, amount: int, unit: str, **more: str) -> WarmWork:
    packages, arguments = ("shell", "coreutils"), ("-c", script)
    return WarmWork(title, aim, packages, "shell", arguments, amount, unit, prints=prints, **more)  # type: ignore[arg-type]


def _calls(title: str, kind: str, count: int, limit: str | None = None) -> WarmWork:
    arguments = (kind, str(count))
    return WarmWork(
        title, 1.0, ("host_calls",), "host_calls", arguments, count, "call", prints=f"{count}\n", limit=limit
    )


def _size(count: int) -> str:
    return f"{count >> 30} GiB" if count >= 1 << 30 else f"{count >> 20} MiB"


_ECHO: Final = "123456789012345678901"


def _works(part: int) -> dict[str, WarmWork]:
    """All works, of each the given part only."""
    # No round is shorter than a twentieth of a second or so: shorter ones say little about a busy machine.
    spawns, forks = max(200 // part, 100), max(100 // part, 50)
    echoes, turns = max(20_000 // part, 5000), max(100_000 // part, 20_000)
    writes, bulk = 300_000 // part, BULK // part
    return {
        "B3.one": WarmWork(
            "spawn and wait, one at a time", 0.5, ("coreutils",), "true", (), spawns, "command", spawns, prints=""
        ),
        "B3.four": WarmWork(
            "spawn and wait, four at a time", 0.5, ("coreutils",), "true", (), spawns, "command", spawns, 4, prints=""
        ),
        "B4": _shell(
            f"{forks} forks in dash",
            0.5,
            f"i=0; while [ $i -lt {forks} ]; do (exit 0); i=$((i+1)); done; echo $i",
            f"{forks}\n",
            forks,
            "fork",
        ),
        "B5": _shell(
            f"{echoes:,} echoes in dash, captured",
            0.2,
            f"i=0; while [ $i -lt {echoes} ]; do echo {_ECHO}; i=$((i+1)); done",
            f"{_ECHO}\n" * echoes,
            echoes,
            "echo",
        ),
        "B6.clock_time_get": _calls("clock_time_get", "clock", 1_000_000 // part, "wasmtime's own WASI"),
        "B6.fd_write": WarmWork(
            "fd_write of 16 bytes to a pipe",
            1.0,
            ("pipe_writes",),
            "pipe_writes",
            (str(writes),),
            writes,
            "call",
            prints=f"{writes}\n",
            note="the guest reads its pipe empty after every 256 writes, 4 KiB at once, which is counted in",
        ),
        "B6.fd_read": _calls("fd_read of 4 KiB from a package file", "read", 300_000 // part),
        "B6.path_open": _calls("path_open and fd_close of a package file", "open", 50_000 // part),
        "B7.pipe": _shell(
            f"{_size(bulk)} through a guest pipe",
            1.0,
            f"head -c {bulk} /dev/zero | wc -c",
            f"{bulk}\n",
            bulk,
            "byte",
            limit="head and wc of the host",
        ),
        "B7.volume": _shell(
            f"{_size(BULK)} read from a volume",
            1.0,
            "cat {file} > /dev/null && stat -c %s {file}",
            f"{BULK}\n",
            BULK,
            "byte",
            file="bulk",
            limit="cat of the host",
            note="the SDK has no volumes: it reads a file of its sandbox's own filesystem, which is in memory",
        ),
        "B7.tmp": _shell(
            f"{_size(bulk)} written to /tmp",
            1.0,
            f"head -c {bulk} /dev/zero > /tmp/zeros; stat -c %s /tmp/zeros; rm /tmp/zeros",
            f"{bulk}\n",
            bulk,
            "byte",
            limit="dd of the host",
        ),
        "B8.find": WarmWork(
            "find over 20,000 files of a package",
            1.0,
            ("tree", "coreutils"),
            "find",
            (TREE,),
            FILES,
            "file",
            lines=1 + FILES // FILES_IN_FOLDER + FILES,
        ),
        "B8.ls": WarmWork(
            "ls -laR over 20,000 files of a package",
            1.0,
            ("tree", "coreutils"),
            "ls",
            ("-laR", TREE),
            FILES,
            "file",
            # Of each directory: its name, its sum, `.` and `..`, an empty line between two.
            lines=FILES + FILES // FILES_IN_FOLDER + (1 + FILES // FILES_IN_FOLDER) * 5 - 1,
        ),
        "B9.python": WarmWork(
            "CPython: sum(n*n for n in range(1000000))",
            1.0,
            ("python",),
            "python",
            ("-c", "print(sum(n*n for n in range(1000000)))"),
            1,
            "run",
            prints="333332833333500000\n",
            limit="wasmtime's own WASI",
            note="with the start of the interpreter",
        ),
        "B9.qjs": WarmWork(
            "QuickJS: 200,000 steps of tasks that send packets",
            1.0,
            ("qjs",),
            "qjs",
            ("/bench/tasks.js", "200000"),
            1,
            "run",
            prints=TASKS_DONE,
        ),
        "B9.dash": _shell(
            f"dash: {turns:,} turns of a counting loop",
            1.0,
            f"i=0; while [ $i -lt {turns} ]; do i=$((i+1)); done; echo $i",
            f"{turns}\n",
            turns,
            "turn",
        ),
        "B12.open": WarmWork(
            "open a WEBC of 100 MB and list its commands, in process, seen before",
            0.5,
            ("packed",),
            "host_calls",
            (),
            20,
            "package",
            20,
            opens=True,
        ),
    }


WARM_WORKS: Final = _works(1)
SMALL_WORKS: Final = {
    f"small.{name}": work
    for name, work in _works(10).items()
    if name.partition(".")[0] not in ("B12",) and name not in ("B9.python", "B9.qjs")
}
"""For `check`: what tells, in a tenth of the time, whether something got slower."""
SERVED: Final = {**WARM_WORKS, **SMALL_WORKS}
