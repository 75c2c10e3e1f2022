"""How verbs show what an install did and what changed in a lock."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pkgmgr.cli.output import print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkgmgr.installing.install import InstallReport
    from pkgmgr.locks.changes import LockChange


def print_changes(changes: Sequence[LockChange]) -> None:
    """Print a line for each package that came, went or became another one."""
    from pkgmgr.cli.style import Style

    style = Style.of_output()
    for change in changes:
        if change.before is None:
            print_text(style.green(str(change)))
        elif change.after is None:
            print_text(style.red(str(change)))
        else:
            print_text(str(change))


def changes_as_json(changes: Sequence[LockChange]) -> list[dict[str, str | None]]:
    """The changes for programs."""
    return [change._asdict() for change in changes]


def report_as_json(report: InstallReport) -> dict[str, Any]:
    """What an install did, for programs."""
    return {
        "packages": sorted(report.lock.packages),
        "fetched": list(report.fetched),
        "compiled": report.compiled,
        "lock_written": report.lock_written,
        "launchers_written": report.launchers_written,
        "warnings": list(report.warnings),
    }


def print_warnings(report: InstallReport) -> None:
    """Print what went wrong without being an error."""
    for warning in report.warnings:
        print(f"wpm: {warning}", file=sys.stderr)


def print_installed(report: InstallReport) -> None:
    """Print in one line what an install did."""
    done = [f"{len(report.fetched)} fetched"] if report.fetched else []
    done += [f"{counted(report.compiled, 'module')} compiled"] if report.compiled else []
    done += ["wasmer.lock written"] if report.lock_written else []
    if report.launchers_written and not done:
        done = ["launchers written"]
    print(f"{counted(len(report.lock.packages), 'package')} installed ({', '.join(done) or 'nothing to do'})")


def counted(number: int, what: str, several: str | None = None) -> str:
    """`1 package`, `2 packages`; `several` is the plural where that is another than with an s."""
    return f"{number} {what if number == 1 else several or what + 's'}"
