"""Containers so large that their seals are checked beside their files, and work beside that of the caller."""

from __future__ import annotations

import io
import random
import threading
from typing import TYPE_CHECKING

import pytest

from webc_parser import Container, Version, WebcError, write_container
from webc_parser.beside import Beside

if TYPE_CHECKING:
    from webc_parser.source import Directory

CONTENT = random.Random(1).randbytes(1 << 20)


@pytest.fixture(scope="module", params=[Version.V2, Version.V3])
def large(request: pytest.FixtureRequest) -> bytes:
    written = io.BytesIO()
    volumes: dict[str, Directory] = {"/data": {"small": b"!", "deep": {"large": CONTENT}}}
    write_container(written, manifest={}, atoms={"m": b"\0asm\1\0\0\0"}, volumes=volumes, version=request.param)
    return written.getvalue()


def test_a_large_container_is_verified(large: bytes) -> None:
    container = Container.from_bytes(large)
    container.verify()
    container.close()


def test_damage_of_a_large_file_is_seen(large: bytes) -> None:
    damaged = bytearray(large)
    damaged[large.index(CONTENT) + len(CONTENT) // 2] ^= 1
    container = Container.from_bytes(damaged)
    with pytest.raises(WebcError, match=r"the checksum of the volume '/data'.* does not match"):
        container.verify()
    # Nobody reads it any more: else its memory could not be given back.
    container.close()


def test_a_wrong_checksum_of_a_large_file_is_seen_where_the_seals_are_right() -> None:
    from hashlib import sha256

    written = io.BytesIO()
    write_container(written, manifest={}, atoms={}, volumes={"/data": {"large": CONTENT}}, version=Version.V2)
    data = written.getvalue()
    wrong = bytearray(data.replace(sha256(CONTENT).digest(), bytes(32)))
    with Container.from_bytes(data) as container:
        seals = container._layout.seals
    for seal in seals:
        ((start, end),) = seal.covered[0]  # type: ignore[misc]
        wrong = bytearray(wrong.replace(seal.digest, sha256(wrong[start:end]).digest()))
    with pytest.raises(WebcError, match="the checksum of /data/large does not match"):
        Container.from_bytes(wrong).verify()


class TestBeside:
    def test_both_are_done_when_the_block_ends(self) -> None:
        met = threading.Barrier(2)
        done = []

        def work() -> None:
            met.wait(20)
            done.append("work")

        with Beside(work):
            met.wait(20)
        assert done == ["work"]

    def test_what_goes_wrong_in_the_work_goes_first(self) -> None:
        with pytest.raises(ZeroDivisionError), Beside(lambda: 1 // 0):
            raise KeyError

    def test_what_goes_wrong_in_the_block_is_raised_when_the_work_is_done(self) -> None:
        failed, done = threading.Event(), []
        with pytest.raises(KeyError), Beside(lambda: done.append(failed.wait(20))):
            failed.set()
            raise KeyError
        assert done == [True]

    def test_an_interrupt_goes_before_all(self) -> None:
        with pytest.raises(KeyboardInterrupt), Beside(lambda: 1 // 0):
            raise KeyboardInterrupt
