"""`wpm rootfs push`: send an image, or a package, to an OCI registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.cli.options import add_json, add_quiet, positive
from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from pkgmgr.oci.push import Contents

_WEBC: Final = b"\0webc"
_TAG: Final = "pushed"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `wpm rootfs push`."""
    parser.add_argument(
        "image",
        metavar="IMAGE",
        help="an OCI layout (PATH:TAG chooses one of its images), a directory, a tar, oci://HOST/NAME:TAG of "
        "another registry, or a .webc, which is pushed as it is",
    )
    parser.add_argument("reference", metavar="REF", help="where to: HOST/NAME:TAG, with or without oci://")
    parser.add_argument(
        "-t", "--tag", action="append", default=[], metavar="TAG", help="one more tag for it; may be repeated"
    )
    parser.add_argument(
        "--mount-from",
        action="append",
        default=[],
        metavar="NAME",
        help="a repository of the registry that may have some of the layers already; may be repeated",
    )
    parser.add_argument(
        "--platform",
        metavar="OS/ARCH",
        help="of an image for several platforms, this one alone (default: all of it)",
    )
    parser.add_argument("--jobs", type=positive, metavar="N", help="send N layers at a time (default: 4)")
    add_quiet(parser)
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Push; prints the digest by which it can be had from now on."""
    # These take longer to import than declaring the options of every other part of the verb.
    from tempfile import TemporaryDirectory

    from pkgmgr.oci.push import push
    from pkgmgr.oci.reference import parse_typed

    reference = parse_typed(arguments.reference)
    with TemporaryDirectory(prefix="wpm-push-") as folder:
        contents = _contents(arguments.image, Path(folder), arguments.platform)
        report = push(contents, reference, tags=arguments.tag, mount_from=arguments.mount_from, jobs=arguments.jobs)
    exact = reference.with_digest(report.digest)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(
            {
                "reference": str(reference),
                "digest": report.digest,
                "tags": list(report.tags),
                "sent": report.sent,
                "sent_bytes": report.sent_bytes,
                "mounted": report.mounted,
                "present": report.present,
            }
        )
        return 0
    if arguments.quiet:
        print(report.digest)
        return 0
    from pkgmgr.cli.changes import counted
    from pkgmgr.cli.output import bytes_for_people

    parts = [f"{counted(report.sent, 'blob')} sent ({bytes_for_people(report.sent_bytes)})"]
    parts += [f"{report.mounted} mounted"] if report.mounted else []
    parts += [f"{report.present} there already"] if report.present else []
    print(f"pushed {exact} as {', '.join(report.tags)}: {', '.join(parts)}")
    return 0


def _contents(image: str, folder: Path, platform: str | None) -> Contents:
    """What is pushed; what has to be made for it goes into the folder."""
    from pkgmgr.oci.marker import is_layout
    from pkgmgr.oci.push import layout_contents
    from pkgmgr.oci.reference import SCHEME
    from pkgmgr.rootfs.opening import layout_and_tag

    if image.startswith(SCHEME):
        return _of_registry(image, folder / "layout", platform)
    path, tag = Path(image), None
    if not path.exists() and (before := layout_and_tag(image)) is not None:
        path, tag = before
    if is_layout(path):
        return layout_contents(path, tag, platform)
    if path.is_file() and _head(path).startswith(_WEBC):
        from pkgmgr.oci.artifact import artifact_contents

        return artifact_contents(path, folder)
    from pkgmgr.rootfs.flattening import flatten
    from pkgmgr.rootfs.opening import open_image
    from pkgmgr.rootfs.writing import Output, write_image

    opened = open_image(image)
    layout = folder / "layout"
    write_image(opened, flatten(opened.layers).entries, layout, Output("oci", "gzip", tag=_TAG))
    return layout_contents(layout, _TAG)


def _of_registry(text: str, layout: Path, platform: str | None) -> Contents:
    """What another registry has, as it has it there."""
    from pkgmgr.oci.pull import pull, pulled_folder
    from pkgmgr.oci.pull_all import pull_all
    from pkgmgr.oci.push import layout_contents
    from pkgmgr.oci.reference import parse_reference
    from pkgmgr.store import Store

    reference = parse_reference(text)
    known = list(pulled_folder(Store.default()).glob("*"))
    if platform is None:
        pull_all(reference, layout, tag=_TAG, known=known)
    else:
        pull(reference, layout, platform=platform, tag=_TAG, known=known)
    return layout_contents(layout, _TAG)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_WEBC))
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
