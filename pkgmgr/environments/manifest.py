"""`.wpm/manifest.json`: what is installed in a project, for programs.

    {
     "commands": {"cowsay": "wpm/cowsay@1.0.0"},
     "format": 1,
     "lock": "sha256:…",
     "packages": [{"commands": ["cowsay"], "id": "wpm/cowsay@1.0.0", "sha256": "…", "size": 4711}],
     "project": {"name": "me/it", "version": "0.1.0"}
    }

`commands` has every command that the project has, with the package whose it is; `lock` is the hash of `wasmer.lock`.
Keys are sorted and there is nothing of a machine in it: the same manifest and lock give the same bytes everywhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.manifest import ProjectManifest

FORMAT: Final = 1


def describe(manifest: ProjectManifest, lock: Lockfile, locked: bytes, commands: Mapping[str, str]) -> dict[str, Any]:
    """What is installed in a project.

    Args:
        manifest: The project's manifest.
        lock: Its lock.
        locked: The bytes of that.
        commands: Its commands, each with the id of the package whose it is.
    """
    from hashlib import sha256

    project = {"name": manifest.name, "version": manifest.version}
    return {
        "format": FORMAT,
        "project": {key: value for key, value in project.items() if value is not None},
        "lock": f"sha256:{sha256(locked).hexdigest()}",
        "packages": [
            {"id": package.id, "sha256": package.sha256, "size": package.size, "commands": list(package.commands)}
            for package in lock.packages.values()
        ],
        "commands": dict(commands),
    }


def canonical(content: Mapping[str, Any]) -> bytes:
    """JSON in one form: sorted keys, one space of indentation, a newline at the end."""
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
