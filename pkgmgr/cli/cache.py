"""`wpm cache`: look after the store."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json
from pkgmgr.store.prune import DAYS

if TYPE_CHECKING:
    import argparse

    from pkgmgr.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `wpm cache` can do."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, summary in (
        ("verify", "Read everything in the store again and tell what is wrong"),
        ("info", "Tell what the store holds"),
        ("dir", "Print the store's directory"),
        (
            "prune",
            "Remove what was not used for long: packages, compiled modules, layers of images, what registries said",
        ),
        ("clean", "Empty the store: packages, compiled modules, layers of images, resolutions, what registries said"),
    ):
        sub = what.add_parser(name, help=summary, description=summary + ".", epilog=f"Example: wpm cache {name}")
        if name != "dir":
            add_json(sub)
        if name == "prune":
            sub.epilog = "Example: wpm cache prune --days 7 --dry-run. What an installed tool runs on stays."
            sub.add_argument(
                "--days", type=_days, default=DAYS, metavar="N", help=f"for how many days (default: {DAYS})"
            )
            sub.add_argument("--dry-run", action="store_true", help="only tell what would go")


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from pkgmgr.store import Store

    store = Store.default()
    match arguments.what:
        case "verify":
            return _verify(store, arguments.json)
        case "info":
            return _info(store, arguments.json)
        case "prune":
            return _prune(store, arguments)
        case "clean":
            return _clean(store, arguments.json)
        case _:
            print(store.root)
            return 0


def _verify(store: Store, as_json: bool) -> int:
    """Exit code 1 where something is wrong."""
    from pkgmgr.store.verify import damaged_modules, verify_store

    report = verify_store(store)
    modules = list(damaged_modules(store))
    clean = report.clean and not modules
    if as_json:
        from pkgmgr.cli.output import print_json

        print_json(
            {
                "clean": clean,
                "sound": report.sound,
                "corrupt": [str(path) for path in report.corrupt],
                "foreign": [str(path) for path in report.foreign],
                "abandoned": [str(path) for path in report.abandoned],
                "modules": [str(path) for path, _ in modules],
            }
        )
        return 0 if clean else 1
    for path in report.corrupt:
        print(f"wpm: {path}: its bytes are not those of its name: delete it and install again", file=sys.stderr)
    for path in report.foreign:
        print(f"wpm: {path}: this does not belong in the store: delete it", file=sys.stderr)
    for path, reason in modules:
        print(f"wpm: {path}: {reason}: delete it, it is compiled again when it is needed", file=sys.stderr)
    from pkgmgr.cli.changes import counted

    if report.abandoned:
        print(f"{counted(len(report.abandoned), 'unfinished file')} of killed installs: the next install cleans up")
    are = "is" if report.sound == 1 else "are"
    print(f"{counted(report.sound, 'package')} {are} sound" + ("" if clean else ", but something is wrong"))
    return 0 if clean else 1


def _info(store: Store, as_json: bool) -> int:
    from pkgmgr.cli.output import bytes_for_people, print_json

    info = store.info()
    if as_json:
        print_json(
            {
                "directory": str(info.root),
                "packages": info.objects,
                "package_bytes": info.object_bytes,
                "other_bytes": info.other_bytes,
                "module_bytes": info.module_bytes,
                "metadata_bytes": info.metadata_bytes,
                "layer_bytes": info.layer_bytes,
            }
        )
        return 0
    rest = max(0, info.other_bytes - info.module_bytes - info.metadata_bytes - info.layer_bytes)
    print(f"directory: {info.root}")
    print(f"packages:  {info.objects} ({bytes_for_people(info.object_bytes)})")
    print(f"modules:   {bytes_for_people(info.module_bytes)} (compiled)")
    print(f"layers:    {bytes_for_people(info.layer_bytes)} (of images)")
    print(f"metadata:  {bytes_for_people(info.metadata_bytes)} (what registries said)")
    print(f"others:    {bytes_for_people(rest)} (resolutions, unfinished downloads)")
    return 0


def _prune(store: Store, arguments: argparse.Namespace) -> int:
    from pkgmgr.cli.changes import counted
    from pkgmgr.cli.output import bytes_for_people, print_json, print_text
    from pkgmgr.store.prune import prune_store
    from pkgmgr.tools.record import ToolFolder

    keep = {package.sha256 for tool in ToolFolder.default().all() for package in tool.lock.packages.values()}
    report = prune_store(store, arguments.days, keep, dry_run=arguments.dry_run)
    if arguments.json:
        print_json(
            {
                "dry_run": arguments.dry_run,
                "packages": [package._asdict() for package in report.packages],
                "modules": report.modules,
                "module_bytes": report.module_bytes,
                "resolutions": report.resolutions,
                "metadata": report.metadata,
                "temporaries": report.temporaries,
                "layers": report.layers,
                "layer_bytes": report.layer_bytes,
                "freed_bytes": report.freed_bytes,
            }
        )
        return 0
    for package in report.packages:
        print_text(f"{package.id} ({bytes_for_people(package.size)})")
    removed = [
        counted(count, what, several)
        for count, what, several in (
            (len(report.packages), "package", None),
            (report.modules, "compiled module", None),
            (report.layers, "layer of an image", "layers of images"),
            (report.resolutions, "resolution", None),
            (report.metadata, "registry reply", "registry replies"),
            (report.temporaries, "unfinished file", None),
        )
        if count
    ]
    would = "would be removed" if arguments.dry_run else "removed"
    freed = bytes_for_people(report.freed_bytes)
    print(f"{', '.join(removed)} {would}, {freed} freed" if removed else "nothing to remove")
    return 0


def _days(text: str) -> float:
    """The type of `--days`: a number from 0."""
    with suppress(ValueError):
        if 0 <= (number := float(text)) < 1e6:
            return number
    from argparse import ArgumentTypeError

    raise ArgumentTypeError(f"{text[:60]}: expected a number from 0")


def _clean(store: Store, as_json: bool) -> int:
    from pkgmgr.cli.changes import counted
    from pkgmgr.cli.output import bytes_for_people, print_json

    info = store.info()
    store.clean()
    left = store.info()
    removed = max(0, info.objects - left.objects)
    freed = max(0, info.object_bytes + info.other_bytes - left.object_bytes - left.other_bytes)
    if as_json:
        print_json({"packages": removed, "freed_bytes": freed})
    else:
        print(f"{counted(removed, 'package')} removed, {bytes_for_people(freed)} freed")
    if left.objects:
        print(
            f"wpm: {store.root}: {counted(left.objects, 'package')} could not be removed: are they yours?",
            file=sys.stderr,
        )
        return 1
    return 0
