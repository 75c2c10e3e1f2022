"""exec and spawn. Source: `api_wasix.h`, `proc_exec`, `proc_exec2`, `proc_exec3`, `proc_spawn`, `proc_spawn2`."""

from __future__ import annotations

from struct import Struct

from runtime.abi.errno import Errno, GuestError, from_host
from runtime.descriptors import Description, Descriptor
from runtime.engine import PAGE
from runtime.errors import RuntimeFault
from runtime.fs.walk import walk
from runtime.hostcalls import WASIX, syscall
from runtime.imports import keeps_dispositions, linker_of
from runtime.null_stream import NullStream
from runtime.pipes import guest_pipe
from runtime.process import WasiProcess
from runtime.signals import dispositions_of
from runtime.syscalls.path import open_path, rights_of
from runtime.unwinding import Exec, ProcessExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.engine import Module
    from runtime.env import WasiEnv
    from runtime.programs import Program
    from runtime.thread import GuestThread

_PIPED, _INHERITED, _NULL, _LOG = range(4)
_FD_OPERATION = Struct("<BxxxIIIIIIxxxxQQHHxxxx")
"""`proc_spawn_fd_op`, 56 bytes: cmd u8, fd, src_fd, path, path_len, dirflags, oflags, rights, inheriting, fdflags, ext."""
_CLOSE, _DUP2, _OPEN, _CHDIR, _FCHDIR = range(5)
_CLOEXEC = 1
_MAX_OPERATIONS = 4096
_MAX_DISPOSITIONS = 2 * 65
"""Twice for each number in a set of signals: what is ignored, then what is to be the default again."""
_SHELL_PATH = "/usr/local/bin:/bin:/usr/bin"


def _lines(thread: GuestThread, pointer: int, length: int) -> list[str]:
    """The entries of a list that is separated by line feeds; a last empty one does not count.

    No entry of such a list can hold a line feed. For those that do, a list may end with a NUL, which C strings never
    hold: then NULs separate it.
    """
    if length == 0:
        return []
    text = thread.memory.text(pointer, length)
    lines = text.split("\0" if text.endswith("\0") else "\n")
    return lines if lines[-1] else lines[:-1]


def _variables(lines: list[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines if "=" in line)


def find_program(env: WasiEnv, name: str, search: str | None = None) -> Program:
    """The program of this name.

    Args:
        env: the environment in which it is looked for.
        name: a path, or with `search` a bare name.
        search: directories separated by colons.

    Raises:
        GuestError: `NOENT`, `NOEXEC`, `ACCES`.
        OSError: as `walk`.
    """
    if not name:
        raise GuestError(Errno.NOENT)
    if env.programs is None:
        from runtime.guest_programs import GuestPrograms

        env.programs = GuestPrograms()
    if "/" in name or search is None:
        candidates = [name]
    else:
        candidates = [f"{directory or '.'}/{name}" for directory in (search or _SHELL_PATH).split(":")]
    failed: BaseException | None = None
    for candidate in candidates:
        try:
            program = env.programs.find(candidate, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            failed = failed or error
            continue
        if program is not None:
            return program
    raise failed or GuestError(Errno.NOENT)


def _loaded(thread: GuestThread, program: Program) -> Module:
    """The module of a program, with the host functions that it imports.

    Raises:
        GuestError: `NOEXEC`: it is none, or imports what this runtime does not have.
    """
    try:
        module = program.module()
        linker_of(module)
    except RuntimeFault as fault:
        thread.process.log_once(str(fault))
        raise GuestError(Errno.NOEXEC) from None
    return module


def _exec(
    thread: GuestThread, name: str, args: list[str], variables: dict[str, str] | None, search: str | None
) -> None:
    env = thread.env
    program = find_program(env, name, search)
    module = _loaded(thread, program)
    needed = linker_of(module).memory
    least = needed.memory.minimum * PAGE if needed is not None and needed.memory is not None else 0
    if env.limits.memory is not None and least > env.limits.memory:
        # Later would be too late: the guest has left its code then, and has nowhere to come back to.
        raise GuestError(Errno.NOMEM)
    env.args = program.arguments(args or [name])
    if variables is not None:
        env.environ = variables
    env.default_variables(program.environ)
    raise Exec(program)


def _exec_or_exit(thread: GuestThread, name: str, args: list[str], variables: dict[str, str] | None) -> None:
    """The older functions have nothing to return: where the program cannot run, the process ends with the errno."""
    try:
        _exec(thread, name, args, variables, None)
    except (GuestError, OSError) as error:
        errno = error.errno if isinstance(error, GuestError) else from_host(error)
        thread.process.log_once(f"cannot execute {name}: {errno.name}")
        raise ProcessExit(errno) from None


@syscall("proc_exec", "iiii:", WASIX)
def proc_exec(thread: GuestThread, name: int, name_length: int, args: int, args_length: int) -> None:
    """Run another program in this process, with this environment; does not return."""
    text = thread.memory.text(name, name_length)
    _exec_or_exit(thread, text, _lines(thread, args, args_length), None)


@syscall("proc_exec2", "iiiiii:", WASIX)
def proc_exec2(
    thread: GuestThread, name: int, name_length: int, args: int, args_length: int, envs: int, envs_length: int
) -> None:
    """As `proc_exec`, with an environment of `NAME=VALUE` lines."""
    text = thread.memory.text(name, name_length)
    variables = _variables(_lines(thread, envs, envs_length))
    _exec_or_exit(thread, text, _lines(thread, args, args_length), variables)


@syscall("proc_exec3", "iiiiiiiii:i", WASIX)
def proc_exec3(
    thread: GuestThread,
    name: int,
    name_length: int,
    args: int,
    args_length: int,
    envs: int,
    envs_length: int,
    search_path: int,
    path: int,
    path_length: int,
) -> None:
    """As `proc_exec2`, looking along `path` for a bare name if `search_path`; returns when the program cannot run.

    Errors: `NOENT`, `NOEXEC`, `ACCES`.
    """
    text = thread.memory.text(name, name_length)
    search = thread.memory.text(path, path_length) if search_path else None
    variables = _variables(_lines(thread, envs, envs_length)) if envs else None
    _exec(thread, text, _lines(thread, args, args_length), variables, search)


def _start(
    thread: GuestThread, env: WasiEnv, program: Program, dispositions: dict[int, int] | None = None
) -> WasiProcess:
    env.default_variables(program.environ)
    module = _loaded(thread, program)
    env.enter_program()
    try:
        child = WasiProcess(env, module, program.name, thread.process)
    except RuntimeFault as fault:
        thread.process.log_once(str(fault))
        raise GuestError(Errno.NOMEM) from None
    if dispositions is not None:
        if keeps_dispositions(thread.process.module):
            # Such a C library lists everything that it ignores now, whatever it was started with.
            child.dispositions.clear()
        child.dispositions.update(dispositions)
    return child.start()


def _stdio(env: WasiEnv, thread: GuestThread, number: int, mode: int) -> int | None:
    """Give the child a standard stream; the parent's end of the pipe, if there is one."""
    if mode == _PIPED:
        reading, writing = guest_pipe()
        ours, theirs = (writing, reading) if number == 0 else (reading, writing)
        env.descriptors.replace(number, Descriptor(Description(file=theirs), rights_of(theirs)))
        return thread.descriptors.add(Descriptor(Description(file=ours), rights_of(ours), close_on_exec=True))
    if mode == _NULL:
        null = NullStream()
        env.descriptors.replace(number, Descriptor(Description(file=null), rights_of(null)))
    elif mode not in (_INHERITED, _LOG):
        raise GuestError(Errno.INVAL)
    return None


@syscall("proc_spawn", "iiiiiiiiiiiii:i", WASIX)
def proc_spawn(
    thread: GuestThread,
    name: int,
    name_length: int,
    chroot: int,
    args: int,
    args_length: int,
    preopen: int,
    preopen_length: int,
    stdin: int,
    stdout: int,
    stderr: int,
    directory: int,
    directory_length: int,
    result: int,
) -> None:
    """Start another program as a child; writes `process_handles` (28 bytes): pid u32, three `option_fd` of 8 bytes.

    Errors: `NOTSUP` for `chroot` and for preopens, `NOENT`, `NOEXEC`, `ACCES`, `INVAL`.
    """
    memory = thread.memory
    memory.check(result, 28)
    del preopen
    if chroot or preopen_length:
        raise GuestError(Errno.NOTSUP)
    text = memory.text(name, name_length)
    given = [text, *_lines(thread, args, args_length)]
    env = thread.env.fork()
    ends: list[int | None] = []
    try:
        where = memory.text(directory, directory_length)
        if where not in ("", "."):
            env.cwd = walk(env.root, env.cwd, where, follow=True).found()
            _ = env.cwd.directory
        program = find_program(env, text)
        env.args = program.arguments(given)
        for number, mode in enumerate((stdin, stdout, stderr)):
            ends.append(_stdio(env, thread, number, mode))
        child = _start(thread, env, program)
    except BaseException:
        env.descriptors.close_all()
        for end in ends:
            if end is not None:
                thread.descriptors.close(end)
        raise
    memory.set_u32(result, child.pid)
    for index, end in enumerate(ends):
        memory.set_u8(result + 4 + 8 * index, end is not None)
        memory.set_u32(result + 8 + 8 * index, end or 0)


@syscall("proc_spawn2", "iiiiiiiiiiiiii:i", WASIX)
def proc_spawn2(
    thread: GuestThread,
    name: int,
    name_length: int,
    args: int,
    args_length: int,
    envs: int,
    envs_length: int,
    operations: int,
    operations_count: int,
    dispositions: int,
    dispositions_count: int,
    search_path: int,
    path: int,
    path_length: int,
    result: int,
) -> None:
    """Start another program as a child, as `posix_spawn` does; writes the pid, u32.

    `operations` are `proc_spawn_fd_op` (56 bytes each), done in order in the child; `dispositions` pairs of a signal u8
    and what to do with it u8 (0 default, 1 ignore). Errors: `INVAL`, `NOENT`, `NOEXEC`, `ACCES`, and those of the operations.
    """
    memory = thread.memory
    memory.check(result, 4)
    if operations_count > _MAX_OPERATIONS or dispositions_count > _MAX_DISPOSITIONS:
        raise GuestError(Errno.INVAL)
    text = memory.text(name, name_length)
    search = memory.text(path, path_length) if search_path else None
    given = _lines(thread, args, args_length) or [text]
    try:
        decided = dispositions_of(memory.read(dispositions, 2 * dispositions_count))
    except ValueError:
        raise GuestError(Errno.INVAL) from None
    env = thread.env.fork()
    try:
        if envs:
            env.environ = _variables(_lines(thread, envs, envs_length))
        for index in range(operations_count):
            _file_action(thread, env, operations + index * _FD_OPERATION.size)
        program = find_program(env, text, search)
        env.args = program.arguments(given)
        child = _start(thread, env, program, decided)
    except BaseException:
        env.descriptors.close_all()
        raise
    memory.set_u32(result, child.pid)


def _file_action(thread: GuestThread, env: WasiEnv, pointer: int) -> None:
    memory = thread.memory
    fields = memory.unpack(_FD_OPERATION, pointer)
    command, fd, source, path, length, dirflags, oflags, rights, inheriting, fdflags, ext = fields
    match command:
        case 0:
            env.descriptors.close(fd, hides=True)
        case 1:
            old = env.descriptors.get(source)
            if source == fd:
                old.close_on_exec = False
            else:
                env.descriptors.replace(fd, Descriptor(old.description, old.rights, old.inheriting, old.preopen))
        case 2:
            text = memory.text(path, length)
            opened = open_path(env, env.cwd, text, dirflags, oflags, rights, inheriting, fdflags, beneath=False)
            opened.close_on_exec = bool(ext & _CLOEXEC)
            env.descriptors.replace(fd, opened)
        case 3:
            location = walk(env.root, env.cwd, memory.text(path, length), follow=True).found()
            _ = location.directory
            env.cwd = location
        case 4:
            there = env.descriptors.get(fd).description.location
            if there is None:
                raise GuestError(Errno.NOTDIR)
            env.cwd = there
        case _:
            raise GuestError(Errno.INVAL)
