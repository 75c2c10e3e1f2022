"""When an image counts as made: `SOURCE_DATE_EPOCH` (https://reproducible-builds.org/specs/source-date-epoch/)."""

from __future__ import annotations

import os

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown

_VARIABLE = "SOURCE_DATE_EPOCH"


def source_date() -> int | None:
    """The seconds since 1970 that the variable gives; None where it is not set, or empty.

    Raises:
        WpmError: It is no number of seconds.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return None
    # Eleven digits are the year 5138; more do not fit into the headers of a tar.
    if not (text.isascii() and text.isdigit() and len(text) <= 11 and int(text) < 8**11):
        raise WpmError(f"{_VARIABLE}: {shown(text)} is not a number of seconds since 1970: correct or unset it")
    return int(text)


def clamped(seconds: int, source_date: int | None) -> int:
    """A time that is not later than the image itself, nor before 1970."""
    return max(0, seconds if source_date is None else min(seconds, source_date))
