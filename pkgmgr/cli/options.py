"""Options that several verbs share, and what they mean."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from typing import Final

    from pkgmgr.projects.project import Project

OUT: Final = ("-o", "--output", "--out")
"""What the option is called that says where to write."""


def path(text: str) -> Path:
    """A path that somebody typed; not every run of a program needs `pathlib`, which takes 8 ms to import."""
    from pathlib import Path

    return Path(text)


def add_project(parser: argparse.ArgumentParser) -> None:
    """Add `--project`: which project a verb is about."""
    parser.add_argument(
        "--project", type=path, metavar="DIR", help="the project's directory (default: the nearest wasmer.toml upwards)"
    )


def add_registry(parser: argparse.ArgumentParser) -> None:
    """Add `--registry` and `--offline`: where packages may come from."""
    parser.add_argument(
        "--registry",
        metavar="REGISTRY",
        help="the registry for every namespace that the configuration does not map: a directory, file:///… or "
        "https://…/graphql (default: WPM_REGISTRY, then registries.* of wpm config, then Wasmer's)",
    )
    parser.add_argument(
        "--offline", action="store_true", help="never use the network; what is known is used, however old"
    )


def add_refresh(parser: argparse.ArgumentParser) -> None:
    """Add `--refresh`: ask registries anew."""
    parser.add_argument(
        "--refresh", action="store_true", help="ask registries again, where what they said is a few minutes old, too"
    )


def add_resolution(parser: argparse.ArgumentParser) -> None:
    """Add `--resolution`: which of the compatible versions are chosen."""
    parser.add_argument(
        "--resolution",
        choices=("highest", "lowest", "lowest-direct"),
        default="highest",
        help="the versions to take, of all packages or of those that the project names itself (default: highest); "
        "what is not highest leaves nothing as it was locked",
    )


def add_launchers(parser: argparse.ArgumentParser) -> None:
    """Add `--no-launchers`: leave `.wpm` alone."""
    parser.add_argument("--no-launchers", action="store_true", help="leave the project's folder .wpm as it is")


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add `-q`: the digest alone, as scripts want it."""
    parser.add_argument("-q", "--quiet", action="store_true", help="print the digest, and nothing else")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`: output for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def add_platform(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Add `--platform`: which of the images that an index names."""
    parser.add_argument(
        "--platform",
        metavar="OS/ARCH",
        help=f"of an image for several platforms, this one{more} (default: WebAssembly, else what this machine runs)",
    )


def number_from(text: str, least: int, most: int = 10**9) -> int:
    """A whole number that somebody typed; says where it is none, or out of these bounds."""
    if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    from argparse import ArgumentTypeError

    bounds = f"from {least}" if most == 10**9 else f"from {least} to {most}"
    raise ArgumentTypeError(f"{text[:60]}: expected a number {bounds}")


def positive(text: str) -> int:
    """The type of `--jobs`: a number from 1."""
    return number_from(text, 1)


def add_upgrade(group: argparse._ActionsContainer) -> None:
    """Add `--upgrade` and `--upgrade-package`: which packages not to keep as they are locked."""
    group.add_argument(
        "-U",
        "--upgrade",
        nargs="*",
        metavar="NAME",
        help="take the newest compatible version of these packages (of all, where none is named)",
    )
    group.add_argument(
        "-P",
        "--upgrade-package",
        dest="upgrade",
        action="append",
        metavar="NAME",
        help="the same for one package; may be repeated",
    )


def upgrade_of(project: Project, arguments: argparse.Namespace) -> frozenset[str] | None:
    """What `--upgrade` asks for, as an install takes it; raises `WpmError` for what is not locked."""
    if arguments.upgrade is None:
        return None
    from pkgmgr.installing.options import UPGRADE_ALL

    if not arguments.upgrade:
        return UPGRADE_ALL
    from pkgmgr.projects.editing import named_in_lock

    return named_in_lock(project.lock, arguments.upgrade)
