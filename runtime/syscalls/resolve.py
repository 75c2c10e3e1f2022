"""Names of hosts. Source: `api_wasix.h`, `resolve`."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from runtime.abi.address import ADDR_IP_SIZE, pack_ip
from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import WASIX, syscall

if TYPE_CHECKING:
    from runtime.thread import GuestThread

_LONGEST_NAME = 1024
_NOT_THERE = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


@syscall("resolve", "iiiiii:i", WASIX)
def resolve(thread: GuestThread, name: int, length: int, port: int, result: int, room: int, count: int) -> None:
    """Find the addresses of a host; writes at most `room` of them, `addr_ip` (18 bytes) each, and how many, u32.

    Asked is whoever the operating system asks, if the network's rules allow the name. Errors: `NOTSUP` without a network,
    `PERM`, `NOENT` for a name that nobody has, `AGAIN` when nobody answers, `INVAL` for what is no name, `INTR`.
    """
    memory = thread.memory
    if length > _LONGEST_NAME:
        raise GuestError(Errno.INVAL)
    memory.check(result, min(room, 1) * ADDR_IP_SIZE)
    memory.check(count, 4)
    host = memory.text(name, length).rstrip("\0")
    network = thread.env.network
    network.require()
    if _is_numeric(host):
        found = [host.partition("%")[0]]
    else:
        network.name(host)
        found = _ask(thread, host, port & 0xFFFF)
        network.resolved(host, found)
    told = found[:room]
    memory.write(result, b"".join(map(pack_ip, told)))
    memory.set_u32(count, len(told))


def _is_numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False


def _ask(thread: GuestThread, host: str, port: int) -> list[str]:
    """Ask on a thread of its own: the operating system's call cannot be interrupted, and the guest has to be."""
    answer: list[str] = []
    failure: list[OSError | UnicodeError] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            for _, _, _, _, address in socket.getaddrinfo(host, port or None, type=socket.SOCK_STREAM):
                if address[0] not in answer:
                    answer.append(str(address[0]).partition("%")[0])
        except (OSError, UnicodeError) as error:
            failure.append(error)
        finally:
            done.set()
            thread.waker.wake()

    threading.Thread(target=look_up, name=f"resolve-{thread.process.pid}", daemon=True).start()
    thread.wait_for(done.is_set)
    match failure:
        case [UnicodeError()]:
            raise GuestError(Errno.INVAL)
        case [socket.gaierror() as error] if error.errno == socket.EAI_AGAIN:
            raise GuestError(Errno.AGAIN)
        case [socket.gaierror() as error] if error.errno in _NOT_THERE:
            raise GuestError(Errno.NOENT)
        case [_]:
            raise GuestError(Errno.IO)
    return answer
