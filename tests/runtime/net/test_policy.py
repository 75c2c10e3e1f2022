"""What rules allow, and names only through them."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from script import At, Script, address, run

from runtime.abi.errno import Errno, GuestError
from runtime.errors import RuntimeFault
from runtime.net import TCP, UDP, NetworkPolicy

NAME, RESULT, COUNT = 1024, 2048, 512


@pytest.mark.parametrize(
    ("rules", "host", "port", "allowed"),
    [
        ("allow:tcp:10.0.0.1:80", "10.0.0.1", 80, True),
        ("allow:tcp:10.0.0.1:80", "10.0.0.1", 81, False),
        ("allow:udp:10.0.0.1:80", "10.0.0.1", 80, False),
        ("allow:10.0.0.0/8:80-90", "10.9.9.9", 90, True),
        ("allow:10.0.0.0/8:80-90", "11.0.0.1", 90, False),
        ("allow:*:*,deny:10.0.0.0/8:*", "10.0.0.1", 80, False),
        ("allow:*:*,deny:10.0.0.0/8:*", "::ffff:10.0.0.1", 80, False),
        ("allow:*:443", "2001:db8::1", 443, True),
        ("allow:*:*:443", "1.2.3.4", 443, True),
        ("allow:tcp:[2001:db8::/32]:*", "2001:db8::7", 1, True),
        ("allow:tcp:[2001:db8::1]:443", "2001:db8::2", 443, False),
        ("ipv4:allow=*:*", "::1", 80, False),
        ("ipv4:allow=*:*", "1.1.1.1", 80, True),
        ("ipv4:allow={127.0.0.1/24, 192.168.1.1/24}:{80, 443}", "192.168.1.200", 443, True),
        ("ipv4:allow={127.0.0.1/24, 192.168.1.1/24}:{80, 443}", "192.168.2.1", 443, False),
        ("ipv4:allow=127.0.0.1:80/in", "127.0.0.1", 80, False),
        ("ipv4:allow=127.0.0.1:80/out,ipv4:deny=127.0.0.1:80/in", "127.0.0.1", 80, True),
        ("ipv6:allow=[::1]:80", "::1", 80, True),
        ("ipv6:allow=::1:80", "::1", 80, True),
        ("dns:allow=*:*", "1.2.3.4", 80, False),
        ("allow:127.0.0.1:*", "0.0.0.0", 80, True),
        ("deny:127.0.0.1:*,allow:0.0.0.0:*", "0.0.0.0", 80, False),
    ],
)
def test_rules(rules: str, host: str, port: int, allowed: bool) -> None:
    assert NetworkPolicy.parse(rules).reaches(TCP, host, port) is allowed


@pytest.mark.parametrize(
    "rule",
    ["allow", "allow:", "allow:host", "deny:tcp:80", "allow:1.2.3.4:99999", "allow:1.2.3.4:9-1", "ipv4:allow=::1:80", "x:y=z",
     "ipv4:permit=*:*", "ipv6:allow=1.2.3.4:1", "allow:a b!:80", "dns:allow", "ipv4:allow=example.com:80", "allow:tcp:[::1:80"],
)  # fmt: skip
def test_what_is_no_rule_is_said(rule: str) -> None:
    with pytest.raises(RuntimeFault, match="network rule"):
        NetworkPolicy.rules([rule])


@given(st.text(max_size=60))
def test_any_text_is_rules_or_a_fault(text: str) -> None:
    for prefix in ("", "allow:", "ipv4:deny=", "dns:allow="):
        try:
            NetworkPolicy.rules([prefix + text])
        except RuntimeFault as error:
            assert "\n" not in str(error)


def test_the_option() -> None:
    assert not NetworkPolicy.parse(None).enabled
    assert NetworkPolicy.parse("").unrestricted
    assert NetworkPolicy.parse("loopback").reaches(UDP, "127.8.8.8", 5)
    assert not NetworkPolicy.parse("loopback").reaches(UDP, "8.8.8.8", 53)
    with pytest.raises(RuntimeFault):
        NetworkPolicy.parse("everywhere")


def test_a_name_makes_its_addresses_reachable_at_its_ports() -> None:
    policy = NetworkPolicy.rules(["allow:tcp:*.example.com:443", "deny:bad.example.com:*"])
    policy.name("www.Example.com.")
    with pytest.raises(GuestError):
        policy.name("example.org")
    with pytest.raises(GuestError):
        policy.name("bad.example.com")
    assert not policy.reaches(TCP, "93.184.216.34", 443)
    policy.resolved("www.example.com", ["93.184.216.34", "2606:2800::1"])
    assert policy.reaches(TCP, "93.184.216.34", 443)
    assert policy.reaches(TCP, "2606:2800::1", 443)
    assert not policy.reaches(TCP, "93.184.216.34", 80)
    assert not policy.reaches(UDP, "93.184.216.34", 443)


def test_a_denied_address_stays_denied_under_an_allowed_name() -> None:
    policy = NetworkPolicy.rules(["allow:*.example.com:*", "deny:10.0.0.0/8:*"])
    policy.resolved("inner.example.com", ["10.1.1.1"])
    assert not policy.reaches(TCP, "10.1.1.1", 80)


def test_a_server_for_every_interface_is_one_for_the_loopback() -> None:
    policy = NetworkPolicy.loopback()
    assert policy.bind(TCP, "0.0.0.0", 8080) == "127.0.0.1"
    assert policy.bind(TCP, "::", 8080) == "::1"
    with pytest.raises(GuestError):
        policy.bind(TCP, "192.0.2.1", 0)
    served = NetworkPolicy.rules(["allow:tcp:0.0.0.0:8080/in", "deny:10.0.0.0/8:*"])
    assert served.bind(TCP, "0.0.0.0", 8080) == "0.0.0.0"
    assert served.hears(TCP, "192.0.2.7", 5555, "0.0.0.0", 8080)
    assert not served.hears(TCP, "10.0.0.7", 5555, "0.0.0.0", 8080)
    with pytest.raises(GuestError):
        served.listen("0.0.0.0", 8081)


def test_a_guest_resolves_localhost() -> None:
    script = Script().put(NAME, b"localhost")
    script.call("resolve", NAME, 9, 80, RESULT, 8, COUNT).show(COUNT, 4).show(RESULT, 18)
    output = run(script, lambda builder: builder.network(NetworkPolicy.loopback()))
    assert output[0] in (1, 2)
    assert output[4:10] == b"\1\0\x7f\0\0\1" or output[4:22] == b"\2\0" + socket.inet_pton(socket.AF_INET6, "::1")


def test_a_guest_resolves_only_what_rules_allow() -> None:
    script = Script().put(NAME, b"localhost").put(NAME + 100, b"127.0.0.9").put(64, address("127.0.0.1", 9))
    script.call("resolve", NAME, 9, 0, RESULT, 8, COUNT, errno=Errno.PERM)
    script.call("resolve", NAME + 100, 9, 0, RESULT, 8, COUNT).show(RESULT, 6)
    script.call("resolve", NAME + 200, 4, 0, RESULT, 8, COUNT, errno=Errno.PERM)
    script.call("resolve", NAME, 5000, 0, RESULT, 8, COUNT, errno=Errno.INVAL)
    script.call("sock_open", 1, 1, 6, 0).call("sock_connect", At(0), 64, errno=Errno.PERM)
    policy = NetworkPolicy.rules(["allow:example.com:80"])
    assert run(script, lambda builder: builder.network(policy)) == b"\1\0\x7f\0\0\x09"
