"""Compiling the modules of installed packages ahead of their first run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pkgmgr.closure import locked_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from binfactory.modules import ModuleSource
    from pkgmgr.lockfile import Lockfile
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
    from binfactory.compiling import compile_all
    from binfactory.errors import FactoryError
    from binfactory.loader import load_package
    from binfactory.modules import ModuleCache
    from runtime.engine import Engine

    cache = ModuleCache(Engine(), store.modules)
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
    if not sources:
        return 0, tuple(warnings)
    with _progress() as progress:
        report = compile_all(cache, sources, jobs, progress)
    return report.compiled, (*warnings, *(f"{label}: {error}" for label, error in report.failed))


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None] | None]:
    """A progress bar on a terminal; elsewhere nothing."""
    import sys

    if not sys.stderr.isatty():
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
