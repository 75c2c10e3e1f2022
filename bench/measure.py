"""How long whole processes take, and how much memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

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
    matters less to it), in seconds; the median of the peak memory, in bytes.
    """

    seconds: float
    low: float
    high: float
    processor: float
    memory: float


class Run(NamedTuple):
    """Of one run: seconds, seconds on processors, and the peak of resident memory in bytes."""

    seconds: float
    processor: float
    memory: int


def measure(sides: Mapping[str, Command], rounds: int) -> dict[str, Figures]:
    """Run the sides in turn, after two runs of each that do not count."""
    for command in sides.values():
        for _ in range(2):
            run(command)
    runs: dict[str, list[Run]] = {side: [] for side in sides}
    for number in range(rounds):
        # Who comes first changes: the second may find the machine warmer.
        for side in sorted(sides, reverse=bool(number % 2)):
            runs[side].append(run(sides[side]))
    found = {}
    for side, done in runs.items():
        low, middle, high = statistics.quantiles([each.seconds for each in done], n=4)
        processor = statistics.median(each.processor for each in done)
        found[side] = Figures(middle, low, high, processor, statistics.median(each.memory for each in done))
    return found


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
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(seconds, usage.ru_utime + usage.ru_stime, memory)
