"""`wpm rootfs pull`: fetch an image, or a package, from an OCI registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pkgmgr.cli.options import OUT, add_json, add_platform, add_quiet, positive
from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from pkgmgr.oci.pull import ResolvedImage
    from pkgmgr.oci.reference import Reference
    from pkgmgr.oci.registry import Repository

_PIECE: Final = 1 << 20


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `wpm rootfs pull`."""
    parser.add_argument(
        "reference", metavar="REF", help="what: HOST/NAME:TAG or HOST/NAME@DIGEST, with or without oci://"
    )
    parser.add_argument(
        *OUT, dest="out", required=True, type=Path, metavar="OUT", help="the directory or file to write"
    )
    parser.add_argument(
        "--format",
        choices=("dir", "tar", "oci", "webc"),
        help="a directory, a tar, an OCI image layout or a package (default: by OUT's ending; oci with --tag, else dir)",
    )
    add_platform(parser, ", or all of them with `all`, into an OCI image layout")
    parser.add_argument(
        "-t", "--tag", metavar="TAG", help="the image's name in the OCI layout (default: the tag of REF)"
    )
    parser.add_argument("--force", action="store_true", help="replace an image that is there already")
    parser.add_argument("--jobs", type=positive, metavar="N", help="fetch N layers at a time (default: 4)")
    add_quiet(parser)
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Pull; prints what came of it."""
    from pkgmgr.oci.pull_all import ALL
    from pkgmgr.oci.reference import parse_typed
    from pkgmgr.oci.registry import Repository
    from pkgmgr.rootfs.writing import chosen_format, place_and_tag

    reference = parse_typed(arguments.reference)
    whole = (arguments.platform or "").lower() == ALL
    arguments.out, arguments.tag = place_and_tag(arguments.out, arguments.tag, arguments.format)
    kind, compression = chosen_format(arguments.out, arguments.format, None, arguments.tag)
    if arguments.tag is not None and kind != "oci":
        raise WpmError(f"--tag: only images of an OCI layout have one: add --format oci (this is {kind})")
    if whole and kind != "oci":
        raise WpmError(f"--platform all: only an OCI layout has room for several: add --format oci (this is {kind})")
    repository = Repository(reference.host, reference.name)
    if kind == "oci":
        done = _as_layout(arguments, reference, repository, whole=whole)
    else:
        done = _as_other(arguments, reference, repository, kind, compression)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json({"reference": str(reference), "out": str(arguments.out), "format": kind, **done})
        return 0
    if arguments.quiet:
        print(done["digest"])
        return 0
    print(f"pulled {reference.with_digest(done['digest'])} into {arguments.out} ({kind})")
    return 0


def _as_layout(arguments: Namespace, reference: Reference, repository: Repository, *, whole: bool) -> dict[str, Any]:
    from pkgmgr.oci.marker import is_layout
    from pkgmgr.oci.pull import pull
    from pkgmgr.oci.pull_all import ALL, pull_all
    from pkgmgr.rootfs.output import checked_place

    adds = is_layout(arguments.out) and not arguments.force
    place = arguments.out if adds else checked_place(arguments.out, force=arguments.force)
    options = {"tag": arguments.tag, "force": arguments.force, "jobs": arguments.jobs, "repository": repository}
    if whole:
        return {**pull_all(reference, place, **options)._asdict(), "platform": ALL}
    report = pull(reference, place, platform=arguments.platform, **options)
    return {
        **_about(report.image),
        "fetched": report.fetched,
        "fetched_bytes": report.fetched_bytes,
        "reused": report.reused,
    }


def _as_other(
    arguments: Namespace, reference: Reference, repository: Repository, kind: str, compression: str
) -> dict[str, Any]:
    from pkgmgr.oci.artifact import webc_layer
    from pkgmgr.oci.pull import image_of, resolve_image
    from pkgmgr.rootfs.output import checked_place
    from pkgmgr.rootfs.writing import Output, write_image
    from pkgmgr.store import Store

    # What cannot be written is told before anything is fetched.
    place = checked_place(arguments.out, force=arguments.force)
    store = Store.default()
    image = resolve_image(repository, reference, arguments.platform)
    if kind == "webc" and webc_layer(image.document) is not None:
        _copy_package(image, repository, store, place, force=arguments.force)
        return _about(image)
    from pkgmgr.rootfs.flattening import flatten

    opened = image_of(image, repository, store, jobs=arguments.jobs)
    tree = flatten(opened.layers).entries
    write_image(opened, tree, arguments.out, Output(kind, compression, force=arguments.force))
    return _about(image)


def _copy_package(image: ResolvedImage, repository: Repository, store: Any, place: Path, *, force: bool) -> None:
    """Write the package of an artifact, byte for byte."""
    import shutil

    from pkgmgr.oci.artifact import package_of
    from pkgmgr.rootfs.output import new_place

    stored = package_of(image, repository, store)
    with (
        new_place(place, directory=False, force=force) as path,
        stored.path.open("rb") as source,
        path.open("wb") as file,
    ):
        shutil.copyfileobj(source, file, _PIECE)
        file.flush()
        os.fsync(file.fileno())


def _about(image: ResolvedImage) -> dict[str, Any]:
    return {"digest": image.manifest.digest, "platform": image.platform or None}
