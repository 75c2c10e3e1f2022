"""Run WebAssembly packages from Python: projects, environments, sandboxes and images.

What is listed here, in `pkgmgr.aio` (the same, to be awaited) and in `webc_parser` is the library; everything else is
internal and may change. Whatever goes wrong is a `WpmError`. Each name is loaded when it is first used.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pkgmgr.errors import NotAsPromised, Refused, Unreachable, WpmError
    from pkgmgr.library.completed import Completed, ExitReason
    from pkgmgr.library.environment import Environment
    from pkgmgr.library.failures import CommandNotFound, GuestFileError, ProcessFailed, WaitTimeout
    from pkgmgr.library.guest_files import FileStat, GuestFiles
    from pkgmgr.library.image import Image, ImageFile
    from pkgmgr.library.load_phase import LoadPhase
    from pkgmgr.library.package import Command, Package, load_packages
    from pkgmgr.library.ports import Ports
    from pkgmgr.library.process import Process
    from pkgmgr.library.progress import LoadProgress, PackageProgress
    from pkgmgr.library.project import LockedPackage, Project
    from pkgmgr.library.sandbox import Sandbox
    from pkgmgr.library.volume import Volume
    from pkgmgr.rootfs.flattening import Conflict
    from webc_parser import Container

_ROOMS = {
    "Command": "pkgmgr.library.package",
    "CommandNotFound": "pkgmgr.library.failures",
    "Completed": "pkgmgr.library.completed",
    "Conflict": "pkgmgr.rootfs.flattening",
    "Container": "webc_parser",
    "Environment": "pkgmgr.library.environment",
    "ExitReason": "pkgmgr.library.completed",
    "FileStat": "pkgmgr.library.guest_files",
    "GuestFileError": "pkgmgr.library.failures",
    "GuestFiles": "pkgmgr.library.guest_files",
    "Image": "pkgmgr.library.image",
    "ImageFile": "pkgmgr.library.image",
    "LoadPhase": "pkgmgr.library.load_phase",
    "LoadProgress": "pkgmgr.library.progress",
    "LockedPackage": "pkgmgr.library.project",
    "NotAsPromised": "pkgmgr.errors",
    "Package": "pkgmgr.library.package",
    "PackageProgress": "pkgmgr.library.progress",
    "Ports": "pkgmgr.library.ports",
    "Process": "pkgmgr.library.process",
    "ProcessFailed": "pkgmgr.library.failures",
    "Project": "pkgmgr.library.project",
    "Refused": "pkgmgr.errors",
    "Sandbox": "pkgmgr.library.sandbox",
    "Unreachable": "pkgmgr.errors",
    "Volume": "pkgmgr.library.volume",
    "WaitTimeout": "pkgmgr.library.failures",
    "WpmError": "pkgmgr.errors",
    "load_packages": "pkgmgr.library.package",
}
"""For each public name the room that it is loaded from."""

__all__ = [
    "Command",
    "CommandNotFound",
    "Completed",
    "Conflict",
    "Container",
    "Environment",
    "ExitReason",
    "FileStat",
    "GuestFileError",
    "GuestFiles",
    "Image",
    "ImageFile",
    "LoadPhase",
    "LoadProgress",
    "LockedPackage",
    "NotAsPromised",
    "Package",
    "PackageProgress",
    "Ports",
    "Process",
    "ProcessFailed",
    "Project",
    "Refused",
    "Sandbox",
    "Unreachable",
    "Volume",
    "WaitTimeout",
    "WpmError",
    "load_packages",
]


if not TYPE_CHECKING:
    # Type checkers know every name by its import above, and that there are no others.
    def __getattr__(name: str) -> object:
        """A public name, loaded when it is first asked for: `wpm` itself starts without them."""
        if (room := _ROOMS.get(name)) is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(room), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
