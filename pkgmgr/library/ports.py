"""The ports at which the guests of a sandbox listen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from pkgmgr.library.failures import WaitTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.process import WasiProcess

FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.05
"""Seconds between two looks at whether a guest listens: more and more."""


class Ports:
    """The TCP ports at which the guests of a sandbox listen (`Sandbox.ports`): ports of this machine, without translation.

    Args:
        processes: Gives the first processes of what runs.
        has_network: Whether guests have any network.
    """

    def __init__(self, processes: Callable[[], list[WasiProcess]], *, has_network: bool) -> None:
        self._processes = processes
        self._has_network = has_network

    def __repr__(self) -> str:
        if not self._has_network:
            return "<Ports: no network>"
        return f"<Ports: guests listen at {', '.join(map(str, self.listening())) or 'none'}>"

    def listening(self) -> tuple[int, ...]:
        """The ports at which guests listen now, sorted."""
        return tuple(sorted(set(self._found())))

    def wait(self, port: int, *, timeout: float = 30.0) -> None:
        """Wait until a guest listens at a port: a connection to it, on the loopback, is taken from then on.

        Nobody connects to find that out: a server that takes one connection and ends still waits for its first.

        Args:
            port: Which, from 1 to 65535.
            timeout: Seconds to wait at the most.

        Raises:
            WaitTimeout: Nobody listens there.
            WpmError: It is no port, or the sandbox has no network.
        """
        self._check(port)
        deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
        while port not in self.listening():
            left = deadline - time.monotonic()
            if left <= 0:
                raise not_listening(port, timeout)
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _check(self, port: int) -> None:
        """Raise `WpmError` where nobody can ever listen there."""
        if not 0 < port < 1 << 16:
            raise WpmError(f"{port}: expected a port, from 1 to 65535")
        if not self._has_network:
            raise WpmError(f'port {port}: the sandbox has no network: give it one: network="loopback"')

    def _found(self) -> Iterator[int]:
        from runtime.sockets import SocketFile

        for first in self._processes():
            for process in first.env.control.running():
                for descriptor in process.env.descriptors.values():
                    file = descriptor.description.file
                    if isinstance(file, SocketFile) and file.listening and file.is_ip:
                        try:
                            yield int(file.socket.getsockname()[1])
                        except OSError:
                            # Closed since it was looked up.
                            continue


def not_listening(port: int, timeout: float) -> WaitTimeout:
    """What `wait` raises."""
    return WaitTimeout(f"port {port}: no guest listens there after {timeout:g} s")
