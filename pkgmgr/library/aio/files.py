"""The files of a sandbox, to be awaited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pkgmgr.library.aio.waiting import in_thread
from pkgmgr.library.guest_files import DEFAULT_LARGEST, FileStat

if TYPE_CHECKING:
    from pkgmgr.library.guest_files import GuestFiles as Waiting


class GuestFiles:
    """The files of a sandbox (`Sandbox.fs`). Paths are the guest's; a relative one starts at its workspace.

    Args:
        waiting: The same for programs that do not await.
    """

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def __repr__(self) -> str:
        return repr(self._waiting)

    async def write(self, path: str, data: bytes | bytearray | memoryview | str) -> None:
        """Write a file whole, in the place of what it held; directories on the way are made.

        Args:
            path: Where.
            data: The bytes; text is encoded as UTF-8.

        Raises:
            GuestFileError: It is a directory, or there is no room.
        """
        await in_thread(partial(self._waiting.write, path, data))

    async def write_text(self, path: str, text: str, encoding: str = "utf-8") -> None:
        """As `write`, for text.

        Args:
            path: Where.
            text: What.
            encoding: How it is encoded.

        Raises:
            GuestFileError: As for `write`.
        """
        await in_thread(partial(self._waiting.write_text, path, text, encoding))

    async def read(self, path: str, *, limit: int | None = DEFAULT_LARGEST) -> bytes:
        """Read a file whole.

        Args:
            path: Which.
            limit: How many bytes it may have; None reads however many there are.

        Raises:
            GuestFileError: There is none, it is no file, or it is larger.
        """
        return await in_thread(partial(self._waiting.read, path, limit=limit))

    async def read_text(
        self, path: str, encoding: str = "utf-8", errors: str = "strict", *, limit: int | None = DEFAULT_LARGEST
    ) -> str:
        """Read a file whole, as text.

        Args:
            path: Which.
            encoding: How it is encoded.
            errors: What to do about bytes that are not, as `bytes.decode` takes it.
            limit: How many bytes it may have.

        Raises:
            GuestFileError: As for `read`.
            UnicodeDecodeError: It is not so encoded.
        """
        return await in_thread(partial(self._waiting.read_text, path, encoding, errors, limit=limit))

    async def list(self, path: str = ".") -> list[FileStat]:
        """What is in a directory, by name; links are not followed.

        Args:
            path: The directory.

        Raises:
            GuestFileError: There is none.
        """
        return await in_thread(partial(self._waiting.list, path))

    async def mkdir(self, path: str, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a directory.

        Args:
            path: Where.
            parents: Whether to make those on the way, too.
            exist_ok: Whether it may be there already.

        Raises:
            GuestFileError: It is there already, or the one that it would be in is not.
        """
        await in_thread(partial(self._waiting.mkdir, path, parents=parents, exist_ok=exist_ok))

    async def stat(self, path: str, *, follow: bool = True) -> FileStat:
        """What stands at a path.

        Args:
            path: Which.
            follow: Whether a link at its end is followed.

        Raises:
            GuestFileError: Nothing.
        """
        return await in_thread(partial(self._waiting.stat, path, follow=follow))

    async def exists(self, path: str) -> bool:
        """Whether something stands at a path; a link that leads nowhere is nothing.

        Args:
            path: Which.

        Raises:
            GuestFileError: It is too long, or no path.
        """
        return await in_thread(partial(self._waiting.exists, path))

    async def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file, a link, or an empty directory.

        Args:
            path: Which.
            recursive: Whether to remove a directory with all that is in it.

        Raises:
            GuestFileError: There is none, or it is a directory that is not empty.
        """
        await in_thread(partial(self._waiting.remove, path, recursive=recursive))

    async def rename(self, path: str, new: str) -> None:
        """Move a file or a directory, in the place of what is there.

        Args:
            path: Which.
            new: Where to.

        Raises:
            GuestFileError: There is none, or it cannot be moved there, as into another volume.
        """
        await in_thread(partial(self._waiting.rename, path, new))
