"""How long rounds of work take, and how much memory: whole processes, and servers that do a round when they are told to."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Command(NamedTuple):
    """A process to measure.

    Attributes:
        words: The command line.
        cwd: Where it runs.
        environment: Its variables.
        expected: What it must write to standard output somewhere; a run that does not is a failure.
        prepare: What is done before each run, and does not count.
    """

    words: list[str]
    cwd: Path
    environment: Mapping[str, str]
    expected: bytes
    prepare: Callable[[], object] | None = None


class Figures(NamedTuple):
    """Of several runs: the median time with its quartiles, the median time on processors (what else the machine does
    matters less to it), in seconds; the median of the peak memory, in bytes; the median of the number that it printed
    last, where it printed one.
    """

    seconds: float
    low: float
    high: float
    processor: float
    memory: float
    printed: float = 0.0


class Run(NamedTuple):
    """Of one run: seconds, seconds on processors, the peak of resident memory in bytes, what was written."""

    seconds: float
    processor: float
    memory: int
    written: bytes = b""


class Side(Protocol):
    """What does a round of work."""

    def once(self) -> Run:
        """Do a round."""

    def close(self) -> int:
        """End it; gives the peak of memory in bytes of what lived through all rounds, or 0."""


class ProcessSide:
    """A side that is a whole process for each round."""

    def __init__(self, command: Command) -> None:
        self._command = command

    def once(self) -> Run:
        """Run the process."""
        return run(self._command)

    def close(self) -> int:
        """Nothing is left over."""
        return 0


class ServerSide:
    """A side that is one process for all rounds: a line to it is answered with seconds, and seconds on processors."""

    def __init__(self, words: list[str], cwd: Path, environment: Mapping[str, str]) -> None:
        # Open for as long as the server lives.
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            words,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )

    def once(self) -> Run:
        """Do a round.

        Raises:
            RuntimeError: The server ended; the text is the last that it said.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            print(file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline().split()
        if len(answer) != 2:
            code = self._process.wait()
            self._complaints.seek(0)
            last = (self._complaints.read().strip().splitlines() or ["it has not said why"])[-1]
            raise RuntimeError(f"exit code {code}: {last}")
        return Run(float(answer[0]), float(answer[1]), 0)

    def close(self) -> int:
        """End the server."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._complaints.close()
        if self._process.returncode is not None:
            return 0
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.stdout.close()
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return _peak(usage.ru_maxrss)


def measure(sides: Mapping[str, Command], rounds: int) -> dict[str, Figures]:
    """Run processes in turn, after two runs of each that do not count."""
    return measure_sides({side: ProcessSide(command) for side, command in sides.items()}, rounds, warm_up=2)


def measure_sides(sides: Mapping[str, Side], rounds: int, warm_up: int) -> dict[str, Figures]:
    """Do rounds of the sides in turn, after some of each that do not count; the sides are closed then."""
    runs: dict[str, list[Run]] = {side: [] for side in sides}
    peaks = dict.fromkeys(sides, 0)
    try:
        for side in sides.values():
            for _ in range(warm_up):
                side.once()
        for number in range(rounds):
            # Who comes first changes: the second may find the machine warmer.
            for name in sorted(sides, reverse=bool(number % 2)):
                runs[name].append(sides[name].once())
    finally:
        for name, side in sides.items():
            peaks[name] = side.close()
    return {name: _figures(done, peaks[name]) for name, done in runs.items()}


def _figures(runs: list[Run], peak: int) -> Figures:
    seconds = [each.seconds for each in runs]
    low, middle, high = statistics.quantiles(seconds, n=4) if len(runs) > 1 else seconds * 3
    last = [each.written.split()[-1:] for each in runs]
    printed = statistics.median(float(word[0]) if word and word[0].isdigit() else 0.0 for word in last)
    processor = statistics.median(each.processor for each in runs)
    return Figures(middle, low, high, processor, peak or statistics.median(each.memory for each in runs), printed)


def run(command: Command) -> Run:
    """Run a process once.

    Raises:
        RuntimeError: It failed, or wrote something else.
    """
    if command.prepare is not None:
        command.prepare()
    begin = time.perf_counter()
    process = subprocess.Popen(
        command.words,
        cwd=command.cwd,
        env=dict(command.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    written = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    complaint = process.stderr.read().decode(errors="replace")
    process.stdout.close()
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or command.expected not in written:
        raise RuntimeError(f"{' '.join(command.words)}: exit code {process.returncode}: {written[-300:]!r} {complaint}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, _peak(usage.ru_maxrss), written)


def _peak(maxrss: int) -> int:
    """The peak of resident memory in bytes: Linux counts it in KiB."""
    return maxrss * (1 if sys.platform == "darwin" else 1024)
