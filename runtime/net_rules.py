"""Network rules: what a guest may reach and where it may be reached, in words.

Two spellings are understood, separated by commas or given one at a time:

    allow:tcp:example.com:443         ACTION:[tcp|udp|*:]HOST:PORTS[/in|/out]
    ipv4:deny={10.0.0.0/8}:{80,443}   KIND:ACTION=HOSTS:PORTS[/in|/out], as the `--net` option of the system we implement

A host is an address, a network (`10.0.0.0/8`), a name, a name with a leading `*`, or `*`; an IPv6 host stands in brackets
where a port follows. Ports are a number, a range `80-90`, or `*`; braces hold several hosts or ports. Something is
allowed when a rule allows it and none denies it. A name that is allowed may be resolved, and the addresses that it had
then may be reached at the rule's ports.

Source of the second spelling: wasmerio/wasmer, `lib/virtual-net/src/ruleset.rs`, the description of the rules.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, TypeAlias

from runtime.errors import RuntimeFault

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

IN, OUT = "in", "out"
_RULE_START = re.compile(r",(?=(?:dns|ipv4|ipv6):(?:allow|deny)=|(?:allow|deny):)")
_MOST_RULES = 4096


class Rule(NamedTuple):
    """One rule: a network or a name, ports, and which way.

    `network` is `None` for a rule about names and for one about every address; `name` is `None` for a rule about
    addresses, and else a name, or `.suffix`, or `*`. `protocol` and `direction` are `*` for both.
    """

    allows: bool
    network: Network | None
    name: str | None
    version: int | None
    first_port: int
    last_port: int
    protocol: str = "*"
    direction: str = "*"

    def meets(self, address: Address, port: int, protocol: str, direction: str) -> bool:
        """Whether the rule is about this address and port."""
        return (
            self.meets_address(address)
            and self.first_port <= port <= self.last_port
            and self.protocol in ("*", protocol)
            and self.direction in ("*", direction)
        )

    def meets_address(self, address: Address) -> bool:
        """Whether the rule is about this address, whatever the port."""
        if self.name not in (None, "*") or (self.name == "*" and self.version == 0):
            return False
        if self.version is not None and self.version != address.version:
            return False
        return self.network is None or (self.network.version == address.version and address in self.network)

    def meets_name(self, name: str) -> bool:
        """Whether the rule is about this name."""
        if self.name is None:
            return False
        return self.name == "*" or (name.endswith(self.name) if self.name[0] == "." else name == self.name)


def parse_rules(text: str) -> list[Rule]:
    """The rules that a text spells.

    Raises:
        RuntimeFault: it spells none.
    """
    squeezed = "".join(text.split())
    rules: list[Rule] = []
    for part in _RULE_START.split(squeezed):
        if part:
            rules += _parse(part)
        if len(rules) > _MOST_RULES:
            raise RuntimeFault(f"network rules: more than {_MOST_RULES}: say it with networks and ranges of ports")
    return rules


def plain(address: Address) -> Address:
    """The address that is really meant: an IPv4 address may hide in an IPv6 one."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _wrong(rule: str, why: str) -> RuntimeFault:
    return RuntimeFault(
        f"network rule {rule!r}: {why}: write allow:tcp:HOST:PORT, deny:HOST:PORT or ipv4:allow=HOST:PORT/out"
    )


def _parse(rule: str) -> list[Rule]:
    kind, action, protocol, expression = _head(rule)
    direction = "*"
    for way in (IN, OUT):
        if expression.endswith(f"/{way}"):
            expression, direction = expression[: -len(way) - 1], way
    hosts, colon, ports = expression.rpartition(":")
    if not colon or not hosts:
        raise _wrong(rule, "no port (* is every port)")
    return [
        _rule(rule, kind, action == "allow", host, _ports(rule, port), protocol, direction)
        for host in _several(hosts)
        for port in _several(ports)
    ]


def _head(rule: str) -> tuple[str, str, str, str]:
    """Kind (`dns`, `ipv4`, `ipv6`, or empty for any), action, protocol, and what follows."""
    first, _, rest = rule.partition(":")
    if first in ("dns", "ipv4", "ipv6"):
        action, equals, expression = rest.partition("=")
        if action not in ("allow", "deny") or not equals:
            raise _wrong(rule, "neither allow= nor deny=")
        return first, action, "*", expression
    if first not in ("allow", "deny"):
        raise _wrong(rule, "it begins with none of allow, deny, dns, ipv4, ipv6")
    protocol, colon, expression = rest.partition(":")
    if protocol in ("tcp", "udp") and colon:
        return "", first, protocol, expression
    if protocol == "*" and expression.count(":") and not expression.startswith(":"):
        return "", first, "*", expression
    return "", first, "*", rest


def _several(text: str) -> list[str]:
    if text.startswith("{") and text.endswith("}"):
        return [part for part in text[1:-1].split(",") if part]
    return [text]


def _ports(rule: str, text: str) -> tuple[int, int]:
    if text == "*":
        return 0, 65535
    first, dash, last = text.partition("-")
    try:
        numbers = int(first), int(last if dash else first)
    except ValueError:
        raise _wrong(rule, f"{text!r} is no port") from None
    if not 0 <= numbers[0] <= numbers[1] <= 65535:
        raise _wrong(rule, f"{text!r} is no range of ports")
    return numbers


def _rule(rule: str, kind: str, allows: bool, host: str, ports: tuple[int, int], protocol: str, direction: str) -> Rule:
    versions = {"ipv4": 4, "ipv6": 6, "dns": 0}
    if host == "*":
        name = None if kind in ("ipv4", "ipv6") else "*"
        return Rule(allows, None, name, versions.get(kind), *ports, protocol, direction)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        network = ip_network(bare, strict=False)
    except ValueError:
        if kind in ("ipv4", "ipv6"):
            raise _wrong(rule, f"{host!r} is no {kind} address or network") from None
    else:
        if kind and versions[kind] != network.version:
            raise _wrong(rule, f"{host!r} is no {kind} host")
        return Rule(allows, network, None, network.version, *ports, protocol, direction)
    if not re.fullmatch(r"\*?[A-Za-z0-9._-]+", host):
        raise _wrong(rule, f"{host!r} is no host")
    return Rule(allows, None, host.lstrip("*").lower().rstrip("."), 0, *ports, protocol, direction)


__all__ = ["IN", "OUT", "Address", "Rule", "ip_address", "parse_rules", "plain"]
