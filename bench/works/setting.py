"""Where the works are done, and with which programs."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from materials import materials
from measure import Command, ProcessSide, ServerSide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from measure import Side

BENCH: Final = Path(__file__).resolve().parents[1]
ROOT: Final = BENCH.parent
WPM: Final = [sys.executable, "-c", "from pkgmgr.cli.main import script; script()"]
"""What the installed script does."""


class Setting:
    """The folder in which works are done.

    Args:
        folder: An empty directory.
        peer: The Python that has the SDK; None where only ours is measured.
        code: The root of the repository whose code is ours.
    """

    def __init__(self, folder: Path, peer: Path | None, code: Path = ROOT) -> None:
        self.folder = folder
        self._peer = peer
        # Bytecode is kept, as it is on the machine of whoever installed either.
        self.bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WPM_"))}
        self.ours = {**self.bare, "PYTHONPATH": str(code), "WPM_CACHE_DIR": str(folder / "store")}
        self._found: dict[str, Path | str] = {}

    def places(self, *names: str) -> tuple[dict[str, str], str]:
        """Where materials are, and why some are not there."""
        unknown = [name for name in names if name not in self._found]
        if unknown:
            self._found.update(materials(*unknown))
        found = {name: self._found[name] for name in names}
        places = {name: str(place) for name, place in found.items() if isinstance(place, Path)}
        return places, "; ".join(place for place in found.values() if isinstance(place, str))

    def wpm(
        self, expected: bytes, *words: str | Path, store: str = "store", prepare: Callable[[], object] | None = None
    ) -> Callable[[], Side]:
        """The command line `wpm` as a process for each round."""
        return self.process(expected, [*WPM, *map(str, words)], self._with(store), prepare)

    def our_script(
        self, expected: bytes, *words: str | Path, store: str = "store", prepare: Callable[[], object] | None = None
    ) -> Callable[[], Side]:
        """A script of `bench/` on our library."""
        return self.process(expected, [sys.executable, *self._script(*words)], self._with(store), prepare)

    def peer_script(
        self, expected: bytes, *words: str | Path, prepare: Callable[[], object] | None = None
    ) -> Callable[[], Side] | None:
        """A script of `bench/` on the SDK; None where there is none."""
        if self._peer is None:
            return None
        return self.process(expected, [str(self._peer), *self._script(*words)], self.bare, prepare)

    def process(
        self,
        expected: bytes,
        words: list[str],
        environment: Mapping[str, str] | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> Callable[[], Side]:
        """A command line of the host."""
        command = Command(words, self.folder, self.bare if environment is None else environment, expected, prepare)
        return partial(ProcessSide, command)

    def our_server(self, script: str, work: str, places: Mapping[str, str]) -> Callable[[], Side]:
        """A script of `bench/` that serves a work, with our library."""
        words = [sys.executable, *self._script(script, work, json.dumps(places))]
        return partial(ServerSide, words, self.folder, self.ours)

    def peer_server(self, script: str, work: str, places: Mapping[str, str]) -> Callable[[], Side] | None:
        """The same with the SDK."""
        if self._peer is None:
            return None
        words = [str(self._peer), *self._script(script, work, json.dumps(places), self.peer_cache)]
        return partial(ServerSide, words, self.folder, self.bare)

    @property
    def peer_cache(self) -> Path:
        """Where the SDK keeps what it compiled."""
        return self.folder / "peer-cache"

    def _with(self, store: str) -> dict[str, str]:
        return {**self.ours, "WPM_CACHE_DIR": str(self.folder / store)}

    def _script(self, script: str | Path, *words: str | Path) -> list[str]:
        return [str(BENCH / script), *map(str, words)]


def present(sides: Mapping[str, Callable[[], Side] | None]) -> dict[str, Callable[[], Side]]:
    """The sides that there are."""
    return {name: side for name, side in sides.items() if side is not None}
