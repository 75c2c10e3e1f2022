"""What a module's imports tell of it, and the host functions that they are given; found out once and kept with it."""

from __future__ import annotations

from runtime.engine import Linker, Module
from runtime.hostcalls import BESIDE, resolve
from runtime.syscalls import families

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.engine import HostCall, Import


def linker_of(module: Module) -> Linker:
    """The host functions of a module, defined when first asked for and kept with it."""
    linker: Linker | None = module.__dict__.get("linker")
    if linker is None:
        families.load_for((item.module, item.name) for item in module.imports)
        linker = module.__dict__["linker"] = Linker(module, _resolve)
    return linker


def _resolve(item: Import) -> HostCall:
    if item.module == BESIDE:
        # What stands before a guest has calls that the guest itself may not import.
        families.load_for([(item.module, item.name)])
    return resolve(item)


def keeps_dispositions(module: Module) -> bool:
    """Whether a module's C library takes over what its parent has decided on signals."""
    known: bool | None = module.__dict__.get("keeps_dispositions")
    if known is None:
        known = module.__dict__["keeps_dispositions"] = any(item.name == "proc_signals_get" for item in module.imports)
    return known
