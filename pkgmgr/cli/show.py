"""`wpm show`: what a registry knows of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_refresh, add_registry

if TYPE_CHECKING:
    import argparse

    from pkgmgr.registry.package_details import PackageDetails

_MOST_VERSIONS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm show`."""
    parser.add_argument(
        "name",
        metavar="NAME[@VERSION]",
        help="a package, of its newest version or the newest that satisfies what follows the @",
    )
    add_registry(parser)
    add_refresh(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what is known."""
    from pkgmgr.registry import open_registries
    from pkgmgr.registry.package_details import find_details

    registries = open_registries(arguments.registry, offline=arguments.offline, refresh=arguments.refresh)
    details = find_details(arguments.name, registries)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(_for_programs(details))
    else:
        _print(details)
    return 0


def _for_programs(details: PackageDetails) -> dict[str, object]:
    about = details.about
    return {
        "name": about.name,
        "version": str(details.release.version),
        "yanked": details.release.yanked,
        "description": about.description,
        "license": about.license,
        "homepage": about.homepage,
        "repository": about.repository,
        "registry": details.registry,
        "commands": list(details.commands),
        "entrypoint": details.entrypoint,
        "dependencies": dict(details.dependencies),
        "size": details.size,
        "sha256": details.sha256,
        "versions": [
            {"version": str(each.version), "yanked": each.yanked, "sha256": each.sha256, "size": each.size}
            for each in about.releases
        ],
    }


def _print(details: PackageDetails) -> None:
    from pkgmgr.cli.output import bytes_for_people, print_text
    from pkgmgr.cli.style import Style
    from pkgmgr.cli.table import print_table, terminal_width

    style, about, release = Style.of_output(), details.about, details.release
    title = style.bold(f"{about.name} {release.version}")
    print_text(f"{title} {style.yellow('yanked')}" if release.yanked else title)
    if about.description:
        print_text(about.description)
    others = [name for name in details.commands if name != details.entrypoint]
    commands = ([f"{details.entrypoint} (runs where none is named)"] if details.entrypoint else []) + others
    facts = {
        "license": about.license,
        "homepage": about.homepage,
        "repository": about.repository,
        "registry": details.registry,
        "commands": ", ".join(commands),
        "size": bytes_for_people(details.size),
        "sha256": details.sha256,
    }
    print()
    print_table(
        [(key, text) for key, text in facts.items() if text],
        paint=lambda _, column, cell: style.dim(cell) if column == 0 else cell,
    )
    width = terminal_width()
    if details.dependencies:
        print(f"\n{style.bold('dependencies')}")
        print_table([("  " + alias, _requirement(alias, text)) for alias, text in details.dependencies], width=width)
    print(f"\n{style.bold('versions')}")
    shown = about.releases[:_MOST_VERSIONS]
    rows = [
        (
            "  " + str(each.version),
            "" if each.size is None else bytes_for_people(each.size),
            "yanked" if each.yanked else "",
        )
        for each in shown
    ]
    print_table(rows, paint=lambda _, column, cell: style.yellow(cell) if column == 2 else cell)
    if more := len(about.releases) - len(shown):
        print(f"  and {more} more (--json has all)")


def _requirement(alias: str, source: str) -> str:
    """A package source as it is read beside its alias, which mostly is the name in it."""
    if source == alias:
        return "*"
    return source.removeprefix(f"{alias}@")
