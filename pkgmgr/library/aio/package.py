"""Packages, to be awaited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pkgmgr.library.aio.waiting import Telling, in_thread
from pkgmgr.library.package import Package as Loaded
from pkgmgr.library.package import load_packages as load_waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pkgmgr.library.package import PackageSource
    from pkgmgr.library.progress import LoadProgress


class Package(Loaded):
    """A package that can be run, as `pkgmgr.Package`, but for `load` and `create`, which are awaited."""

    @classmethod
    async def load(  # type: ignore[override]
        cls,
        source: PackageSource,
        *,
        registry: str | None = None,
        offline: bool = False,
        refresh: bool = False,
        progress: Callable[[LoadProgress], object] | None = None,
    ) -> Package:
        """Load a package, with what it needs. To cancel this gives up.

        Args:
            source: `namespace/name`, `namespace/name@^1.2`, `sha256:HEX` or a URL; the path of a `.webc`, of a `.wasm` or
                of a directory with a `wasmer.toml`; or the bytes of a `.webc` or `.wasm`. A module has one command, `main`.
            registry: The registry for names without one of their own in the configuration: a directory or a URL.
            offline: Never use the network.
            refresh: Ask registries anew where what they said is still fresh.
            progress: Called on the loop with how far it is.

        Raises:
            WpmError: It cannot be found, fetched or read.
        """
        loaded = await load_packages([source], registry=registry, offline=offline, refresh=refresh, progress=progress)
        return loaded[0]

    @classmethod
    async def create(  # type: ignore[override]
        cls,
        *,
        modules: Mapping[str, bytes],
        commands: Mapping[str, str] | None = None,
        entrypoint: str | None = None,
        files: Mapping[str, str | bytes] | None = None,
    ) -> Package:
        """Make a package in memory.

        Args:
            modules: WebAssembly modules by name.
            commands: Names of commands, each with the name of its module; None makes a command of every module.
            entrypoint: The command that runs where none is named; None is the only command, if there is but one.
            files: Contents by the absolute path at which guests see them; text is encoded as UTF-8.

        Raises:
            WpmError: A module is none, a command has none, or a path is not absolute.
        """
        work = partial(Loaded.create, modules=modules, commands=commands, entrypoint=entrypoint, files=files)
        return cls((await in_thread(work))._binary)


async def load_packages(
    sources: Iterable[PackageSource],
    *,
    registry: str | None = None,
    offline: bool = False,
    refresh: bool = False,
    progress: Callable[[LoadProgress], object] | None = None,
) -> list[Package]:
    """Load several packages at the same time; each is fetched once, whoever else wants it. To cancel this gives up.

    Args:
        sources: What `Package.load` takes; a package that is loaded already stays as it is.
        registry: The registry for names without one of their own in the configuration: a directory or a URL.
        offline: Never use the network.
        refresh: Ask registries anew where what they said is still fresh.
        progress: Called on the loop with how far it is.

    Returns:
        The packages, in the order of the sources.

    Raises:
        WpmError: One cannot be found, fetched or read.
    """
    telling = Telling(progress)
    work = partial(load_waiting, list(sources), registry=registry, offline=offline, refresh=refresh, progress=telling)
    return [Package(package._binary) for package in await telling.load(work)]
