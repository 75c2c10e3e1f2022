"""Signatures of packages: version 1 as the published tools sign it, and what cannot be checked said as such."""

import json
import struct
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from pysequoia import SignatureMode, Tsk, sign
from typed import wpm

from pkgmgr.errors import WpmError
from pkgmgr.inspecting.signatures import check_signature
from webc_parser import Container, Signature
from webc_parser.cbor import encode

MANIFEST = {"package": {"wapm": {"name": "test/signed", "version": "1.0.0", "description": "signed"}}}
ALICE, MALLORY = Tsk.generate("Alice \x1b[31m <alice@example.org>"), Tsk.generate("Mallory <m@example.org>")


def certificate(folder: Path, key: Tsk) -> Path:
    cert = key.extract_certificate()
    path = folder / f"{cert.fingerprint}.asc"
    path.write_text(str(cert))
    return path


def signed(key: Tsk | None, kind: bytes = b"sha256-signed", *, content: bytes = b"x") -> bytes:
    """A container of version 1 as the `webc` crate signs it: over the checksum, padded to 256 bytes."""
    encoded = encode(MANIFEST)
    entry = struct.pack("<QQQ", 1 | 1 << 56, 0, len(content)) + b"f"
    level = struct.pack("<Q", len(entry)) + entry
    volume = bytes((len(level),)) + level + content
    body = bytes((len(encoded),)) + encoded + b"\0" + bytes((4,)) + b"data" + bytes((len(volume),)) + volume
    head = b"\0webc001" + kind.ljust(16, b"-")
    checksum = sha256(head + bytes(256 + 4 + 1024) + body).digest().ljust(256, b"\0") if kind else bytes(256)
    value = b"" if key is None else sign(key.signer(), checksum, mode=SignatureMode.DETACHED, armor=False)
    return head + checksum + struct.pack("<I", len(value)) + value.ljust(1024, b"\0") + body


def test_a_signature_is_checked_with_the_keys_that_are_given(tmp_path: Path) -> None:
    container = Container.from_bytes(signed(ALICE))
    container.verify()
    alice, mallory = certificate(tmp_path, ALICE), certificate(tmp_path, MALLORY)
    report = check_signature(container)
    assert report is not None
    assert (report.state, report.algorithm) == ("unchecked", "openpgp")
    assert "no trusted key" in report.detail
    for keys in ([alice], [mallory, alice]):
        report = check_signature(container, keys)
        assert report is not None
        assert (report.state, report.signer) == ("good", ("Alice \x1b[31m <alice@example.org>",))
    report = check_signature(container, [mallory])
    assert report is not None
    assert (report.state, report.detail) == ("bad", "none of the given keys made it")


def test_what_was_changed_after_signing(tmp_path: Path) -> None:
    alice = certificate(tmp_path, ALICE)
    changed = signed(ALICE)[:-1] + b"y"
    report = check_signature(Container.from_bytes(changed), [alice])
    assert report is not None
    assert report.state == "bad"
    assert "checksum of the whole file does not match" in report.detail
    # A new checksum under the old signature.
    resealed = signed(None, content=b"y")
    moved = resealed[:280] + signed(ALICE)[280:1308] + resealed[1308:]
    Container.from_bytes(moved).verify()
    report = check_signature(Container.from_bytes(moved), [alice])
    assert report is not None
    assert report.state == "bad"


def test_a_signature_of_nothing(tmp_path: Path) -> None:
    report = check_signature(Container.from_bytes(signed(ALICE, b"")), [certificate(tmp_path, ALICE)])
    assert report is not None
    assert (report.state, report.detail) == ("bad", "the container has no checksum that it could be of")


def test_what_is_no_signature() -> None:
    data = bytearray(signed(None))
    data[280:291] = struct.pack("<I", 7) + b"garbage"
    report = check_signature(Container.from_bytes(bytes(data)))
    assert report is not None
    assert (report.state, report.detail) == ("bad", "it is no OpenPGP signature")


def test_versions_for_which_no_algorithm_is_defined() -> None:
    container = Container.from_bytes(signed(None))
    container.signature = Signature("signature-future", b"\1", None)
    report = check_signature(container)
    assert report is not None
    assert report == ("signature-future", "unchecked", "the format defines no such algorithm", None, ())


def test_unsigned_and_files_that_are_no_keys(tmp_path: Path) -> None:
    container = Container.from_bytes(signed(None))
    assert check_signature(container) is None
    for content in (b"", b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n"):
        (tmp_path / "keys").write_bytes(content)
        with pytest.raises(WpmError, match="no OpenPGP public keys"):
            check_signature(container, [tmp_path / "keys"])


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    container = Container.from_bytes(signed(ALICE))
    monkeypatch.setitem(sys.modules, "pysequoia", None)
    report = check_signature(container)
    assert report is not None
    assert (report.state, report.key) == ("unchecked", None)
    assert "pip install 'wpm-webc[signatures]'" in report.detail
    with pytest.raises(WpmError, match=r"pip install 'wpm-webc\[signatures\]'"):
        check_signature(container, [tmp_path / "keys"])


def test_inspect_shows_and_checks_it(tmp_path: Path) -> None:
    package = tmp_path / "signed.webc"
    package.write_bytes(signed(ALICE))
    done = wpm("inspect", package)
    assert done.returncode == 0
    assert b"signature: openpgp, present, not checked: no trusted key to check it with (--key FILE)" in done.stdout
    alice, mallory = certificate(tmp_path, ALICE), certificate(tmp_path, MALLORY)
    done = wpm("inspect", "--key", alice, package)
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"signature: openpgp, good: made with the key {alice.stem} (Alice \\u{{1b}}[31m".encode() in done.stdout
    done = wpm("inspect", "--key", mallory, package, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["signature"]["state"] == "bad"
    package.write_bytes(signed(None))
    done = wpm("inspect", "--key", alice, package)
    assert (done.returncode, done.stderr.decode()) == (1, f"wpm: {package}: not signed\n")


def test_published_packages_have_none(conformance: Path) -> None:
    for path in sorted((conformance / "webc").glob("*.webc")):
        with Container.open(path) as container:
            container.verify()
            assert check_signature(container) is None, path
