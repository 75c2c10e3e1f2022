"""`wpm cache`: look after the store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json

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
        ("clean", "Empty the store: packages, compiled modules, resolutions"),
    ):
        sub = what.add_parser(name, help=summary, description=summary + ".")
        if name != "dir":
            add_json(sub)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from pkgmgr.store import Store

    store = Store.default()
    match arguments.what:
        case "verify":
            return _verify(store, arguments.json)
        case "info":
            return _info(store, arguments.json)
        case "clean":
            return _clean(store, arguments.json)
        case _:
            print(store.root)
            return 0


def _verify(store: Store, as_json: bool) -> int:
    """Exit code 1 where something is wrong."""
    from pkgmgr.verify_store import damaged_modules, verify_store

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
    if report.abandoned:
        print(f"{len(report.abandoned)} unfinished files of killed installs: the next install removes them")
    print(f"{report.sound} packages are sound" + ("" if clean else ", but something is wrong"))
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
            }
        )
        return 0
    print(f"directory: {info.root}")
    print(f"packages:  {info.objects} ({bytes_for_people(info.object_bytes)})")
    print(f"others:    {bytes_for_people(info.other_bytes)} (compiled modules, resolutions)")
    return 0


def _clean(store: Store, as_json: bool) -> int:
    from pkgmgr.cli.output import bytes_for_people, print_json

    info = store.info()
    store.clean()
    freed = info.object_bytes + info.other_bytes
    if as_json:
        print_json({"packages": info.objects, "freed_bytes": freed})
    else:
        print(f"{info.objects} packages removed, {bytes_for_people(freed)} freed")
    return 0
