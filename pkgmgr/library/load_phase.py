"""How far a load is."""

from __future__ import annotations

from enum import StrEnum


class LoadPhase(StrEnum):
    """How far a package, or a load of several, is."""

    RESOLVING = "resolving"
    """It is being found out which packages these are."""
    DOWNLOADING = "downloading"
    """Bytes are on their way."""
    LOADING = "loading"
    """They are here, and are being opened."""
    READY = "ready"
    """They can be run."""
