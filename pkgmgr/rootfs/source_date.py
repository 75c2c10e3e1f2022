"""When an image counts as made: `SOURCE_DATE_EPOCH` (https://reproducible-builds.org/specs/source-date-epoch/)."""

from __future__ import annotations

import os
from typing import Final

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown

NO_BOUND: Final = 8**11 - 1
"""The latest time that fits into the headers of a tar: that of the year 2242."""

_VARIABLE: Final = "SOURCE_DATE_EPOCH"


def source_date() -> int | None:
    """The seconds since 1970 that the variable gives; None where it is not set, or empty.

    Raises:
        WpmError: It is no number of seconds.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 11 and int(text) <= NO_BOUND):
        raise WpmError(f"{_VARIABLE}: {shown(text)} is not a number of seconds since 1970: correct or unset it")
    return int(text)
