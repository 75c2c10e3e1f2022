"""fork, vfork and wait. Source: `api_wasix.h`, `proc_fork`, `proc_id`, `proc_parent`, `proc_join`."""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.engine import PAGE
from runtime.errors import RuntimeFault, Trap
from runtime.hostcalls import WASIX, syscall
from runtime.process import WasiProcess
from runtime.thread import GuestThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.engine import Module

_SOME = 1
_NON_BLOCKING = 1
_NOTHING, _EXIT_NORMAL, _EXIT_SIGNAL = 0, 1, 2
_FAILED = 1 << 32
_SINCE_POLLING = frozenset(
    ("fd_dup2", "fd_fdflags_get", "path_open2", "proc_exec3", "proc_fork_env", "proc_signals_get", "proc_spawn2")
)


@syscall("proc_fork", "ii:i", WASIX)
def proc_fork(thread: GuestThread, copy_memory: int, result: int) -> None:
    """Make a child that goes on from here; writes its pid, and 0 in the child.

    In a signal's handler the child has the handler, and not what it interrupted: it may not return from it.

    Without `copy_memory` the child runs in the parent's memory, and the parent goes on when the child has executed a
    program or has ended. Errors: `NOTSUP` for a module without asyncify, `AGAIN` at the limit of processes, `NOMEM`.
    """
    _fork(thread, _copying if copy_memory else _lending, result)


@syscall("proc_fork_env", "i:i", WASIX)
def proc_fork_env(thread: GuestThread, result: int) -> None:
    """Fork with a copy of the memory; writes the pid, and 0 in the child."""
    _fork(thread, _copying, result)


@syscall("proc_vfork", "i:i", WASIX)
def proc_vfork(thread: GuestThread, result: int) -> None:
    """Fork without a copy of the memory, as `proc_fork` does; writes the pid, and 0 in the child."""
    _fork(thread, _lending, result)


def _fork(thread: GuestThread, way: Callable[[GuestThread], None], result: int) -> None:
    outcome = thread.resumed()
    if outcome is not None:
        if outcome >= _FAILED:
            raise GuestError(Errno(outcome - _FAILED))
        thread.memory.set_u32(result, outcome)
        return
    thread.memory.check(result, 4)

    def fork() -> None:
        try:
            with thread.env.control.forking:
                way(thread)
        except GuestError as error:
            # The guest has left its functions already: it has to come back to hear that there is no child.
            thread.rewind(_FAILED + error.errno)

    thread.unwind(fork)


def _child_of(thread: GuestThread, *, borrows: bool) -> WasiProcess:
    parent = thread.process
    env = thread.env.fork()
    try:
        # Before an instance is made: its start function then finds the data that it would have put there.
        memory = None if borrows or parent.shared_memory is None else parent.shared_memory.copy()
        return WasiProcess(env, parent.module, parent.name, parent, forked=True, borrows=borrows, memory=memory)
    except GuestError:
        env.descriptors.close_all()
        raise
    except RuntimeFault:
        # The module runs already: what it cannot be given once more is memory.
        env.descriptors.close_all()
        raise GuestError(Errno.NOMEM) from None


def _lending(thread: GuestThread) -> None:
    """The child borrows the thread; its parent gets it back, with the stack as it is now."""
    taken = thread.asyncify.take(thread.checkpoints.level)
    child = _child_of(thread, borrows=True)
    thread.lend(child, taken)
    thread.rewind(0)


def _copying(thread: GuestThread) -> None:
    """The child gets a thread, an instance and a copy of the memory."""
    parent = thread.process
    child = _child_of(thread, borrows=False)
    child.local_keys = set(parent.local_keys)
    copy = GuestThread(child, child.pid, thread.entry, thread.arguments, thread.asyncify.bounds)
    try:
        copy.load()
        if child.shared_memory is None:
            copy.machine.grow_memory((thread.memory.size - copy.memory.size) // PAGE)
            copy.memory.write(0, thread.memory.view(0, thread.memory.size))
        copy.asyncify.set_globals(thread.asyncify.globals())
        copy.checkpoints = thread.checkpoints.inherited()
        copy.locals = dict(thread.locals)
        copy.handler, copy.handled = thread.handler, thread.handled
        copy.rewind(0)
    except (RuntimeFault, Trap):
        copy.discard()
        child.abandon()
        raise GuestError(Errno.NOMEM) from None
    child.run_thread(copy)
    thread.rewind(child.pid)


@syscall("proc_id", "i:i", WASIX)
def proc_id(thread: GuestThread, result: int) -> None:
    """Write the pid, u32."""
    thread.memory.set_u32(result, thread.process.pid)


@syscall("proc_parent", "ii:i", WASIX)
def proc_parent(thread: GuestThread, pid: int, result: int) -> None:
    """Write the pid of a process's parent, u32: 0 for none. Errors: `BADF` for a process that there is not."""
    process = thread.process if pid in (0, thread.process.pid) else thread.env.control.get(pid)
    if process is None:
        raise GuestError(Errno.BADF)
    thread.memory.set_u32(result, process.parent.pid if process.parent is not None else 0)


def join(thread: GuestThread, pid: int | None, *, blocking: bool) -> WasiProcess | None:
    """Wait until a child has ended, and forget it; `None` when none has and the call does not block.

    Raises:
        GuestError: `CHILD`: there is no such child; `INTR`.
    """
    process = thread.process

    def wanted() -> list[WasiProcess]:
        if pid is None:
            return list(process.children.values())
        child = process.children.get(pid)
        return [] if child is None else [child]

    while True:
        children = wanted()
        if not children:
            raise GuestError(Errno.CHILD)
        for child in children:
            # Another thread may join the same child: one of them gets it.
            if child.ended.is_set() and thread.env.control.reap(child):
                return child
        if not blocking:
            return None
        thread.wait_for(lambda: any(child.ended.is_set() for child in wanted()) or not wanted())


def _asked_pid(thread: GuestThread, option: int) -> int | None:
    if thread.memory.u8(option) != _SOME:
        return None
    pid = thread.memory.u32(option + 4)
    return None if pid == 0xFFFF_FFFF else pid


def _can_poll(module: Module) -> bool:
    """Whether a module was built with a C library that is told when no child has ended yet.

    Asking for any child without blocking used to block. A shell that was built then asks so once, and then looks at its
    own memory, at the full speed of the processor, until its handler has changed it: it is better off when it sleeps here.
    The functions of the header that came with the change tell one from the other.
    """
    known: bool | None = module.__dict__.get("can_poll")
    if known is None:
        known = module.__dict__["can_poll"] = any(item.name in _SINCE_POLLING for item in module.imports)
    return known


@syscall("proc_join", "iii:i", WASIX)
def proc_join(thread: GuestThread, option: int, flags: int, status: int) -> None:
    """Wait for a child; `option` points to an `option_pid` (tag u8, pid u32 at 4), which gets the pid that ended.

    A call that does not block, while no child has ended, writes the pid 0: so C libraries tell that from an error.

    Writes a `join_status` (6 bytes): tag u8, exit code u16 at 2, signal u8 at 4. Errors: `CHILD`, `INTR`.
    """
    memory = thread.memory
    memory.check(option, 8)
    pid = _asked_pid(thread, option)
    memory.write(status, bytes(6))
    memory.write(option, bytes(8))
    polls = bool(flags & _NON_BLOCKING)
    if polls and pid is None and not _can_poll(thread.process.module):
        try:
            child = join(thread, None, blocking=True)
        except GuestError as error:
            if error.errno is not Errno.INTR:
                raise
            child = None
    else:
        child = join(thread, pid, blocking=not polls)
    memory.set_u8(option, _SOME)
    memory.set_u32(option + 4, child.pid if child is not None else 0)
    if child is None:
        # Pid 0 says that none has ended yet: an older C library takes no pid at all for an error.
        memory.set_u8(option, _SOME)
        memory.set_u32(option + 4, 0)
        return
    memory.set_u8(status, _EXIT_SIGNAL if child.signal else _EXIT_NORMAL)
    memory.set_u16(status + 2, (child.exit_code or 0) & 0xFFFF)
    if child.signal:
        memory.set_u8(status + 4, child.signal)


@syscall("proc_join", "ii:i", WASIX)
def proc_join_2023(thread: GuestThread, pid: int, exit_code: int) -> None:
    """The older form: `pid` points to a u32 pid (all ones for any child), `exit_code` gets a u32. Errors: `CHILD`, `INTR`."""
    memory = thread.memory
    memory.check(exit_code, 4)
    asked = memory.u32(pid)
    child = join(thread, None if asked in (0, 0xFFFF_FFFF) else asked, blocking=True)
    assert child is not None
    memory.set_u32(pid, child.pid)
    memory.set_u32(exit_code, child.exit_code or 0)
