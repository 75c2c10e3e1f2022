"""What is short is hashed as everybody hashes it."""

from hashlib import sha256

from hypothesis import given
from hypothesis.strategies import binary

from pkgmgr.short_digest import short_sha256


@given(binary(max_size=300))
def test_it_is_the_sha256(data: bytes) -> None:
    assert short_sha256(data) == sha256(data).hexdigest()
