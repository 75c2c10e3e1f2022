"""The `/dev` of whichever process looks: its own standard streams and descriptors."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from runtime.abi.filetype import Filetype
from runtime.fs.devices import DeviceFileSystem
from runtime.fs.failure import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime.descriptors import DescriptorTable
    from runtime.fs.node import OpenFile

_ENXIO = errno.ENXIO


def process_devices(table: Callable[[], DescriptorTable]) -> DeviceFileSystem:
    """The devices of a guest.

    Args:
        table: gives the descriptors of the process that asks.
    """

    def stream(number: int) -> Callable[[], OpenFile]:
        def opened() -> OpenFile:
            file = table().get(number).description.file if number in table() else None
            if file is None:
                raise failure(_ENXIO)
            return file

        return opened

    def terminal() -> OpenFile:
        for number in range(3):
            if number in table():
                file = table().get(number).description.file
                if file is not None and file.filetype is Filetype.CHARACTER_DEVICE:
                    return file
        raise failure(_ENXIO)

    def descriptors() -> Mapping[int, OpenFile]:
        items = table().items()
        return {number: entry.description.file for number, entry in items if entry.description.file is not None}

    return DeviceFileSystem(stdin=stream(0), stdout=stream(1), stderr=stream(2), tty=terminal, descriptors=descriptors)
