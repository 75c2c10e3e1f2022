"""`wpm rootfs ls`: what an image has, and of which layer it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_platform, add_registry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pkgmgr.rootfs.listing import Listed, ListedLayer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "image", metavar="IMAGE", help="a directory, a tar, a .webc, an OCI layout, or oci://HOST/NAME:TAG"
    )
    parser.add_argument("path", metavar="PATH", nargs="?", default="/", help="a path in the image (default: its root)")
    parser.add_argument("-l", "--long", action="store_true", help="show modes, owners, sizes, times (UTC) and links")
    parser.add_argument("-R", "--recursive", action="store_true", help="show all that is below the path, too")
    parser.add_argument("--layers", action="store_true", help="show the layers, and the number of each name's layer")
    add_platform(parser)
    add_registry(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the image."""
    from pkgmgr.cli.output import bytes_for_people, print_json, print_text
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.plain_text import one_line
    from pkgmgr.rootfs.listing import as_json, below, config_as_json, list_image, plain_text
    from pkgmgr.rootfs.opening import open_image

    install = InstallOptions(registry=arguments.registry, offline=arguments.offline)
    image = open_image(arguments.image, install=install, platform=arguments.platform)
    listing = list_image(image)
    shown = below(listing, arguments.path, recursive=arguments.recursive)
    if arguments.json:
        names = [dict(as_json(listed, listing.layers)) for listed in shown]
        layers = [
            {"title": plain_text(each.title), "names": each.names, "bytes": each.bytes} for each in listing.layers
        ]
        print_json({"config": config_as_json(image.config), "layers": layers, "names": names})
        return 0
    if arguments.layers:
        from pkgmgr.cli.changes import counted
        from pkgmgr.cli.table import print_table

        rows = [
            (str(number), counted(layer.names, "name"), bytes_for_people(layer.bytes), one_line(layer.title))
            for number, layer in enumerate(listing.layers)
        ]
        print_table(rows, ("layer", "names", "size", "of"))
        print()
    for line in _lines(shown, listing.layers, long=arguments.long, numbered=arguments.layers):
        print_text(line)
    return 0


def _lines(shown: Sequence[Listed], layers: Sequence[ListedLayer], *, long: bool, numbered: bool) -> list[str]:
    from pkgmgr.plain_text import one_line
    from pkgmgr.rootfs.entry import Kind
    from pkgmgr.rootfs.listing import mode_text, name_text, time_text

    owners = [f"{listed.entry.uid}/{listed.entry.gid}" for listed in shown]
    sizes = [str(listed.size) for listed in shown]
    owner_width, size_width = max(map(len, owners), default=0), max(map(len, sizes), default=0)
    number_width = len(str(max(len(layers) - 1, 0)))
    lines = []
    for listed, owner, size in zip(shown, owners, sizes, strict=True):
        entry = listed.entry
        line = f"{listed.layer:{number_width}}  " if numbered else ""
        if long:
            line += (
                f"{mode_text(entry)} {owner:>{owner_width}} {size:>{size_width}} {time_text(entry)} {name_text(entry)}"
            )
        else:
            line += one_line(entry.path) + ("/" if entry.kind is Kind.DIRECTORY else "")
        lines.append(line)
    return lines
