"""`wpm rootfs diff`: what differs between two images. The exit code is that of diff(1): 0 the same, 1 different, 2 trouble."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_platform, add_registry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pkgmgr.rootfs.comparing import Change, Comparison

_DIFFERENT = 1
_TROUBLE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = (
        "Show what differs between two images, however they are cut into layers: A added, D removed, M changed, T something "
        "else is there. Exit code 0: they are the same, 1: they differ, 2: one cannot be read."
    )
    parser.add_argument(
        "before", metavar="A", help="an image: a directory, a tar, a .webc, an OCI layout, oci://HOST/NAME:TAG"
    )
    parser.add_argument("after", metavar="B", help="another image")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--stat", action="store_true", help="show how many bytes each file has more or less, and the sums")
    how.add_argument("--content", action="store_true", help="show what changed in files of text, too")
    parser.add_argument("--ignore-times", action="store_true", help="let times differ")
    add_platform(parser)
    add_registry(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare the images."""
    try:
        found = _compare(arguments)
        _show(found, arguments)
    except Exception as error:
        from pkgmgr.cli.main import error_line

        if (line := error_line(error)) is None or isinstance(error, BrokenPipeError):
            raise
        print(f"wpm: {line}", file=sys.stderr)
        return _TROUBLE
    return 0 if found.same else _DIFFERENT


def _compare(arguments: argparse.Namespace) -> Comparison:
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.rootfs.comparing import compare_images
    from pkgmgr.rootfs.opening import open_image

    install = InstallOptions(registry=arguments.registry, offline=arguments.offline)
    before, after = (
        open_image(place, install=install, platform=arguments.platform) for place in (arguments.before, arguments.after)
    )
    return compare_images(before, after, times=not arguments.ignore_times)


def _show(found: Comparison, arguments: argparse.Namespace) -> None:
    from pkgmgr.cli.output import print_json, print_text

    if arguments.json:
        print_json(_as_json(found))
        return
    lines = _stat(found) if arguments.stat else _lines(found)
    for line in lines:
        print_text(line)
    if arguments.content:
        from pkgmgr.rootfs.text_changes import text_changes

        for change in found.changes:
            for line in text_changes(change):
                print_text(line)


def _lines(found: Comparison) -> Iterator[str]:
    from pkgmgr.plain_text import one_line
    from pkgmgr.rootfs.comparing import described

    for change in found.changes:
        notes = described(change)
        yield f"{change.status.value}\t{one_line(change.path)}" + (f"\t{', '.join(notes)}" if notes else "")
    for each in found.config:
        yield f"M\t(configuration)\t{each.key}: {one_line(str(each.before), 200)} -> {one_line(str(each.after), 200)}"


def _stat(found: Comparison) -> Iterator[str]:
    from pkgmgr.cli.changes import counted
    from pkgmgr.plain_text import one_line
    from pkgmgr.rootfs.comparing import Status

    for change in found.changes:
        before, after = (0 if entry is None else entry.size for entry in (change.before, change.after))
        yield f"{change.status.value}\t{one_line(change.path)}\t{before} -> {after} bytes"
    for each in found.config:
        yield f"M\t(configuration)\t{each.key}"
    counts = {status: sum(change.status is status for change in found.changes) for status in Status}
    changed = counts[Status.CHANGED] + counts[Status.RETYPED]
    sums = (f"{counts[Status.ADDED]} added", f"{counts[Status.REMOVED]} removed", f"{changed} changed")
    yield f"{counted(len(found.changes), 'name')}: {', '.join(sums)}; {found.added_bytes:+} bytes"


def _as_json(found: Comparison) -> dict[str, object]:
    from pkgmgr.rootfs.listing import plain_text

    def side(change: Change, *, after: bool) -> dict[str, object] | None:
        entry = change.after if after else change.before
        if entry is None:
            return None
        told: dict[str, object] = {
            "type": entry.kind.value,
            "mode": f"{entry.mode:04o}",
            "uid": entry.uid,
            "gid": entry.gid,
            "size": entry.size,
            "mtime": entry.mtime,
        }
        return told | ({"target": plain_text(entry.target)} if entry.target else {})

    return {
        "same": found.same,
        "changes": [
            {
                "path": plain_text(change.path),
                "status": change.status.name.lower(),
                "what": list(change.what),
                "before": side(change, after=False),
                "after": side(change, after=True),
            }
            for change in found.changes
        ],
        "config": [each._asdict() for each in found.config],
        "added_bytes": found.added_bytes,
    }
