"""Reading files that may be anything: a pipe is not waited for, and no size is believed."""

from __future__ import annotations

import errno
import os
from stat import S_ISREG

from pkgmgr.errors import WpmError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def read_small_file(path: Path, most: int) -> bytes:
    """The first bytes of a regular file: one more than `most` where there are more.

    Raises:
        OSError: It cannot be read, or is a pipe, a device or a directory.
    """
    # A pipe would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a file", str(path))
        return file.read(most + 1)


def parse_toml(data: bytes) -> dict[str, Any]:
    """The values of TOML that is hostile until it is shown to be harmless.

    Args:
        data: The text, of a length that the caller has bounded.

    Raises:
        WpmError: It is no TOML; the message names no file.
    """
    import tomli

    try:
        return tomli.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise WpmError(f"not TOML: {str(error).splitlines()[0]}") from None
