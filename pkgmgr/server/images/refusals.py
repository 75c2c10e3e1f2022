"""How the distribution protocol says no."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not carried out.

    Args:
        status: The status of the reply.
        code: The protocol's code, as `BLOB_UNKNOWN`.
        message: Why, in one line.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
