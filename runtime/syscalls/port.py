"""The machine's port to the network: what it has is told, and nothing of it is changed.

Source: `api_wasix.h`, `port_*`. What would change the network answers `NOTSUP`, as the host's own network does in the
system we implement.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from runtime.abi.address import knows_long_addresses, pack_cidr, pack_ip, pack_long_ip
from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import WASIX, syscall

if TYPE_CHECKING:
    from runtime.host_network import InterfaceAddress
    from runtime.thread import GuestThread

_NEVER = Struct("<BxxxxxxxQ").pack(0, 0)
"""An `option_timestamp` that is none."""


def _addresses(thread: GuestThread) -> list[InterfaceAddress]:
    """The addresses of this machine that the guest may know of."""
    from runtime.host_network import addresses

    network = thread.env.network
    network.require()
    return [each for each in addresses() if network.shows(each.host)]


def _list(thread: GuestThread, records: list[bytes], buffer: int, count: int) -> None:
    """Write the records, and how many there are; `OVERFLOW` where there is room for fewer."""
    memory = thread.memory
    room = memory.u32(count)
    memory.set_u32(count, len(records))
    if room < len(records):
        raise GuestError(Errno.OVERFLOW)
    memory.write(buffer, b"".join(records))


@syscall("port_addr_list", "ii:i", WASIX)
def port_addr_list(thread: GuestThread, buffer: int, count: int) -> None:
    """Write the addresses of this machine, `addr_cidr` (28 bytes) each; `count` points to the room, u32, and gets the number.

    Errors: `NOTSUP` without a network, `OVERFLOW` for too little room.
    """
    long = knows_long_addresses(thread.process.module)
    records = [pack_cidr(each.host, each.prefix, long=long) for each in _addresses(thread)]
    _list(thread, records, buffer, count)


@syscall("port_route_list", "ii:i", WASIX)
def port_route_list(thread: GuestThread, buffer: int, count: int) -> None:
    """Write the routes of this machine, `route` (176 bytes) each, as `port_addr_list` writes the addresses.

    They are the networks that it is in, each reached by the address there, and the gateway's.
    """
    from runtime.host_network import gateway

    long = knows_long_addresses(thread.process.module)
    routes = [(each.host, each.prefix, each.host) for each in _addresses(thread)]
    router = gateway()
    if router is not None and thread.env.network.unrestricted:
        routes.append(("0.0.0.0", 0, router))
    _list(thread, [_route(*route, long=long) for route in routes], buffer, count)


def _route(host: str, prefix: int, router: str, *, long: bool) -> bytes:
    from ipaddress import ip_network

    network = str(ip_network(f"{host}/{prefix}", strict=False).network_address)
    if long:
        start = (pack_cidr(network, prefix, long=True) + pack_long_ip(router)).ljust(144, b"\0")
    else:
        start = (pack_cidr(network, prefix, long=False) + pack_ip(router)).ljust(40, b"\0")
    return start + _NEVER + _NEVER


@syscall("port_mac", "i:i", WASIX)
def port_mac(thread: GuestThread, result: int) -> None:
    """Write the hardware address, 6 bytes: zeros for a guest that may not use the whole network. Errors: `NOTSUP`."""
    network = thread.env.network
    network.require()
    if network.unrestricted:
        from runtime.host_network import hardware_address

        thread.memory.write(result, hardware_address())
    else:
        thread.memory.write(result, bytes(6))


@syscall("port_bridge", "iiiii:i", WASIX)
def port_bridge(thread: GuestThread, network: int, length: int, token: int, token_length: int, security: int) -> None:
    """Join a network far away. Errors: `NOTSUP`, always."""
    _refuse(thread, network, length, token, token_length, security)


@syscall("port_unbridge", ":i", WASIX)
def port_unbridge(thread: GuestThread) -> None:
    """Leave a network far away. Errors: `NOTSUP`, always."""
    _refuse(thread)


@syscall("port_dhcp_acquire", ":i", WASIX)
def port_dhcp_acquire(thread: GuestThread) -> None:
    """Ask for addresses. Errors: `NOTSUP`, always: the host has done that."""
    _refuse(thread)


@syscall("port_addr_add", "i:i", WASIX)
def port_addr_add(thread: GuestThread, address: int) -> None:
    """Take another address. Errors: `NOTSUP`, always."""
    _refuse(thread, address)


@syscall("port_addr_remove", "i:i", WASIX)
def port_addr_remove(thread: GuestThread, address: int) -> None:
    """Give an address up. Errors: `NOTSUP`, always."""
    _refuse(thread, address)


@syscall("port_addr_clear", ":i", WASIX)
def port_addr_clear(thread: GuestThread) -> None:
    """Give every address up. Errors: `NOTSUP`, always."""
    _refuse(thread)


@syscall("port_gateway_set", "i:i", WASIX)
def port_gateway_set(thread: GuestThread, address: int) -> None:
    """Choose the gateway. Errors: `NOTSUP`, always."""
    _refuse(thread, address)


@syscall("port_route_add", "iiii:i", WASIX)
def port_route_add(thread: GuestThread, network: int, router: int, preferred_until: int, expires_at: int) -> None:
    """Make a route. Errors: `NOTSUP`, always."""
    _refuse(thread, network, router, preferred_until, expires_at)


@syscall("port_route_remove", "i:i", WASIX)
def port_route_remove(thread: GuestThread, network: int) -> None:
    """Remove a route. Errors: `NOTSUP`, always."""
    _refuse(thread, network)


@syscall("port_route_clear", ":i", WASIX)
def port_route_clear(thread: GuestThread) -> None:
    """Remove every route. Errors: `NOTSUP`, always."""
    _refuse(thread)


def _refuse(*arguments: object) -> None:
    del arguments
    raise GuestError(Errno.NOTSUP)
