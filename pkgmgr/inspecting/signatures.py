"""The signatures of packages: which there are, and whether they are of whom somebody trusts.

Version 1 of the format may carry a detached OpenPGP signature over its checksum (kind `sha256-signed`). Versions 2 and 3
have a place for one in their index, but no algorithm but "none" was ever defined for it. There is no list of keys that
everybody trusts: a signature is checked against the keys that somebody names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pysequoia import Cert, Sig

    from webc_parser import Container

LARGEST_KEYS: Final = 4 << 20
"""No file of keys is larger than this many bytes."""

State = Literal["good", "bad", "unchecked"]


class SignatureReport(NamedTuple):
    """What is known of the signature of a package.

    Attributes:
        algorithm: Its name: `openpgp`.
        state: `good` where one of the keys made it and the container is what was signed; `bad` where not; `unchecked`
            where that cannot be told.
        detail: Why, in a phrase.
        key: The fingerprint of the key that it says made it, in hex; None where that is not known.
        signer: The names on the key that made it, where it is good.
    """

    algorithm: str
    state: State
    detail: str
    key: str | None = None
    signer: tuple[str, ...] = ()


def check_signature(container: Container, keys: Sequence[Path] = ()) -> SignatureReport | None:
    """Check the signature of a container; None where it has none.

    Args:
        container: The container.
        keys: Files with the OpenPGP certificates (public keys) that are trusted, binary or armored.

    Raises:
        WpmError: There are keys that cannot be read, or nothing that could read them.
    """
    trusted = _read_keys(keys)
    signature = container.signature
    if signature is None:
        return None
    if signature.algorithm != "openpgp":
        return SignatureReport(signature.algorithm, "unchecked", "the format defines no such algorithm")
    if signature.signed is None:
        return SignatureReport("openpgp", "bad", "the container has no checksum that it could be of")
    from webc_parser import WebcError

    try:
        from pysequoia import Sig
    except ImportError:
        return SignatureReport("openpgp", "unchecked", "it takes pysequoia (pip install 'wpm-webc[signatures]')")
    try:
        parsed = Sig.from_bytes(signature.value)
    except RuntimeError:
        return SignatureReport("openpgp", "bad", "it is no OpenPGP signature")
    key = parsed.issuer_fingerprint or parsed.issuer_key_id
    try:
        container.verify()
    except WebcError as error:
        return SignatureReport("openpgp", "bad", str(error), key)
    if not trusted:
        return SignatureReport("openpgp", "unchecked", "no trusted key to check it with (--key FILE)", key)
    for cert in trusted:
        if _made(cert, parsed, signature.signed):
            names = tuple(str(user) for user in cert.user_ids)
            return SignatureReport("openpgp", "good", f"made with the key {cert.fingerprint}", key, names)
    return SignatureReport("openpgp", "bad", "none of the given keys made it", key)


def _made(cert: Cert, signature: Sig, signed: bytes) -> bool:
    """Whether a signature over these bytes is of this certificate, by a key that was valid then."""
    from pysequoia import verify

    try:
        done = verify(bytes=signed, store=lambda _: [cert], signature=signature)
    except RuntimeError:
        return False
    return bool(done.valid_sigs)


def _read_keys(paths: Sequence[Path]) -> list[Cert]:
    if not paths:
        return []
    try:
        from pysequoia import Cert
    except ImportError:
        raise WpmError("checking signatures needs pysequoia: pip install 'wpm-webc[signatures]'") from None
    found: list[Cert] = []
    for path in paths:
        with path.open("rb") as file:
            data = file.read(LARGEST_KEYS + 1)
        try:
            certs = Cert.split_bytes(data) if len(data) <= LARGEST_KEYS else []
        except RuntimeError:
            certs = []
        if not certs:
            raise WpmError(f"{path}: no OpenPGP public keys in this file: export them with gpg --export")
        found += certs
    return found
