"""How to install: what verbs ask of those who resolve and fetch."""

from __future__ import annotations

from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Final

UPGRADE_ALL: Final = frozenset({"*"})
"""For `InstallOptions.upgrade`: every package."""


class InstallOptions(NamedTuple):
    """How to install.

    Attributes:
        registry: The registry for every name without a line of its own in the configuration: a directory, its file:// URL, or
            an http(s) URL; None asks `WPM_REGISTRY`, and then the configuration.
        locked: Fail where the lock is missing or would change.
        frozen: Take the lock as it is, without a look at the manifest's dependencies.
        offline: Never use the network.
        upgrade: Names of packages whose newest compatible version is wanted; None keeps all that are locked.
        resolution: Which versions are wanted where something is chosen anew: `highest`, `lowest` or `lowest-direct`.
            What is not `highest` chooses everything anew.
        jobs: How many packages to fetch and modules to compile at a time; None lets the machine decide.
        compile: Whether to compile the modules.
        include: Package files that answer for the packages in them, before any registry.
        launchers: Whether to keep the project's folder `.wpm` as it should be: its launchers, and what is installed.
        refresh: Ask registries anew where what they said is still fresh; an upgrade always does.
    """

    registry: str | None = None
    locked: bool = False
    frozen: bool = False
    offline: bool = False
    upgrade: frozenset[str] | None = None
    resolution: str = "highest"
    jobs: int | None = None
    compile: bool = True
    include: tuple[Path, ...] = ()
    refresh: bool = False
    launchers: bool = True
