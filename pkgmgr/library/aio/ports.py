"""The ports of a sandbox, to be awaited."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from pkgmgr.library.ports import FIRST_PAUSE, LONGEST_PAUSE, not_listening

if TYPE_CHECKING:
    from pkgmgr.library.ports import Ports as Waiting


class Ports:
    """The TCP ports at which the guests of a sandbox listen (`Sandbox.ports`): ports of this machine, without translation.

    Args:
        waiting: The same for programs that do not await.
    """

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def __repr__(self) -> str:
        return repr(self._waiting)

    def listening(self) -> tuple[int, ...]:
        """The ports at which guests listen now, sorted."""
        return self._waiting.listening()

    async def wait(self, port: int, *, timeout: float = 30.0) -> None:
        """Wait until a guest listens at a port: a connection to it, on the loopback, is taken from then on.

        Args:
            port: Which, from 1 to 65535.
            timeout: Seconds to wait at the most.

        Raises:
            WaitTimeout: Nobody listens there.
            WpmError: It is no port, or the sandbox has no network.
        """
        self._waiting._check(port)
        deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
        while port not in self._waiting.listening():
            left = deadline - time.monotonic()
            if left <= 0:
                raise not_listening(port, timeout)
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)
