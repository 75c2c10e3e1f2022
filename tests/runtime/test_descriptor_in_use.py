"""A descriptor that is closed under a call of another thread stays open for that call, and no longer."""

import os

import pytest

from runtime.abi.errno import GuestError
from runtime.descriptors import Description, Descriptor, DescriptorTable, in_use
from runtime.pipes import guest_pipe


def test_closing_waits_for_the_last_user() -> None:
    reading, writing = guest_pipe()
    table = DescriptorTable()
    description = Description(file=reading)
    fd = table.add(Descriptor(description))
    number = reading.fileno()
    assert number is not None
    with in_use(description), in_use(description):
        table.close(fd)
        os.fstat(number)  # the host's number is not free for anybody else yet
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    writing.close()


def test_what_is_closed_cannot_be_used() -> None:
    reading, writing = guest_pipe()
    table = DescriptorTable()
    description = Description(file=reading)
    table.close(table.add(Descriptor(description)))
    with pytest.raises(GuestError, match="BADF"), in_use(description):
        pass
    writing.close()


def test_a_whole_table_that_closes_waits_too() -> None:
    reading, writing = guest_pipe()
    table = DescriptorTable()
    description = Description(file=reading)
    table.add(Descriptor(description))
    number = reading.fileno()
    assert number is not None
    with in_use(description):
        table.close_all()
        os.fstat(number)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    writing.close()
