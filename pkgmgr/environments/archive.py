"""The file that an environment travels in: what is in it, and which names may be.

    environment/environment.json          what is installed, as in .wpm/manifest.json, and `registries`: who was asked for
                                          which namespace, as the lock has it
    environment/packages/SHA256.webc      every package of the lock
    environment/project/wasmer.toml       the project: its manifest and lock,
    environment/project/wasmer.lock
    environment/project/…                 the files that its manifest names, and those of directories and packages below it
                                          that it depends on, each where it is in the project

It is a tar as every tar(1) reads it (pax; see `pkgmgr.rootfs.tar_stream`), by the ending of its name compressed with gzip or
Zstandard, and always the same for the same environment: names are in order, everything belongs to user 0, has the mode 0644
(0755 for directories and for files that their owner may execute) and the time of SOURCE_DATE_EPOCH, else 0.

Compiled modules are not in it: they are native code for one processor and one version of the engine, and whoever took them
from a file would run what nobody checked. They are compiled where it is imported. No token and no configuration of
a user is in it. Nor are files of the project that no manifest names: sources that are compiled, tests, version control.
"""

from __future__ import annotations

from typing import Final

TOP: Final = "environment"
DESCRIPTION: Final = f"{TOP}/environment.json"
PACKAGES: Final = f"{TOP}/packages"
PROJECT: Final = f"{TOP}/project"
SUFFIX: Final = ".webc"
REGISTRIES: Final = "registries"
"""The key of the description that says who was asked for which namespace."""

LARGEST_DESCRIPTION: Final = 16 << 20
MOST_FILES: Final = 200_000
"""No project has more files than this in it."""

_COMPRESSIONS: Final = {".gz": "gzip", ".tgz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".tzst": "zstd"}


def compression_of(name: str) -> str:
    """How a file of this name is compressed: `none`, `gzip` or `zstd`."""
    return next((method for ending, method in _COMPRESSIONS.items() if name.lower().endswith(ending)), "none")


def is_inner_link(path: str, target: str) -> bool:
    """Whether a symbolic link surely stays beneath the top that its path starts from, whatever other such links there are.

    It climbs first, never above the top, and then only goes down: behind a name `..` could lead anywhere.
    """
    parts = target.split("/")
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    return bool(target) and climbs <= path.count("/") and not {"", ".", ".."} & set(parts[climbs:])
