"""What `wpm add`, `wpm remove` and `wpm update` share: their options, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkgmgr.cli.options import add_launchers, positive

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.editing import Edit
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store


def add_edit(parser: argparse.ArgumentParser, *, installs: bool = True) -> None:
    """Add what says how far a change goes: `--dry-run`, `--locked`, and those of installing."""
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--locked", action="store_true", help="fail where wasmer.lock would change")
    if installs:
        parser.add_argument("--no-install", action="store_true", help="write wasmer.lock, and install nothing")
        parser.add_argument("--jobs", type=positive, metavar="N", help="fetch and compile N at a time")
        parser.add_argument("--no-compile", action="store_true", help="leave compiling the modules to their first run")
        add_launchers(parser)


def edit_options(arguments: argparse.Namespace) -> InstallOptions:
    """The options of such a verb, as an install takes them."""
    from pkgmgr.installing.options import InstallOptions

    return InstallOptions(
        registry=arguments.registry,
        locked=arguments.locked,
        offline=arguments.offline,
        jobs=getattr(arguments, "jobs", None),
        compile=not getattr(arguments, "no_compile", False),
        refresh=getattr(arguments, "refresh", False),
        launchers=not getattr(arguments, "no_launchers", False),
    )


def finish(
    project: Project,
    edit: Edit,
    store: Store,
    options: InstallOptions,
    arguments: argparse.Namespace,
    lines: Iterable[str] = (),
    told: dict[str, Any] | None = None,
) -> int:
    """Carry a change out, unless only a look at it was asked for, and print what changed.

    Args:
        project: The project as it was read.
        edit: The change.
        store: Where packages go.
        options: How to install.
        arguments: What was typed: `dry_run`, `json`, and `no_install` where the verb has it.
        lines: What to print first, once it is true.
        told: More for programs.
    """
    from pkgmgr.cli.changes import changes_as_json, counted, print_changes, print_installed, print_warnings
    from pkgmgr.cli.output import print_json, print_text
    from pkgmgr.installing.install import InstallReport
    from pkgmgr.locks.changes import lock_changes
    from pkgmgr.projects.editing import carry_out, check_locked

    changes = lock_changes(project.lock, edit.lock)
    installs = not getattr(arguments, "no_install", True)
    if arguments.dry_run:
        check_locked(project, edit.lock, options)
        report = InstallReport(edit.lock, (), False, 0, ())
    else:
        report = carry_out(project, edit, store, options, install=installs)
    print_warnings(report)
    if arguments.json:
        from pkgmgr.cli.changes import report_as_json

        shown = {"changes": changes_as_json(changes), **report_as_json(report), "dry_run": arguments.dry_run}
        print_json({**(told or {}), **shown})
        return 0
    for line in lines:
        print_text(line)
    print_changes(changes)
    if arguments.dry_run:
        print("nothing was written (--dry-run)" if changes or edit.text != edit.before else "nothing would change")
    elif installs:
        print_installed(report)
    else:
        count = counted(len(report.lock.packages), "package")
        print(f"wasmer.lock: {count}, {'written' if report.lock_written else 'unchanged'}")
    return 0
