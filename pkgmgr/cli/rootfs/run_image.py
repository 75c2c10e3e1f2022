"""`wpm rootfs run`: run a command with an image as its root."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.cli.guest import add_guest, add_words, run_options, wait
from pkgmgr.cli.options import add_platform, add_refresh, add_registry

if TYPE_CHECKING:
    import argparse

_ROOTS = ("sandbox", "overlay", "backing")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "wpm rootfs run [OPTIONS] IMAGE [COMMAND] [-- ARGS]"
    parser.description = (
        "Run a command with an image as its root. Nothing of an image is unpacked; what the guest changes is gone with it, "
        "unless --root says otherwise. Without COMMAND the image's own entrypoint runs, and ARGS replace the arguments that "
        "the image has for it. COMMAND is a path in the image, or a name in its PATH; its arguments, environment and working "
        "directory are those of the package that it is of."
    )
    parser.add_argument(
        "image", metavar="IMAGE", help="a directory, a tar, a .webc, an OCI layout, or oci://HOST/NAME:TAG"
    )
    parser.add_argument("command", metavar="COMMAND", nargs="?", help="what to run (default: the image's entrypoint)")
    add_words(parser)
    parser.add_argument(
        "--root",
        choices=_ROOTS,
        help="where changes go: into memory (sandbox, the default), into the directory of --upper (overlay, the default with "
        "--upper), or into the image itself, which must be a directory then (backing)",
    )
    parser.add_argument(
        "--upper", type=Path, metavar="DIR", help="where an overlay keeps changes, with whiteouts for what was removed"
    )
    add_platform(parser)
    add_guest(parser)
    add_registry(parser)
    add_refresh(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the guest; its exit code."""
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.rootfs.executing import RootKind, start_image
    from pkgmgr.rootfs.opening import open_image
    from pkgmgr.store import Store

    options = run_options(arguments, (*arguments.words, *arguments.rest))
    install = InstallOptions(registry=arguments.registry, offline=arguments.offline, refresh=arguments.refresh)
    store = Store.default()
    process = start_image(
        open_image(arguments.image, store=store, install=install, platform=arguments.platform),
        arguments.image,
        arguments.command,
        RootKind(arguments.root or ("sandbox" if arguments.upper is None else "overlay")),
        arguments.upper,
        store,
        install,
        options,
    )
    return wait(process, arguments.timeout)
