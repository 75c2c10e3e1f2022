"""What this machine's network looks like: interfaces and their addresses, from `getifaddrs(3)`, and the gateway.

The structures are those of Linux and of macOS, which differ in where a socket address keeps its family.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import sys
from ctypes import POINTER, Structure, c_char_p, c_uint, c_void_p
from functools import cache
from pathlib import Path
from typing import NamedTuple

_IFF_UP = 1
_LINK_FAMILY = 18 if sys.platform == "darwin" else 17
_MAC_LENGTH = 6
_ROUTES = Path("/proc/net/route")


class InterfaceAddress(NamedTuple):
    """An address of this machine with the length of its network's prefix, in bits."""

    interface: str
    host: str
    prefix: int


class _Address(Structure):
    """`struct ifaddrs`."""


_Address._fields_ = [
    ("next", POINTER(_Address)),
    ("name", c_char_p),
    ("flags", c_uint),
    ("address", c_void_p),
    ("netmask", c_void_p),
    ("other", c_void_p),
    ("data", c_void_p),
]


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.getifaddrs.argtypes, library.freeifaddrs.argtypes = [POINTER(POINTER(_Address))], [POINTER(_Address)]
    return library


def _family(address: int) -> int:
    raw = ctypes.string_at(address, 2)
    return raw[1] if sys.platform == "darwin" else int.from_bytes(raw, sys.byteorder)


def _bits(netmask: int | None, family: int) -> int:
    start, length = (8, 16) if family == socket.AF_INET6 else (4, 4)
    if netmask is None:
        return 8 * length
    return sum(byte.bit_count() for byte in ctypes.string_at(netmask + start, length))


def _interfaces() -> tuple[list[InterfaceAddress], dict[str, bytes]]:
    """The addresses of every interface that is up, and the hardware address of each that has one."""
    first = POINTER(_Address)()
    if _library().getifaddrs(ctypes.byref(first)) != 0:
        raise OSError(ctypes.get_errno(), "cannot ask for the addresses of this machine")
    addresses: list[InterfaceAddress] = []
    hardware: dict[str, bytes] = {}
    try:
        entry = first
        while entry:
            each = entry.contents
            entry = each.next
            if not each.address or not each.flags & _IFF_UP:
                continue
            name, family = each.name.decode("utf-8", "replace"), _family(each.address)
            if family in (socket.AF_INET, socket.AF_INET6):
                start, length = (8, 16) if family == socket.AF_INET6 else (4, 4)
                host = socket.inet_ntop(family, ctypes.string_at(each.address + start, length))
                addresses.append(InterfaceAddress(name, host, _bits(each.netmask, family)))
            elif family == _LINK_FAMILY:
                # Linux: sockaddr_ll, the address at 12; macOS: sockaddr_dl, behind the name, whose length is at 5.
                raw = ctypes.string_at(each.address, 20)
                start = 8 + raw[5] if sys.platform == "darwin" else 12
                hardware[name] = ctypes.string_at(each.address + start, _MAC_LENGTH)
    finally:
        _library().freeifaddrs(first)
    return addresses, hardware


def addresses() -> list[InterfaceAddress]:
    """The addresses of this machine.

    Raises:
        OSError: the operating system does not tell.
    """
    return _interfaces()[0]


def hardware_address() -> bytes:
    """The hardware address (6 bytes) of the first interface that has one; zeros without any.

    Raises:
        OSError: the operating system does not tell.
    """
    return next((found for found in _interfaces()[1].values() if any(found)), bytes(_MAC_LENGTH))


def gateway() -> str | None:
    """The IPv4 gateway to everywhere, where the operating system shows its routes as a file."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in _ROUTES.read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1], 16) == 0 and int(fields[7], 16) == 0:
                return socket.inet_ntop(socket.AF_INET, int(fields[2], 16).to_bytes(4, sys.byteorder))
    return None
