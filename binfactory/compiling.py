"""Compile many modules at once, as an install does, within the memory that there is."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from binfactory.errors import FactoryError
from runtime.host_threads import leave_signals_to_main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from binfactory.modules import ModuleCache, ModuleSource

# Measured on modules of 80 kB to 3 MB: at most 32 MiB and 64 bytes for each byte of WebAssembly.
PEAK_FIXED = 32 << 20
PEAK_FACTOR = 64
LEFTOVER_AGE = 3600.0


class CompileReport(NamedTuple):
    """What came of it.

    Attributes:
        compiled: How many modules were compiled.
        cached: How many were there already.
        failed: The modules that could not be compiled, with the reason, in the order in which they were given.
    """

    compiled: int
    cached: int
    failed: tuple[tuple[str, FactoryError], ...]


def compile_all(
    cache: ModuleCache,
    items: Iterable[ModuleSource],
    jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    memory: int | None = None,
) -> CompileReport:
    """Compile modules that are not compiled yet, several at a time, each module once.

    Args:
        cache: Where they go.
        items: The modules.
        jobs: How many at a time; by default as many as there are processors.
        progress: Called after each module with how many are done, how many there are, and its name; one call at a time.
        memory: How many bytes the compilers may take together; by default half of what is free. A module that needs
            more than that is compiled alone.
    """
    work: dict[str, tuple[int, ModuleSource]] = {}
    for position, item in enumerate(items):
        work.setdefault(item.atom_sha256, (position, item))
    if cache.artifacts is not None:
        from time import time

        cache.artifacts.sweep(time() - LEFTOVER_AGE)
    # The largest first: a long one started last would be waited for alone.
    queue = sorted(work.values(), key=lambda each: len(each[1].atom))
    gate = _MemoryGate(_free_memory() // 2 if memory is None else memory)
    lock = threading.Lock()
    done = compiled = 0
    failed: list[tuple[int, str, FactoryError]] = []
    broken: list[BaseException] = []

    def worker() -> None:
        nonlocal done, compiled
        leave_signals_to_main()
        while True:
            with lock:
                if not queue or broken:
                    return
                position, item = queue.pop()
            need = PEAK_FIXED + PEAK_FACTOR * len(item.atom)
            try:
                gate.enter(need)
                try:
                    fresh = cache.prepare(item)
                finally:
                    gate.leave(need)
                with lock:
                    compiled += fresh
            except FactoryError as error:
                with lock:
                    failed.append((position, item.atom_label, error))
            except BaseException as error:
                broken.append(error)
                return
            with lock:
                done += 1
                if progress is not None:
                    try:
                        progress(done, len(work), item.atom_label)
                    except BaseException as error:
                        broken.append(error)
                        return

    count = max(1, min(jobs or os.cpu_count() or 1, len(queue)))
    threads = [threading.Thread(target=worker, name=f"compile-{number}", daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:
        # Ctrl-C: what is being compiled finishes in the background, nothing more is begun.
        with lock:
            queue.clear()
        raise
    if broken:
        raise broken[0]
    failed.sort(key=lambda each: each[0])
    return CompileReport(compiled, len(work) - compiled - len(failed), tuple((label, why) for _, label, why in failed))


class _MemoryGate:
    """Lets compilers in while their estimated peaks fit together; one alone always fits."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    def enter(self, need: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._used == 0 or self._used + need <= self._limit)
            self._used += need

    def leave(self, need: int) -> None:
        with self._changed:
            self._used -= need
            self._changed.notify_all()


def _free_memory() -> int:
    """How many bytes of memory can be had without swapping, as far as the system tells."""
    try:
        with open("/proc/meminfo", "rb") as file:
            for line in file:
                if line.startswith(b"MemAvailable:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (OSError, ValueError):
        return 2 << 30
