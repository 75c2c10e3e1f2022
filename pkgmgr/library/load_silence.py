"""Loading where nobody listens.

What programs hear of a load are data classes: importing `dataclasses`, and `inspect` with it, took 6 of the 48 ms in which a
process opened a package and listed its commands.
"""

from __future__ import annotations

from pkgmgr.installing.progress import FetchSilence, listening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pkgmgr.library.load_phase import LoadPhase


class LoadSilence(FetchSilence):
    """As `Loading`, for nobody."""

    def phase(self, number: int, phase: LoadPhase, id: str | None = None) -> None:
        """Nothing is told."""


def quietly() -> AbstractContextManager[None]:
    """Fetch, send and compile meanwhile without telling anybody."""
    return listening(LoadSilence())
