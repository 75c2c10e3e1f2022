"""Where a user's files of wpm are: the cache, the configuration, the tools."""

from __future__ import annotations

import os
import sys

from pkgmgr.errors import WpmError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Final

_XDG: Final = {
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "config": ("XDG_CONFIG_HOME", ".config"),
    "data": ("XDG_DATA_HOME", ".local/share"),
}


def user_folder(variable: str, kind: str) -> Path:
    """The folder that a variable names, else the one that the system has for `wpm`; it need not exist.

    Args:
        variable: The variable's name.
        kind: `cache`, `config` or `data`.

    Raises:
        WpmError: The variable names the home of nobody.
    """
    from pathlib import Path

    return Path(user_folder_name(variable, kind))


def user_folder_name(variable: str, kind: str) -> str:
    """As `user_folder`, the folder's name alone."""
    if configured := os.environ.get(variable):
        return _absolute(_below_home(variable, configured))
    if sys.platform == "linux":
        # The rule of the XDG base directories is this line; the library that knows every system's takes 8 ms to import,
        # a tenth of a small run.
        name, below = _XDG[kind]
        return (os.environ.get(name, "").strip() or _below_home(name, f"~/{below}")) + "/wpm"
    import platformdirs

    folders = {"cache": platformdirs.user_cache_dir, "config": platformdirs.user_config_dir}
    return folders.get(kind, platformdirs.user_data_dir)("wpm")


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"{os.getcwd()}/{path}"


def _below_home(variable: str, path: str) -> str:
    """A path that begins at somebody's home."""
    if (found := os.path.expanduser(path)).startswith("~"):
        raise WpmError(f"{variable}: {path}: there is no home directory of that name")
    return found
