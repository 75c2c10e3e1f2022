"""The library for programs with asyncio: the names and arguments of `pkgmgr`, to be awaited.

Guests that run take no thread to be waited for; what has to block (loading packages, starting a guest, files) is done in
the threads of the loop's own pool. A task that is cancelled ends the guest that it runs before the cancellation goes on.
"""

from __future__ import annotations

from pkgmgr.library.aio.environment import Environment
from pkgmgr.library.aio.files import GuestFiles
from pkgmgr.library.aio.image import Image
from pkgmgr.library.aio.package import Package, load_packages
from pkgmgr.library.aio.ports import Ports
from pkgmgr.library.aio.process import Process
from pkgmgr.library.aio.project import Project
from pkgmgr.library.aio.sandbox import Sandbox
from pkgmgr.library.aio.streams import Reader, Writer

__all__ = [
    "Environment",
    "GuestFiles",
    "Image",
    "Package",
    "Ports",
    "Process",
    "Project",
    "Reader",
    "Sandbox",
    "Writer",
    "load_packages",
]
