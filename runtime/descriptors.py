"""The descriptor table of a process: numbers, what is open behind them, and what they may be used for."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress

from runtime.abi.errno import Errno, GuestError
from runtime.abi.filetype import Filetype
from runtime.abi.flags import ALL_RIGHTS, Rights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from typing import Self

    from runtime.desk_ring import DescriptorRings, DeskRing
    from runtime.fs.node import DirEntry, Node, OpenFile, Stat
    from runtime.fs.walk import Location
    from runtime.read_ahead import ReadAhead

_PIECES = 8
"""So many pieces of a file the host reads for a guest before it reads on ahead: most are read in one or two."""
_READ, _WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)

NAMES_OF_ALL = ("/", ".")
"""How the preopens are called that every guest finds which has the root; others are for the C library of preview 1."""


class Description:
    """An open file description: the file or directory, its position and flags; shared by duplicates of a descriptor."""

    __slots__ = (
        "_ahead",
        "_pieces",
        "_position",
        "file",
        "flags",
        "listing",
        "location",
        "lock",
        "references",
        "users",
    )

    def __init__(self, *, file: OpenFile | None = None, location: Location | None = None, flags: int = 0) -> None:
        """Describe an open file, or a directory by its location in the tree."""
        self.file = file
        self.location = location
        self.flags = flags
        self._position = 0
        self._ahead: ReadAhead | None = None
        self._pieces = 0
        self.references = 0
        self.users = 0
        self.listing: list[DirEntry] | None = None
        # Two guest threads that read one file each get their own part of it.
        self.lock = threading.Lock()

    @property
    def filetype(self) -> Filetype:
        """What is open here."""
        return self.file.filetype if self.file is not None else Filetype.DIRECTORY

    @property
    def position(self) -> int:
        """Where the next transfer of a file begins, in bytes."""
        if self._ahead is not None:
            self._settle(self._ahead)
        return self._position

    @position.setter
    def position(self, position: int) -> None:
        if self._ahead is not None:
            self._settle(self._ahead)
        self._position = position

    def _settle(self, ahead: ReadAhead) -> None:
        with ahead.lock:
            self._position += ahead.taken()

    @property
    def desked(self) -> bool:
        """Whether what is open here may lie on the desk (`OpenFile.desked`, `OpenFile.stable`)."""
        return self.file is not None and (self.file.desked or self.file.stable)

    def on_desk(self) -> tuple[DeskRing | None, DeskRing | None]:
        """As `OpenFile.on_desk`; of a file that never changes, what comes next is put there."""
        file = self.file
        if file is None or not file.stable:
            return (None, None) if file is None else file.on_desk()
        with self.lock:
            self._pieces += 1
            if self._pieces == _PIECES:
                from runtime.read_ahead import ReadAhead

                self._ahead = ReadAhead.make()
            ahead = self._ahead
            if ahead is None:
                return None, None
            with ahead.lock:
                self._position += ahead.taken()
                if not ahead.give(file, self._position):
                    self._ahead = None
            return ahead.ring, None

    @property
    def node(self) -> Node | None:
        """The inode behind it; a pipe has none."""
        if self.location is not None:
            return self.location.node
        return self.file.node if self.file is not None else None

    def stat(self) -> Stat:
        """The metadata of what is open."""
        if self.file is not None:
            return self.file.stat()
        assert self.location is not None
        return self.location.node.stat()


class Descriptor:
    """What one number stands for."""

    __slots__ = ("close_on_exec", "description", "inheriting", "preopen", "rights")

    def __init__(
        self,
        description: Description,
        rights: int = ALL_RIGHTS,
        inheriting: int = ALL_RIGHTS,
        preopen: str | None = None,
        *,
        close_on_exec: bool = False,
    ) -> None:
        """A descriptor of `description`.

        Args:
            description: what is open.
            rights: the most that it may be used for.
            inheriting: the most that may be passed on to what is opened below it.
            preopen: the path by which the guest finds this directory at its start.
            close_on_exec: whether exec closes it.
        """
        self.description = description
        self.rights = rights
        self.inheriting = inheriting
        self.preopen = preopen
        self.close_on_exec = close_on_exec


class DescriptorTable:
    """The numbers of one process, from 0 upwards; the lowest free number is given out first."""

    def __init__(self, limit: int = 65536) -> None:
        """Make an empty table of at most `limit` descriptors."""
        self._entries: dict[int, Descriptor] = {}
        self._hidden: dict[int, Descriptor] = {}
        self._limit = limit
        self._lowest_free = 0
        self._lock = threading.Lock()
        self._rings: DescriptorRings | None = None

    def get(self, fd: int) -> Descriptor:
        """The descriptor with that number.

        Raises:
            GuestError: `BADF`.
        """
        try:
            return self._entries[fd]
        except KeyError:
            raise GuestError(Errno.BADF) from None

    def use(self, fd: int, rights: int) -> Description:
        """What is open as `fd`, if it may be used so.

        Raises:
            GuestError: `BADF`; `NOTCAPABLE` when a right is missing.
        """
        try:
            descriptor = self._entries[fd]
        except KeyError:
            raise GuestError(Errno.BADF) from None
        if rights & ~descriptor.rights:
            raise GuestError(Errno.NOTCAPABLE)
        return descriptor.description

    def show_rings(self, fd: int, description: Description) -> int:
        """Let guests that have a desk beside them transfer by this number without the host, as long as it stays what it is.

        Returns:
            Where on the desk the rings of this process's descriptors are listed; 0 for nowhere.
        """
        from runtime.desk_ring import DescriptorRings

        read, written = on_desk = description.on_desk()
        rings = self._rings
        if rings is not None and rings.shows(fd, description, on_desk):
            return rings.place
        with self._lock:
            if self._rings is None:
                self._rings = DescriptorRings.make()
            rings, descriptor = self._rings, self._entries.get(fd)
            if rings is None or descriptor is None or descriptor.description is not description:
                return 0
            read = read if descriptor.rights & _READ else None
            rings.show(fd, description, read, written if descriptor.rights & _WRITE else None)
            return rings.place

    def hide_rings(self, fd: int) -> None:
        """Take back what `show_rings` showed: the number is about to stand for something else, or for less."""
        if self._rings is not None:
            self._rings.hide(fd)

    def add(self, descriptor: Descriptor, at_least: int = 0) -> int:
        """Give out the lowest free number from `at_least` on.

        Raises:
            GuestError: `MFILE` when the table is full; what nothing else refers to is closed.
        """
        with self._lock:
            number = max(self._lowest_free, at_least)
            while number in self._entries:
                number += 1
            if len(self._entries) < self._limit and number < 1 << 31:
                self._put(number, descriptor)
                if at_least <= self._lowest_free:
                    self._lowest_free = number + 1
                return number
        with _references:
            description = descriptor.description
            description.references += 1
        _release(description)
        raise GuestError(Errno.MFILE)

    def fill(self, descriptors: Sequence[Descriptor]) -> None:
        """Give out the numbers from 0 on, of a table in which nothing is open yet and of which nobody else knows.

        Raises:
            GuestError: as `add`.
        """
        if self._entries or len(descriptors) > self._limit:
            for descriptor in descriptors:
                self.add(descriptor)
            return
        with _references:
            for descriptor in descriptors:
                descriptor.description.references += 1
        self._entries.update(enumerate(descriptors))
        self._lowest_free = len(descriptors)

    def directory(self, fd: int) -> Descriptor:
        """The directory from which a path goes that a guest gives with this number.

        A POSIX program takes the numbers from 3 on for free, and its C library takes some of them for preopens: a preopen
        whose number was closed or given to a file stays what paths go from, for this program and those it executes.

        Raises:
            GuestError: `BADF`.
        """
        found = self._entries.get(fd)
        hidden = self._hidden.get(fd)
        if hidden is not None and (found is None or found.description.location is None):
            return hidden
        return self.get(fd)

    def preopen(self, fd: int) -> Descriptor:
        """The preopen of that number.

        Raises:
            GuestError: `BADF`: there is none.
        """
        found = self._entries.get(fd)
        if found is None or found.preopen is None:
            found = self._hidden.get(fd)
        if found is None:
            raise GuestError(Errno.BADF)
        return found

    def anchor(self, here: Location) -> None:
        """Make the preopen `.` the working directory, for a program that starts there."""
        with self._lock:
            for table in (self._entries, self._hidden):
                for number, old in table.items():
                    if old.preopen == "." and old.description.location is not here:
                        description = Description(location=here)
                        description.references = 1
                        table[number] = Descriptor(description, old.rights, old.inheriting, old.preopen)

    def replace(self, fd: int, descriptor: Descriptor) -> None:
        """Put the descriptor at exactly this number, closing what was there; a preopen is hidden."""
        with self._lock:
            self.hide_rings(fd)
            old = self._entries.pop(fd, None)
            self._put(fd, descriptor)
            if old is not None and old.preopen is not None:
                self._hidden[fd] = old
                return
        if old is not None:
            _release(old.description)

    def renumber(self, source: int, target: int) -> None:
        """Move `source` to `target`, which must be open and is closed, in one step (`fd_renumber`).

        Raises:
            GuestError: `BADF`.
        """
        with self._lock:
            if source not in self._entries or target not in self._entries:
                raise GuestError(Errno.BADF)
            if source == target:
                return
            self.hide_rings(source)
            self.hide_rings(target)
            old = self._entries[target]
            self._entries[target] = self._entries.pop(source)
            self._lowest_free = min(self._lowest_free, source)
        _release(old.description)

    def close(self, fd: int, *, hides: bool = False) -> None:
        """Close a number; the file behind it is closed with its last descriptor.

        Args:
            fd: the number.
            hides: whether a preopen is only hidden.

        Raises:
            GuestError: `BADF`.
        """
        with self._lock:
            self.hide_rings(fd)
            descriptor = self._entries.pop(fd, None)
            if descriptor is None:
                raise GuestError(Errno.BADF)
            self._lowest_free = min(self._lowest_free, fd)
            if hides and descriptor.preopen is not None:
                self._hidden[fd] = descriptor
                return
        _release(descriptor.description)

    def hide_names(self, shown: Container[str]) -> None:
        """Hide preopens of other names: their numbers are free, and who asks for preopens may still find them."""
        with self._lock:
            for fd, descriptor in list(self._entries.items()):
                if descriptor.preopen is not None and descriptor.preopen not in shown:
                    self._hidden[fd] = self._entries.pop(fd)
                    self._lowest_free = min(self._lowest_free, fd)

    def show_names(self) -> None:
        """Put the preopens that are hidden back, where their numbers are free: wasi-libc keeps them for its own."""
        with self._lock:
            for fd in self._hidden.keys() - self._entries.keys():
                self._entries[fd] = self._hidden.pop(fd)

    def close_all(self) -> None:
        """Close everything, as the end of a process does."""
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
            self._hidden.clear()
            self._lowest_free = 0
            if self._rings is not None:
                # With it goes the table: the process's threads have left.
                self._rings.hide_all()
                self._rings = None
        last: list[OpenFile] = []
        with _references:
            for descriptor in entries:
                description = descriptor.description
                description.references -= 1
                if description.references == 0 and description.users == 0 and description.file is not None:
                    last.append(description.file)
        for file in last:
            # Nobody is left to hear that the last bytes could not be written.
            with suppress(OSError):
                file.close()

    def close_for_exec(self) -> None:
        """Close what is to be closed when another program starts in the process."""
        for fd, descriptor in self.items():
            if descriptor.close_on_exec:
                self.close(fd)

    def duplicate(self) -> DescriptorTable:
        """A table with the same descriptors, each sharing its description with the old one, as fork gives."""
        table = DescriptorTable(self._limit)
        with self._lock, _references:
            for number, old in self._entries.items():
                description = old.description
                copy = Descriptor(description, old.rights, old.inheriting, old.preopen, close_on_exec=old.close_on_exec)
                description.references += 1
                table._entries[number] = copy
            # Directories need no closing, so that nobody counts who refers to them.
            table._hidden.update(self._hidden)
            table._lowest_free = self._lowest_free
        return table

    def items(self) -> list[tuple[int, Descriptor]]:
        """Every number with its descriptor, in order."""
        with self._lock:
            return sorted(self._entries.items())

    def values(self) -> list[Descriptor]:
        """Every descriptor, by number."""
        return [descriptor for _, descriptor in self.items()]

    def __contains__(self, fd: int) -> bool:
        return fd in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._entries))

    def _put(self, number: int, descriptor: Descriptor) -> None:
        with _references:
            descriptor.description.references += 1
        self._entries[number] = descriptor


# Descriptions are shared between the tables of processes: their counts have one lock of their own.
_references = threading.Lock()


def _release(description: Description) -> None:
    with _references:
        description.references -= 1
        last = description.references == 0 and description.users == 0
    if last and description.file is not None:
        description.file.close()


class Uses:
    """As `in_use`, for the several files of one wait."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: list[Description] = []

    def keep(self, description: Description) -> None:
        """Keep an open file open until the end; a directory needs no keeping.

        Raises:
            GuestError: `BADF` when it is closed already.
        """
        if description.file is None:
            return
        with _references:
            if description.references == 0:
                raise GuestError(Errno.BADF)
            description.users += 1
        self._kept.append(description)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        last: list[OpenFile] = []
        with _references:
            for description in self._kept:
                description.users -= 1
                if description.references == 0 and description.users == 0 and description.file is not None:
                    last.append(description.file)
        for file in last:
            file.close()


@contextmanager
def in_use(description: Description) -> Iterator[OpenFile]:
    """Keep an open file open for one operation, although another thread closes its last descriptor meanwhile.

    The operating system gives a closed number to the next file that anybody opens: an operation that went on with it
    would read or write what belongs to another guest. Closing is left to whoever uses the file last.

    Raises:
        GuestError: `BADF` when it is closed already, `ISDIR` for a directory.
    """
    file = description.file
    if file is None:
        raise GuestError(Errno.ISDIR)
    with _references:
        if description.references == 0:
            raise GuestError(Errno.BADF)
        description.users += 1
    try:
        yield file
    finally:
        with _references:
            description.users -= 1
            last = description.references == 0 and description.users == 0
        if last:
            file.close()
