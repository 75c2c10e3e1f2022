"""Socket addresses in guest memory (`api_wasix.h`, `addr_port`, `addr_ip`, `addr_cidr`).

An address begins with its family, u8; what follows begins at 2. Ports are little-endian, addresses in network order.
Modules of 2023 and 2024 know shorter structures than those of today: 20 bytes for an address with a port, with nothing
behind an IPv6 address. They must not be written more than they have room for, so the module's age is asked.
"""

from __future__ import annotations

import socket
from struct import Struct

from runtime.abi.errno import Errno, GuestError
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.engine import Module
    from runtime.memory import GuestMemory

UNSPEC, INET4, INET6, UNIX = range(4)
"""`address_family`."""

_INET4_PORT = Struct("<BxH4s12x")
"""`addr_port` of IPv4: port u16 at 2, address at 4; 20 bytes are written."""
_INET6_PORT = Struct("<BxH16s")
"""`addr_port` of IPv6: port u16 at 2, address at 4."""
_SCOPE = Struct("<HHHH")
"""Behind an IPv6 address today: flow information and scope, each the high half first."""
_UNIX_SIZE, _OLD_SIZE = 110, 20

ADDR_IP_SIZE = 18
"""`addr_ip`, which `resolve` writes: family u8, address at 2."""

_OF_TODAY = frozenset(
    {"path_open2", "fd_dup2", "fd_fdflags_get", "proc_exec3", "proc_spawn2", "sock_pair", "epoll_create"}
)


class SocketAddress(NamedTuple):
    """An IP address with a port, as Python's sockets take it."""

    host: str
    port: int
    flow: int = 0
    scope: int = 0

    @property
    def is_ipv6(self) -> bool:
        """Which family it is of."""
        return ":" in self.host

    def for_host(self) -> tuple[str, int] | tuple[str, int, int, int]:
        """The tuple for `socket.connect` and its like."""
        return (self.host, self.port, self.flow, self.scope) if self.is_ipv6 else (self.host, self.port)

    @classmethod
    def of(cls, found: object) -> SocketAddress | None:
        """An address that a socket of the host gave; `None` for one that is not IP."""
        match found:
            case (str(host), int(port), int(flow), int(scope)):
                return cls(host.partition("%")[0], port, flow, scope)
            case (str(host), int(port)):
                return cls(host, port)
        return None


def knows_long_addresses(module: Module) -> bool:
    """Whether the module was built when addresses had their full size: what else it imports tells."""
    known = module.__dict__.get("long_addresses")
    if known is None:
        known = any(item.name in _OF_TODAY for item in module.imports if item.module.startswith("wasix_"))
        module.__dict__["long_addresses"] = known
    return bool(known)


def read_address(memory: GuestMemory, pointer: int, *, long: bool) -> SocketAddress:
    """The `addr_port` at `pointer`.

    Raises:
        GuestError: `FAULT`; `AFNOSUPPORT` for a family that is not IP.
    """
    match memory.u8(pointer):
        case 1:
            _, port, address = _INET4_PORT.unpack(memory.read(pointer, _INET4_PORT.size))
            return SocketAddress(socket.inet_ntop(socket.AF_INET, address), port)
        case 2:
            _, port, address = _INET6_PORT.unpack(memory.read(pointer, _INET6_PORT.size))
            flow = scope = 0
            if long:
                parts = _SCOPE.unpack(memory.read(pointer + _INET6_PORT.size, _SCOPE.size))
                # Whoever does not care leaves these undefined: only a link-local address has a scope.
                if address[0] == 0xFE and address[1] & 0xC0 == 0x80:
                    flow, scope = 0, parts[2] << 16 | parts[3]
            return SocketAddress(socket.inet_ntop(socket.AF_INET6, address), port, flow, scope)
    raise GuestError(Errno.AFNOSUPPORT)


def write_address(memory: GuestMemory, pointer: int, address: SocketAddress | None, *, long: bool) -> None:
    """Put an `addr_port` at `pointer`; a Unix address without a name for `None`."""
    if address is None:
        memory.write(pointer, bytes([UNIX]) + bytes((_UNIX_SIZE if long else _OLD_SIZE) - 1))
    elif address.is_ipv6:
        packed = socket.inet_pton(socket.AF_INET6, address.host)
        data = _INET6_PORT.pack(INET6, address.port, packed)
        if long:
            data += _SCOPE.pack(address.flow >> 16, address.flow & 0xFFFF, address.scope >> 16, address.scope & 0xFFFF)
        memory.write(pointer, data)
    else:
        packed = socket.inet_pton(socket.AF_INET, address.host)
        memory.write(pointer, _INET4_PORT.pack(INET4, address.port, packed))


def address_room(*, long: bool) -> int:
    """How many bytes `write_address` may write."""
    return _UNIX_SIZE if long else _OLD_SIZE


def pack_ip(host: str) -> bytes:
    """An `addr_ip` (18 bytes)."""
    family, tag = (socket.AF_INET6, INET6) if ":" in host else (socket.AF_INET, INET4)
    return (bytes([tag, 0]) + socket.inet_pton(family, host)).ljust(ADDR_IP_SIZE, b"\0")


def pack_cidr(host: str, prefix: int, *, long: bool) -> bytes:
    """An `addr_cidr`: 28 bytes, 20 in old modules; the prefix follows the address."""
    data = pack_ip(host)
    if ":" in host:
        return data + (bytes(8) if long else b"") + bytes([prefix, 0])
    return (data[:6] + bytes([prefix])).ljust(28 if long else 20, b"\0")


def pack_long_ip(host: str) -> bytes:
    """An `addr` (110 bytes): as `addr_ip`, with room for any family."""
    return pack_ip(host).ljust(_UNIX_SIZE, b"\0")
