"""What a guest gets that makes certain host calls often: modules of ours beside it, which answer them without the host."""

from __future__ import annotations

import time
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING

from runtime.engine import beside
from runtime.engine.desk import desk
from runtime.engine.exports import Exports, trap_of
from runtime.engine.library import Extern, check, lib
from runtime.errors import RuntimeFault

if TYPE_CHECKING:
    from runtime.engine.instance import Machine

_CLOCKS = b"wasi_snapshot_preview1", b"clock_time_get"
_CLOSE, _CLOSE_ENOUGH, _TRIES = 200, 1000, 50
"""Nanoseconds by which the engine's monotonic clock may be behind the host's, at best and at the most; how often to try."""


class _Shortcut(Exports):
    """A module of ours beside a machine, which puts its functions into the slots of `front.wat`."""

    def __init__(self, machine: Machine, name: str, others: list[Extern | None], *exports: str) -> None:
        """Instantiate it.

        Args:
            machine: the guest.
            name: of the module.
            others: what it imports after the guest's memory and before what the front exports.
            exports: what it imports of the front.

        Raises:
            RuntimeFault: the guest is not made so that this is possible.
        """
        super().__init__(machine.store, machine.unwinding)
        front = machine.front
        memory = machine.export("memory") if machine.shared is None else machine.shared.extern()
        given = [memory, *others, *(front.export(each) if front is not None else None for each in exports)]
        found = [extern for extern in given if extern is not None]
        if len(found) != len(given):
            raise RuntimeFault("the guest's host calls cannot be replaced")
        module = beside.module(name if machine.shared is not None else f"{name}_own")
        trap = c_void_p()
        error = lib.wasmtime_instance_new(
            self.store.context,
            module.handle,
            (Extern * len(found))(*found),
            len(found),
            byref(self.instance),
            byref(trap),
        )
        if trap.value:
            raise trap_of(trap.value)
        check(error, "cannot answer host calls beside the guest")


class TransferShortcut(_Shortcut):
    """`desk.wat` beside a machine: `fd_read` and `fd_write` of what lies on the desk.

    Attributes:
        table: where the rings of the process's descriptors are listed, 0 for nowhere.
    """

    def __init__(self, machine: Machine) -> None:
        """As `_Shortcut`."""
        memory = desk().memory.extern()
        super().__init__(machine, "desk", [memory], "slots", "host_read", "host_write", "nudge")
        self.table = 0
        self._held = self.cell("held")
        self.call("install")

    def holds_ring(self) -> bool:
        """Whether the guest has a ring locked: it must go on."""
        return self._held is not None and self._held.get() != 0

    def look_at(self, table: int) -> None:
        """Serve the descriptors of the process with this table from now on."""
        if table != self.table:
            self.set_global("table", table)
            self.table = table


class ClockShortcut(_Shortcut):
    """`clock.wat` beside a machine: the clocks, read by the engine."""

    def __init__(self, machine: Machine, ahead: int, *, monotonic: bool) -> None:
        """Instantiate it.

        Args:
            machine: the guest.
            ahead: the cell of the desk that says how far the time of day is ahead of the host's.
            monotonic: whether the monotonic clock is read, too.

        Raises:
            RuntimeFault: as `_Shortcut`.
        """
        check(lib.wasmtime_context_set_wasi(machine.store.context, lib.wasi_config_new()), "cannot read the clocks")
        function = Extern()
        (space, name) = _CLOCKS
        if not lib.wasmtime_linker_get(
            _own_wasi(machine), machine.store.context, space, len(space), name, len(name), byref(function)
        ):
            raise RuntimeFault("the engine has no clocks")
        super().__init__(machine, "clock", [desk().memory.extern(), function], "slots", "host_clock")
        self.set_global("ahead", ahead)
        later = self._later() if monotonic else None
        if later is not None:
            self.set_global("later", later)
        self.set_global("clocks", 1 if later is None else 2)
        self.call("install")

    def _later(self) -> int | None:
        """What is to be added to the engine's monotonic clock, which starts with the store; None if nobody can say."""
        # By way of the time of day: from here to the engine and back takes longer than the clocks may be apart.
        found: tuple[int, int] | None = None
        for _ in range(_TRIES):
            self.call("compare")
            before, engine, after = (self.global_value(name) or 0 for name in ("before", "monotonic", "after"))
            earlier, day, later = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
            apart = after - before + later - earlier
            if found is None or apart < found[0]:
                found = apart, before - engine + earlier - day
            if apart <= _CLOSE:
                break
        return None if found is None or found[0] > _CLOSE_ENOUGH else found[1]


_linkers: list[int] = []


def _own_wasi(machine: Machine) -> int:
    """A linker of the library that has the engine's own WASI; kept for good."""
    if not _linkers:
        linker = lib.wasmtime_linker_new(machine.module.engine.handle)
        check(lib.wasmtime_linker_define_wasi(linker), "cannot read the clocks")
        _linkers.append(linker)
    return _linkers[0]
