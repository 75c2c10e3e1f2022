"""`wpm rootfs build`: an image of packages, as a directory, a tar, an OCI image or a package."""

from __future__ import annotations

import gc
import os
import sys
from argparse import SUPPRESS
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.cli.options import OUT, add_json, add_project, add_quiet, add_refresh, add_registry, positive
from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Collection, Sequence

    from binfactory.package import BinaryPackage
    from pkgmgr.rootfs.building import BuildOptions
    from pkgmgr.rootfs.copied_layer import Copy
    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.rootfs.flattening import Conflict
    from pkgmgr.rootfs.image import RootfsImage
    from pkgmgr.rootfs.writing import Output, Written

_MOST_SHOWN: Final = 20
_STDOUT: Final = "-"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `wpm rootfs build`."""
    parser.usage = "wpm rootfs build [OPTIONS] -o OUT [SPEC…]"
    parser.add_argument(
        "specs",
        nargs="*",
        metavar="SPEC",
        help="the packages, later ones over earlier ones (default: the locked project)",
    )
    parser.add_argument(
        *OUT,
        dest="out",
        required=True,
        metavar="OUT",
        help="the directory or file to write; - writes a tar to standard output",
    )
    parser.add_argument(
        "--format",
        choices=("dir", "tar", "oci", "webc"),
        help="a directory, a tar, an OCI image layout or a package (default: by OUT's ending; oci with --tag, else dir)",
    )
    parser.add_argument(
        "--compression",
        choices=("none", "gzip", "zstd"),
        help="how a tar or the layers of an OCI image are compressed (default: by OUT's ending; gzip for oci)",
    )
    parser.add_argument(
        "--copy",
        action="append",
        default=[],
        metavar="HOST:GUEST",
        help="add a file, or what is in a directory, at this absolute path; a file goes into a GUEST that ends in a slash",
    )
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable of the image")
    parser.add_argument(
        "--entrypoint",
        metavar="WORDS",
        help="what the image runs: words as a shell splits them, or a JSON list (default: what the last package runs)",
    )
    parser.add_argument(
        "--cmd", metavar="WORDS", help="the arguments behind it, which whoever runs the image may replace"
    )
    parser.add_argument("-w", "--cwd", default="", metavar="DIR", help="the directory in which it starts")
    parser.add_argument("--workdir", dest="cwd", help=SUPPRESS)
    parser.add_argument("--user", default="", metavar="USER[:GROUP]", help="who runs it: a number or a name")
    parser.add_argument(
        "--label", action="append", default=[], metavar="NAME=VALUE", help="a text for people and programs"
    )
    parser.add_argument(
        "-t",
        "--tag",
        metavar="TAG",
        help="the image's name in the OCI layout, as OUT:TAG, too; a layout that is there gets it added",
    )
    parser.add_argument(
        "--platform",
        action="append",
        default=[],
        metavar="OS/ARCH",
        help="for what an OCI image says that it is: one, or several with commas between them or by repeating it, which "
        "make an index (default: linux/wasm)",
    )
    parser.add_argument("--name", metavar="NAME@VERSION", help="the name and version of a webc")
    parser.add_argument("--strict", action="store_true", help="fail where a package hides a file of another")
    parser.add_argument("--force", action="store_true", help="replace an image that is there already")
    parser.add_argument("--locked", action="store_true", help="fail where wasmer.lock would change")
    parser.add_argument("--jobs", type=positive, metavar="N", help="compress N layers at a time")
    add_project(parser)
    add_registry(parser)
    add_refresh(parser)
    add_quiet(parser)
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Build the image and write it; prints what and where."""
    from pkgmgr.rootfs.building import build_image, unintended
    from pkgmgr.rootfs.flattening import flatten
    from pkgmgr.rootfs.output import remove_leftovers
    from pkgmgr.rootfs.writing import place_and_tag
    from pkgmgr.store import Store

    # Nothing here goes round in circles, and looking for that among 50,000 files takes a sixth of the time.
    gc.disable()
    if arguments.out != _STDOUT:
        out_path, arguments.tag = place_and_tag(Path(arguments.out), arguments.tag, arguments.format)
        arguments.out = str(out_path)
    output = _output(arguments)
    if arguments.quiet and output.format == "dir":
        raise WpmError("--quiet: a directory has no digest to print: choose another --format")
    out = None if arguments.out == _STDOUT else Path(arguments.out)
    if out is not None:
        remove_leftovers(Path(os.path.abspath(out)))  # noqa: PTH100 - a link is replaced, not followed
    options = _options(arguments, out)
    image = build_image(_packages(arguments), options, Store.default())
    tree, conflicts = flatten(image.layers)
    _tell(unintended(conflicts), strict=arguments.strict)
    written = _write(image, tree, out, output)
    _print(arguments, image, output, written)
    return 0


def _packages(arguments: Namespace) -> list[BinaryPackage]:
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.store import Store

    store = Store.default()
    install = InstallOptions(
        registry=arguments.registry,
        locked=arguments.locked,
        offline=arguments.offline,
        refresh=arguments.refresh,
        compile=False,
    )
    if arguments.specs:
        if arguments.project is not None:
            raise WpmError("--project: the image is of the packages that are named, not of a project: leave one out")
        from pkgmgr.running.program import named_package

        return [named_package(spec, store, install) for spec in arguments.specs]
    from binfactory.loader import load_package
    from pkgmgr.projects.project import Project
    from pkgmgr.running.target import project_node

    return [load_package(project_node(Project.open(arguments.project), store, install))]


def _output(arguments: Namespace) -> Output:
    """How to write it; what is wrong with that is told before anything is built."""
    from pkgmgr.oci.marker import is_layout
    from pkgmgr.oci.platforms import parse_platforms
    from pkgmgr.rootfs.output import checked_place
    from pkgmgr.rootfs.writing import Output, chosen_format

    if arguments.out == _STDOUT:
        if arguments.format not in (None, "tar"):
            raise WpmError(f"-o -: only a tar can be written to standard output, not {arguments.format}: name a place")
        if arguments.platform:
            raise WpmError("--platform: only OCI images have one: add --format oci, and name a place")
        if arguments.json:
            raise WpmError("-o -: the tar takes standard output, and --json too: name a file, or leave --json out")
        if sys.stdout.isatty():
            raise WpmError("-o -: standard output is a terminal: redirect it, or name a file")
        return Output("tar", arguments.compression or "none")
    out = Path(arguments.out)
    kind, compression = chosen_format(out, arguments.format, arguments.compression, arguments.tag)
    if arguments.tag is not None and kind != "oci":
        raise WpmError(f"--tag: only images of an OCI layout have one: add --format oci (this is {kind})")
    if arguments.platform and kind != "oci":
        raise WpmError(f"--platform: only OCI images have one: add --format oci (this is {kind})")
    if arguments.name is not None and kind != "webc":
        raise WpmError(f"--name: only a package has one: add --format webc (this is {kind})")
    if kind != "oci" or not is_layout(out):
        checked_place(out, force=arguments.force)
    platforms = parse_platforms(arguments.platform)
    return Output(kind, compression, arguments.force, arguments.tag, arguments.name, arguments.jobs, platforms)


def _options(arguments: Namespace, out: Path | None) -> BuildOptions:
    from pkgmgr.rootfs.building import BuildOptions

    return BuildOptions(
        copies=tuple(_copy(text) for text in arguments.copy),
        env=dict(_variable(text) for text in arguments.env),
        entrypoint=None if arguments.entrypoint is None else _words("--entrypoint", arguments.entrypoint),
        command=() if arguments.cmd is None else _words("--cmd", arguments.cmd),
        cwd=_cwd(arguments.cwd),
        user=_plain("--user", arguments.user),
        labels=dict(_pair("--label", text) for text in arguments.label),
        keep_out=out,
    )


def _copy(text: str) -> Copy:
    from pkgmgr.rootfs.copied_layer import Copy

    host, colon, guest = text.rpartition(":")
    if not colon or not host or not guest.startswith("/"):
        raise WpmError(f"--copy {one_line(text)}: expected HOST:GUEST, the second an absolute path")
    parts = [part for part in guest.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise WpmError(f"--copy {one_line(text)}: write the path in the image without ..")
    into = parts and guest.endswith(("/", "/."))
    return Copy(Path(host).expanduser(), "/".join(parts) + ("/" if into else ""))


def _variable(text: str) -> tuple[str, str]:
    """What `--env` says; a name alone takes our value, as `docker run --env NAME` does."""
    if "=" not in text and text in os.environ:
        return text, os.environ[text]
    if "=" not in text and text:
        raise WpmError(f"--env {one_line(text)}: is not set here: write NAME=VALUE")
    return _pair("--env", text)


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise WpmError(f"{option} {one_line(text)}: expected NAME=VALUE")
    return name, value


def _words(option: str, text: str) -> tuple[str, ...]:
    """Words as a shell splits them, or a JSON list, as Dockerfiles have them."""
    if text.lstrip().startswith("["):
        import json

        try:
            words = json.loads(text)
        except (ValueError, RecursionError):
            words = None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise WpmError(
                f'{option} {one_line(text)}: expected words, or a JSON list of texts: \'["/bin/tool", "-v"]\''
            )
        return tuple(words)
    import shlex

    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise WpmError(f"{option} {one_line(text)}: {str(error).lower()}") from None


def _cwd(text: str) -> str:
    from posixpath import normpath

    if text and not text.startswith("/"):
        raise WpmError(f"--cwd {one_line(text)}: expected an absolute path, as /work")
    return "/" + normpath(text).lstrip("/") if text else ""


def _plain(option: str, text: str) -> str:
    if any(character.isspace() or not character.isprintable() for character in text):
        raise WpmError(f"{option} {one_line(text)}: expected a number or a name, maybe with :GROUP")
    return text


def _tell(conflicts: Sequence[Conflict], *, strict: bool) -> None:
    """Say which files are not seen; with `strict` that is an error."""
    for each in conflicts[:_MOST_SHOWN]:
        line = f"{one_line(each.path)}: of {one_line(each.hidden)} is hidden by {one_line(each.seen)}"
        print(f"wpm: {'' if strict else 'warning: '}{line}", file=sys.stderr)
    if len(conflicts) > _MOST_SHOWN:
        print(f"wpm: {'' if strict else 'warning: '}and {len(conflicts) - _MOST_SHOWN:,} more", file=sys.stderr)
    if conflicts and strict:
        what = "one file is" if len(conflicts) == 1 else f"{len(conflicts):,} files are"
        raise WpmError(f"--strict: {what} hidden: leave a package out, or --strict")


def _write(image: RootfsImage, tree: Collection[Entry], out: Path | None, output: Output) -> Written:
    from pkgmgr.rootfs.writing import write_image, write_tar_to

    if out is None:
        sys.stdout.flush()
        return write_tar_to(tree, sys.stdout.fileno(), output.compression)
    return write_image(image, tree, out, output)


def _print(arguments: Namespace, image: RootfsImage, output: Output, written: Written) -> None:
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(
            {
                "path": arguments.out,
                "format": output.format,
                "compression": output.compression,
                "tag": output.tag,
                "files": written.files,
                "bytes": written.bytes,
                "digest": written.digest,
                "layers": [layer.title for layer in image.layers],
            }
        )
        return
    if arguments.quiet:
        print(written.digest, file=sys.stderr if arguments.out == _STDOUT else sys.stdout)
        return
    tag = f":{output.tag}" if output.tag else ""
    how = output.format if output.compression == "none" else f"{output.format}, {output.compression}"
    digest = f", {written.digest}" if written.digest else ""
    line = f"{arguments.out}{tag}: {how}, {written.files:,} files, {written.bytes:,} bytes{digest}"
    # The tar has standard output for itself.
    print(one_line(line), file=sys.stderr if arguments.out == _STDOUT else sys.stdout)
