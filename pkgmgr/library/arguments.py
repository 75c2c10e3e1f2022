"""What programs hand to the library, checked: what is of the wrong type is a `TypeError` that says so, at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from runtime.limits import Limits
from runtime.net import NetworkPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LEAST_MEMORY, _MOST_MEMORY = 1 << 16, 1 << 48


def content(what: str, data: object) -> memoryview:
    """Bytes, or text as UTF-8.

    Args:
        what: What they are called in messages.
        data: What was handed over.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(data, str):
        return memoryview(data.encode())
    if isinstance(data, bytes | bytearray | memoryview):
        return memoryview(data).cast("B")
    raise TypeError(f"{what}: expected bytes or str, not {type(data).__name__}")


def check_texts(what: str, texts: Iterable[object]) -> None:
    """Go on only with texts.

    Args:
        what: What they are called in messages.
        texts: What was handed over.

    Raises:
        TypeError: One is no `str`.
    """
    for each in texts:
        if not isinstance(each, str):
            raise TypeError(f"{what}: expected str, not {type(each).__name__} ({each!r})")


def check_variables(env: Mapping[str, str]) -> None:
    """Go on only with what can be variables.

    Raises:
        TypeError: A name or a value is no `str`.
        WpmError: A name or a value has what none can have.
    """
    check_texts("env", (*env, *env.values()))
    for name, value in env.items():
        if not name or "=" in name or "\0" in name + value:
            raise WpmError(f"env: {name!r}: a name that is empty or has = or NUL in it, or a value with NUL")


def network_policy(network: str | None) -> NetworkPolicy:
    """What of the network there is.

    Raises:
        TypeError: It is no `str`.
        WpmError: It means nothing.
    """
    if network is not None:
        check_texts("network", [network])
        if not network.strip():
            raise WpmError('network="": expected "all", "loopback" or rules; None is no network')
    return NetworkPolicy.parse(network)


def check_count(what: str, number: int | None, least: int, unit: str = "a number") -> None:
    """Go on only with a whole number from `least`, or None.

    Raises:
        TypeError: It is no `int`.
        WpmError: It is less.
    """
    if number is None:
        return
    if not isinstance(number, int):
        raise TypeError(f"{what}: expected int or None, not {type(number).__name__} ({number!r})")
    if number < least:
        raise WpmError(f"{what}={number}: expected {unit} from {least}, or None")


def limits(timeout: float | None, memory: int | None, processes: int | None, threads: int | None) -> Limits:
    """The limits of a guest.

    Raises:
        TypeError: One is no number.
        WpmError: One cannot be meant.
    """
    if timeout is not None:
        if not isinstance(timeout, int | float):
            raise TypeError(f"timeout: expected seconds or None, not {type(timeout).__name__} ({timeout!r})")
        if not (math.isfinite(timeout) and timeout >= 0):
            raise WpmError(f"timeout={timeout}: expected seconds from 0, or None")
    check_count("memory", memory, _LEAST_MEMORY, "bytes")
    check_count("processes", processes, 1)
    check_count("threads", threads, 1)
    known = Limits()
    return Limits(
        None if memory is None else min(memory, _MOST_MEMORY),
        timeout,
        processes=known.processes if processes is None else processes,
        threads=known.threads if threads is None else threads,
    )
