"""The `wasmer.toml` that `wpm init` writes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.manifest.reader import MANIFEST_NAMES, find_manifest, parse_manifest
from pkgmgr.source import check_name
from pkgmgr.version import Version

if TYPE_CHECKING:
    from pathlib import Path


_PACKAGE: Final = """\
[package]
name = {name}
version = {version}
"""

_COMMENTED: Final = """\
# What this project is and what it needs.

{package}{description}# license = "MIT"
# entrypoint = "hello"  # the command that runs where none is named

# Packages that it needs: `wpm add wpm/hello` writes them here, `wpm install` fetches them, `wpm run` runs them.
[dependencies]

# A module of its own, and a command that runs it; `wpm build` packs both:
#
# [[module]]
# name = "hello"
# source = "hello.wasm"
# abi = "wasi"
#
# [[command]]
# name = "hello"
# module = "hello"
# runner = "wasi"
#
# Files that its commands see, by the path at which they see them:
#
# [fs]
# "/data" = "data"
"""


def name_for(folder: Path) -> str:
    """A package's name made of its folder's; raises `WpmError` where nothing is left of that."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.absolute().resolve().name).strip("-.").lower()[:128]
    if not name:
        raise WpmError(f"{folder}: its name makes no name of a package: choose one with --name")
    return name


def manifest_text(name: str, version: str, description: str, *, bare: bool) -> str:
    """The manifest of a new project.

    Args:
        name: The package's name.
        version: Its version.
        description: What it is for, in one line; empty is none.
        bare: Whether to leave out the comments.

    Raises:
        WpmError: The name or the version is none.
    """
    check_name(name)
    Version.parse(version)
    package = _PACKAGE.format(name=json.dumps(name), version=json.dumps(version))
    line = f"description = {json.dumps(description, ensure_ascii=False)}\n" if description else ""
    if bare:
        return f"{package}{line}\n[dependencies]\n"
    return _COMMENTED.format(package=package, description=line or '# description = "What it is for, in one line"\n')


def create_project(folder: Path, text: str) -> Path:
    """Write the manifest of a new project, whose folder is made where it is not there; gives its path.

    Raises:
        WpmError: There is a manifest already, or it cannot be written.
    """
    path = folder / MANIFEST_NAMES[0]
    parse_manifest(text, path)
    if (existing := find_manifest(folder)) is not None:
        raise WpmError(f"{existing}: there is a project already: wpm add adds to it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise WpmError(f"{path if folder.is_dir() else folder}: there is something of that name already") from None
    except OSError as error:
        raise WpmError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path
