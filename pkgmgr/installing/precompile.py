"""Compiling the modules of installed packages ahead of their first run."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from binfactory.modules import ModuleSource
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.store import Store


def precompile(lock: Lockfile, store: Store, jobs: int | None) -> tuple[int, tuple[str, ...]]:
    """Compile every module of the locked packages that is not compiled yet.

    Args:
        lock: What is installed.
        store: Where the packages are; compiled modules are kept beside them.
        jobs: How many to compile at a time; None lets the machine decide.

    Returns:
        How many were compiled, and one line for each that could not be: that is no error before somebody runs it.
    """
    if not any(package.commands for package in lock.packages.values()):
        return 0, ()
    stamp, said = _stamp_of(lock), _circumstances(store)
    if said and _read(store.root / stamp) == said:
        return 0, ()
    from binfactory.compiling import compile_all
    from binfactory.errors import FactoryError
    from binfactory.loader import load_package
    from binfactory.modules import ModuleCache
    from pkgmgr.locks.nodes import locked_nodes

    cache = ModuleCache(store.modules)
    sources: list[ModuleSource] = []
    warnings: list[str] = []
    for node in locked_nodes(lock, store).values():
        package = load_package(node)
        for name in package.own_commands:
            try:
                command = package.command(name)
                if not cache.is_ready(command):
                    sources.append(command)
            except FactoryError as error:
                warnings.append(str(error))
    compiled = 0
    if sources:
        with _progress() as progress:
            report = compile_all(cache, sources, jobs, progress)
        compiled = report.compiled
        warnings += [f"{label}: {error}" for label, error in report.failed]
    if not warnings and (said := _circumstances(store)):
        with suppress(OSError):
            store.write_beside(stamp, said)
    return compiled, tuple(warnings)


def _stamp_of(lock: Lockfile) -> str:
    """Where it is noted that the modules of these packages are compiled."""
    # A sum of hashes tells sets of packages apart, without a library of hashes to load on every install.
    return f"compiled/{sum(int(package.sha256, 16) for package in lock.packages.values()) % 2**256:064x}"


def _circumstances(store: Store) -> bytes:
    """For which engine and folder of modules the note counts; empty where either is not there.

    It is a note and no more: each run finds its own artifacts, and compiles what it does not find.
    """
    from importlib.util import find_spec

    try:
        engine = find_spec("wasmtime")
        if engine is None or engine.origin is None:
            return b""
        status, folder = Path(engine.origin).stat(), store.modules.stat()
    except OSError:
        return b""
    return f"{engine.origin}\n{status.st_mtime_ns} {folder.st_dev} {folder.st_ino}\n".encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None] | None]:
    """A progress bar on a terminal; elsewhere nothing."""
    import sys

    from pkgmgr.installing.progress import is_shown

    if not is_shown() or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("compiling"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[module]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("compiling", total=None, module="")

        def show(done: int, total: int, module: str) -> None:
            bar.update(task, completed=done, total=total, module=module)

        yield show
