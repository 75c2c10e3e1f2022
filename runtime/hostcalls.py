"""How a Python function becomes a host function that guests import.

A syscall is declared once, beside its code:

    @syscall("fd_close", "i:i", PREVIEW1)
    def fd_close(thread: GuestThread, fd: int) -> Errno | None: ...

The signature is that of the WebAssembly import, parameters and results by letter (`i` i32, `I` i64), all unsigned. One
function of a name may exist in several generations: they differ in signature or in namespace, and the module's own import
chooses. This room turns declarations into callbacks, catches whatever they raise, and gives the guest its errno; it is
the only place that knows how arguments lie in wasmtime's array of 16-byte values.
"""

from __future__ import annotations

import threading
from ctypes import c_char
from struct import Struct
from types import FunctionType

from runtime.abi.errno import Errno, GuestError, from_host
from runtime.engine import beside
from runtime.engine.library import HOST_CALL, lib
from runtime.errors import RuntimeFault
from runtime.handlers import can_wait
from runtime.typed import NamedTuple
from runtime.unwinding import Unwind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., int | None])

    from runtime.descriptors import DescriptorTable
    from runtime.engine import HostCall, Import
    from runtime.thread import GuestThread


UNSTABLE = "wasi_unstable"
"""The namespace of WASI snapshot 0."""
PREVIEW1 = "wasi_snapshot_preview1"
"""The namespace of WASI snapshot 1."""
WASIX = "wasix_32v1"
"""The namespace of WASIX with 32-bit pointers; it holds the functions of preview 1 too."""
WASI_THREADS = "wasi"
"""The namespace of the wasi-threads proposal."""
BESIDE = "wpm"
"""The namespace of what the modules beside a guest import (`runtime.engine.beside`)."""
EVERYWHERE = (UNSTABLE, PREVIEW1, WASIX)


class Syscall(NamedTuple):
    """One generation of one host function."""

    namespace: str
    name: str
    signature: str
    function: Callable[..., int | None]


_declared: dict[tuple[str, str], list[Syscall]] = {}
_callbacks: dict[tuple[str, str, str], HostCall] = {}


class _Current(threading.local):
    thread: GuestThread


current = _Current()
"""The guest thread that runs on this host thread: a host thread runs one guest thread, from its start to its end."""


def guest_descriptors() -> DescriptorTable | None:
    """What the guest has open that runs on this host thread; None on a thread of the host's own."""
    thread: GuestThread | None = getattr(current, "thread", None)
    return None if thread is None else thread.descriptors


def syscall(name: str, signature: str, *namespaces: str) -> Callable[[F], F]:
    """Declare the function below as the host function `name` with this signature in these namespaces.

    It gets the guest thread and the arguments as unsigned integers. What it returns is the guest's result: an `Errno`, or
    `None` for `SUCCESS`. It may raise `GuestError`, `OSError` (both become the errno) or `Unwind`.
    """

    def declare(function: F) -> F:
        for namespace in namespaces or EVERYWHERE:
            _declared.setdefault((namespace, name), []).append(Syscall(namespace, name, signature, function))
        return function

    return declare


def declared() -> list[Syscall]:
    """Every generation of every host function of guests, by namespace and name."""
    return [call for key in sorted(_declared) if key[0] != BESIDE for call in _declared[key]]


def resolve(item: Import) -> HostCall:
    """The callback for a function that a module imports.

    A function that nobody declares is given, too: it ends the guest with a clear line when it is called, so that a module
    may import what it never uses.

    Raises:
        RuntimeFault: the namespace is ours and the function exists, but in no generation of this signature.
    """
    assert item.signature is not None
    key = (item.module, item.name, item.signature)
    callback = _callbacks.get(key)
    if callback is None:
        candidates = _declared.get((item.module, item.name), [])
        for candidate in candidates:
            if candidate.signature == item.signature:
                callback = HOST_CALL(_adapter(candidate))
                break
        else:
            if candidates:
                known = ", ".join(candidate.signature for candidate in candidates)
                raise RuntimeFault(
                    f"the module imports {item.module}.{item.name} with the signature {item.signature}; known are {known}"
                )
            callback = HOST_CALL(_missing(item))
        _callbacks[key] = callback
    return callback


def _trap(message: bytes) -> int:
    return int(lib.wasmtime_trap_new(message, len(message)))


# The values of a call lie in an array of 16-byte slots, at an address that is another one at every call. One view of the
# host's memory and offsets into it cost a third of what an object for each address would.
_LOWEST = 16
_host = memoryview((c_char * (1 << 56)).from_address(_LOWEST)).cast("B")
_host_words = _host.cast("I")
_SLOT = {"i": "I12x", "I": "Q8x", "f": "f12x", "F": "d8x"}

_WRITES = frozenset({"fd_write", "fd_pwrite"})

# The adapter of a signature is generated, so that it has no loop, no branch and no argument list that a call does not
# need: half of the cost of a small host call is here. Compiling it takes 0.3 ms, and a program imports 40 functions to call a
# few of them a few times: all begin with one adapter that fits all, those that are called often get theirs.
_ADAPTER = """
def callback(_data, _caller, values, _count):
    thread = local.thread
    try:
        {decode}
        errno = function({arguments})
    except GuestError as error:
        errno = error.errno
    except OSError as error:
        errno = from_host(error)
    except BaseException as reason:
        return leave(thread, reason)
    if thread.pending{unless}:
        try:
            thread.deliver()
        except BaseException as reason:
            return leave(thread, reason)
    {store}
    return 0
"""
_CALLS_BEFORE_OWN_CODE = 100
_codes: dict[str, CodeType] = {}


_OFTEN = 2000
"""A function that is asked for so often may be answered beside the guest from the next one on: it is worth compiling that."""


def _counted(call: Syscall, scope: dict[str, Any]) -> Callable[..., int | None]:
    """The function of a host call that can be answered without the host: counted at first."""
    left, function = _OFTEN, call.function

    def counted(thread: GuestThread, *arguments: int) -> int | None:
        nonlocal left
        left -= 1
        if left <= 0:
            scope["function"] = function
            beside.prepare_shortcuts()
        return function(thread, *arguments)

    return counted


def _adapter(call: Syscall) -> Callable[[int, int, int, int], int]:
    """The callback by which wasmtime calls the function."""
    parameters, results = call.signature.split(":")
    writes = call.name in _WRITES
    left = _CALLS_BEFORE_OWN_CODE

    def called() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            callback.__code__ = named(_own_code(len(parameters), bool(results), writes))

    def named(code: CodeType) -> CodeType:
        # A copy, as the interpreter keeps in a function's code what its calls and names were found to be.
        return code.replace(co_filename=f"<{call.namespace}.{call.name}>")

    scope: dict[str, Any] = {
        "local": current,
        "function": call.function,
        "unpack": Struct("<" + "".join(_SLOT[letter] for letter in parameters)).unpack_from,
        "host": _host,
        "host_words": _host_words,
        "from_host": from_host,
        "can_wait": can_wait,
        "leave": _leave,
        "GuestError": GuestError,
        "called": called,
        "results": bool(results),
        "writes": writes,
    }
    if call.name in beside.FRONT and call.namespace != BESIDE:
        scope["function"] = _counted(call, scope)
    callback = FunctionType(named(_first_code()), scope)
    return callback


def _first_code() -> CodeType:
    """The code of an adapter for any function, which counts its calls."""
    return _compiled(
        decode="called()",
        arguments=f"thread, *unpack(host, values - {_LOWEST})",
        unless=" and not (writes and can_wait(thread))",
        store=f"if results: host_words[(values - {_LOWEST}) >> 2] = errno or 0",
    )


def _own_code(parameters: int, results: bool, writes: bool) -> CodeType:
    """The code of an adapter for functions of so many parameters, with or without a result, that write or do not."""
    names = [f"a{index}" for index in range(parameters)]
    return _compiled(
        decode=f"{', '.join(names)}, = unpack(host, values - {_LOWEST})" if names else "pass",
        arguments=", ".join(["thread", *names]),
        unless=" and not can_wait(thread)" if writes else "",
        store=f"host_words[(values - {_LOWEST}) >> 2] = errno or 0" if results else "pass",
    )


def _compiled(**parts: str) -> CodeType:
    """The code of an adapter, compiled once for all functions of a kind."""
    source = _ADAPTER.format(**parts)
    if (code := _codes.get(source)) is None:
        scope: dict[str, Any] = {}
        exec(compile(source, "<host call>", "exec"), scope)
        code = _codes[source] = scope["callback"].__code__
    return code


def _leave(thread: GuestThread, reason: BaseException) -> int:
    """Leave the guest's code: the trap to return."""
    # A mistake of ours must end the guest, not the host: it is kept, and raised to whoever waits for the guest.
    thread.unwinding = reason
    return _trap(b"unwind" if isinstance(reason, Unwind) else b"host error")


def _missing(item: Import) -> Callable[[int, int, int, int], int]:
    def callback(_data: int, _caller: int, _values: int, _count: int) -> int:
        thread = current.thread
        thread.unwinding = RuntimeFault(
            f"{thread.process.name}: called {item.module}.{item.name}, which this runtime does not have"
        )
        return _trap(b"missing import")

    return callback


def returns_nosys(name: str, signature: str, *namespaces: str) -> None:
    """Declare a function that answers `NOSYS`, with a line in the log the first time that a guest calls it."""

    def answer(thread: GuestThread, *_arguments: int) -> Errno:
        thread.process.log_once(f"called {name}, which is not available (NOSYS)")
        return Errno.NOSYS

    syscall(name, signature, *namespaces)(answer)
