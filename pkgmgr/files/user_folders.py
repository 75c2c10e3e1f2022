"""Where a user's files of wpm are: the cache, the configuration, the tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pkgmgr.errors import WpmError

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    if configured := os.environ.get(variable):
        try:
            return Path(configured).expanduser().absolute()
        except RuntimeError as error:
            raise WpmError(f"{variable}: {configured}: {error}") from None
    if sys.platform == "linux":
        # The rule of the XDG base directories is this line; the library that knows every system's takes 8 ms to import,
        # a tenth of a small run.
        name, below = _XDG[kind]
        return Path(os.environ.get(name, "").strip() or Path("~", below).expanduser()) / "wpm"
    import platformdirs

    folders = {"cache": platformdirs.user_cache_path, "config": platformdirs.user_config_path}
    return folders.get(kind, platformdirs.user_data_path)("wpm")
