"""The `/dev` of whichever process looks: its own standard streams and descriptors."""

from __future__ import annotations

import errno
from functools import cache

from runtime.abi.filetype import Filetype
from runtime.fs.devices import DeviceFileSystem
from runtime.fs.failure import failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.descriptors import DescriptorTable
    from runtime.fs.node import OpenFile

_ENXIO = errno.ENXIO


@cache
def process_devices(table: Callable[[], DescriptorTable | None]) -> DeviceFileSystem:
    """The devices of a guest: the same ones for all guests of this process, as they keep nothing of their own.

    Args:
        table: gives the descriptors of the process that asks; None where it is no guest.
    """

    def open_files() -> dict[int, OpenFile]:
        found = table()
        if found is None:
            return {}
        items = found.items()
        return {number: entry.description.file for number, entry in items if entry.description.file is not None}

    def stream(number: int) -> Callable[[], OpenFile]:
        def opened() -> OpenFile:
            if (file := open_files().get(number)) is None:
                raise failure(_ENXIO)
            return file

        return opened

    def terminal() -> OpenFile:
        files = open_files()
        for number in range(3):
            if number in files and files[number].filetype is Filetype.CHARACTER_DEVICE:
                return files[number]
        raise failure(_ENXIO)

    return DeviceFileSystem(stdin=stream(0), stdout=stream(1), stderr=stream(2), tty=terminal, descriptors=open_files)
