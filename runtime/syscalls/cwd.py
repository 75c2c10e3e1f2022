"""The working directory. Source: `api_wasix.h`, `getcwd` and `chdir`."""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.fs.walk import walk
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.args import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread


@syscall("getcwd", "ii:i", WASIX)
def getcwd(thread: GuestThread, path: int, length: int) -> None:
    """Write the working directory to `path`; `length` points to the buffer's size, u32, and gets the path's.

    Errors: `OVERFLOW` when the buffer is too small.
    """
    memory = thread.memory
    here = encode(thread.env.cwd.path())
    room = memory.u32(length)
    memory.set_u32(length, len(here))
    if len(here) > room:
        raise GuestError(Errno.OVERFLOW)
    memory.write(path, here)


@syscall("chdir", "ii:i", WASIX)
def chdir(thread: GuestThread, path: int, length: int) -> None:
    """Change the working directory. Errors: those of `walk`; `NOTDIR`."""
    env = thread.env
    location = walk(env.root, env.cwd, thread.memory.text(path, length), follow=True).found()
    _ = location.directory
    env.cwd = location
