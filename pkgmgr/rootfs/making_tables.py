"""Making the tables that the store lacks, in several processes: the first build of an image is not to wait for them."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkgmgr.rootfs.package_layer import PackageLayer

_FEWEST: Final = 8
"""Fewer packages for each process are made sooner than it is."""


def make_tables(layers: Sequence[PackageLayer]) -> None:
    """Put the tables of layers into the store, where there are many to be made, and several processors.

    What is made by nobody here, or cannot be, is made by whoever asks for it, who is told then what is wrong with a package.
    Those of 200 packages with 50,000 files take 0.26 s on four processors, and 0.5 s on one.

    Args:
        layers: Of packages.
    """
    if not _is_alone():
        return
    missing = [layer for layer in layers if layer.lacks_table()]
    count = min(len(os.sched_getaffinity(0)), len(missing) // _FEWEST)
    if count < 2:
        return
    children: list[int] = []
    # No handler is to run in a copy: what it raises would go on there as it does here.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with suppress(OSError):
            for number in range(count):
                child = os.fork()
                if not child:
                    _make(missing[number::count])
                children.append(child)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        while children:
            os.waitpid(children[-1], 0)
            children.pop()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _is_alone() -> bool:
    """Whether this process has one thread: a copy of another may wait for what its threads held. Only Linux tells."""
    try:
        return sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False


def _make(layers: Sequence[PackageLayer]) -> None:
    """Make tables, as a process of its own, which ends then, and says nothing."""
    try:
        for layer in layers:
            layer.table()
    except BaseException:
        os._exit(1)
    os._exit(0)
