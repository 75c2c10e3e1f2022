"""What of the host's network a guest may use: nothing (the default), the loopback, what rules say, or everything."""

from __future__ import annotations

import threading

from runtime.abi.errno import Errno, GuestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.net_rules import Address, Rule

TCP, UDP = "tcp", "udp"
_LOOPBACK = "allow:127.0.0.0/8:*,allow:[::1]:*,allow:{localhost,*.localhost}:*"
_MOST_RESOLVED = 4096


class NetworkPolicy:
    """Asked before anything reaches the host's network.

    What is not allowed is `NOTSUP` when there is no network, as in the system we implement, and `PERM` when a rule is
    missing or denies it. Two guests that share a policy share the names that they have resolved.

    Attributes:
        enabled: whether there is a network at all.
        unrestricted: whether everything is allowed.
        loopback_only: whether a server that asks for every interface is given the loopback instead.
    """

    def __init__(self, rules: list[Rule] | None, *, enabled: bool = True, loopback_only: bool = False) -> None:
        """Allow what the rules allow; everything without rules."""
        self.enabled = enabled
        self.unrestricted = enabled and rules is None
        self.loopback_only = loopback_only
        self._rules = rules or []
        self._resolved: dict[Address, list[Rule]] = {}
        self._lock = threading.Lock()

    @classmethod
    def off(cls) -> NetworkPolicy:
        """No network; pairs of connected sockets work all the same."""
        return cls(None, enabled=False)

    @classmethod
    def everything(cls) -> NetworkPolicy:
        """The network as this process has it."""
        return cls(None)

    @classmethod
    def loopback(cls) -> NetworkPolicy:
        """127.0.0.0/8, ::1 and `localhost`: what runs on this machine."""
        return cls.rules([_LOOPBACK])._on_loopback()

    @classmethod
    def rules(cls, rules: Iterable[str]) -> NetworkPolicy:
        """What these rules allow (see `runtime.net_rules`).

        Raises:
            RuntimeFault: one of them is not a rule.
        """
        from runtime.net_rules import parse_rules

        return cls([rule for text in rules for rule in parse_rules(text)])

    @classmethod
    def parse(cls, option: str | None) -> NetworkPolicy:
        """What the option `--net` means: absent nothing, empty everything, `loopback`, or rules.

        Raises:
            RuntimeFault: it means nothing.
        """
        match option:
            case None | "off" | "none":
                return cls.off()
            case "" | "all":
                return cls.everything()
            case "loopback":
                return cls.loopback()
            case _:
                return cls.rules([option])

    def _on_loopback(self) -> NetworkPolicy:
        self.loopback_only = True
        return self

    # What a guest asks for

    def connect(self, protocol: str, host: str, port: int) -> None:
        """Let a socket reach this address.

        Raises:
            GuestError: `NOTSUP`, `PERM`.
        """
        self.require()
        if not self.reaches(protocol, host, port):
            raise GuestError(Errno.PERM)

    def reaches(self, protocol: str, host: str, port: int) -> bool:
        """Whether this address may be sent to."""
        if self.unrestricted:
            return True
        if not self.enabled:
            return False
        from runtime.net_rules import OUT

        address = _address(host)
        if address.is_unspecified:
            # To send to the unspecified address is to send to oneself.
            address = _address("127.0.0.1" if address.version == 4 else "::1")
        with self._lock:
            resolved = list(self._resolved.get(address, ()))
        return self._decide(address, port, protocol, OUT, self._rules + resolved)

    def bind(self, protocol: str, host: str, port: int) -> str:
        """Let a socket take this address; the address to take in its place.

        Port 0 is anybody's: the socket can be reached there only after `listen`, or by those that it may send to.

        Raises:
            GuestError: `NOTSUP`, `PERM`.
        """
        self.require()
        if self.loopback_only and _address(host).is_unspecified:
            return "127.0.0.1" if _address(host).version == 4 else "::1"
        if port == 0 and not self.loopback_only:
            return host
        if not self._served(protocol, host, port):
            raise GuestError(Errno.PERM)
        return host

    def listen(self, host: str, port: int) -> None:
        """Let a socket be connected to at the address that it has.

        Raises:
            GuestError: `NOTSUP`, `PERM`.
        """
        self.require()
        if not self._served(TCP, host, port):
            raise GuestError(Errno.PERM)

    def hears(self, protocol: str, peer: str, peer_port: int, local: str, local_port: int) -> bool:
        """Whether something that has come from this peer may be received at this local address.

        A server hears everybody whom no rule denies; a client hears those that it may send to.
        """
        if self.unrestricted or not self.enabled:
            return True
        from runtime.net_rules import IN

        address = _address(peer)
        if self.reaches(protocol, peer, peer_port):
            return True
        if self.loopback_only or not self._served(protocol, local, local_port):
            return False
        return not any(not rule.allows and rule.meets(address, local_port, protocol, IN) for rule in self._rules)

    def group(self, host: str) -> None:
        """Let a socket join this multicast group.

        Raises:
            GuestError: `NOTSUP`, `PERM`.
        """
        self.require()
        if not self.shows(host):
            raise GuestError(Errno.PERM)

    def name(self, name: str) -> None:
        """Let a name be resolved.

        Raises:
            GuestError: `NOTSUP`, `PERM`.
        """
        self.require()
        if self.unrestricted:
            return
        wanted = [rule for rule in self._rules if rule.meets_name(_name(name))]
        if not wanted or not all(rule.allows for rule in wanted):
            raise GuestError(Errno.PERM)

    def resolved(self, name: str, hosts: Iterable[str]) -> None:
        """Remember what a name stood for: the rules about the name are about these addresses from now on."""
        if self.unrestricted:
            return
        rules = [
            rule._replace(name=None, version=None, direction="out" if rule.allows else "*")
            for rule in self._rules
            if rule.name not in (None, "*") and rule.meets_name(_name(name))
        ]
        rules += [
            rule._replace(name=None, version=None, direction="out")
            for rule in self._rules
            if rule.name == "*" and rule.version == 0 and rule.allows
        ]
        with self._lock:
            for host in hosts:
                self._resolved[_address(host)] = rules
            while len(self._resolved) > _MOST_RESOLVED:
                del self._resolved[next(iter(self._resolved))]

    def shows(self, host: str) -> bool:
        """Whether the guest may know that this machine has this address."""
        if self.unrestricted:
            return True
        address = _address(host)
        return self.enabled and any(rule.allows and rule.meets_address(address) for rule in self._rules)

    def require(self) -> None:
        """Go on only when there is a network.

        Raises:
            GuestError: `NOTSUP`.
        """
        if not self.enabled:
            raise GuestError(Errno.NOTSUP)

    def _served(self, protocol: str, host: str, port: int) -> bool:
        if self.unrestricted:
            return True
        from runtime.net_rules import IN

        return self._decide(_address(host), port, protocol, IN, self._rules)

    @staticmethod
    def _decide(address: Address, port: int, protocol: str, direction: str, rules: list[Rule]) -> bool:
        met = [rule.allows for rule in rules if rule.meets(address, port, protocol, direction)]
        return bool(met) and all(met)


def _address(host: str) -> Address:
    from runtime.net_rules import ip_address, plain

    return plain(ip_address(host.partition("%")[0]))


def _name(name: str) -> str:
    return name.lower().rstrip(".")
