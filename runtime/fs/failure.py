"""The one way a filesystem fails: an `OSError` whose `errno` says why."""

from __future__ import annotations

import os


def failure(code: int, subject: str | None = None) -> OSError:
    """The `OSError` for an errno, of the subclass that Python has for it (`FileNotFoundError`, ...).

    Args:
        code: one of the `errno` module's numbers.
        subject: the name that it is about, if any.
    """
    return OSError(code, os.strerror(code), subject)
