"""Environments: packages whose commands programs run, each with a filesystem of its own."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from binfactory.factory import BinFactory
from binfactory.stack import PackageStack
from pkgmgr.library.failures import converted
from pkgmgr.library.launching import Given, World, at_hand, module_cache, start
from pkgmgr.library.package import load_packages
from pkgmgr.library.stdio import DEFAULT_LIMIT, captured, spawned
from pkgmgr.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pkgmgr.library.completed import Completed
    from pkgmgr.library.launching import CommandLike
    from pkgmgr.library.package import Package, PackageSource
    from pkgmgr.library.process import Process
    from pkgmgr.library.progress import LoadProgress
    from pkgmgr.library.stdio import ErrorOutput, Input, Output
    from pkgmgr.library.volume import Volume


class Environment:
    """Packages whose commands can be run: those of a project (`Project.install`), or any (`Environment.of`).

    Every command that it runs has a filesystem of its own, with the files of the packages and nothing that another one
    has written; a `Sandbox` has one filesystem for many commands. Any number of threads may use it at the same time.

    Args:
        packages: What it is made of; of commands of the same name the last one counts.
    """

    def __init__(self, packages: Sequence[Package]) -> None:
        self._packages = tuple(packages)
        self._modules = module_cache(Store.default().modules)

    def __repr__(self) -> str:
        return f"<Environment of {', '.join(package.id for package in self._packages) or 'nothing'}>"

    @classmethod
    def of(
        cls,
        *packages: PackageSource,
        registry: str | None = None,
        offline: bool = False,
        refresh: bool = False,
        progress: Callable[[LoadProgress], object] | None = None,
    ) -> Environment:
        """An environment of packages that belong to no project.

        Args:
            packages: What `Package.load` takes.
            registry: The registry for names without one of their own in the configuration: a directory or a URL.
            offline: Never use the network.
            refresh: Ask registries anew where what they said is still fresh.
            progress: Called with how far loading them is.

        Raises:
            WpmError: One cannot be found, fetched or read.
        """
        return cls(load_packages(packages, registry=registry, offline=offline, refresh=refresh, progress=progress))

    @property
    def packages(self) -> tuple[Package, ...]:
        """What it is made of."""
        return self._packages

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of its commands, sorted."""
        return tuple(sorted({name for package in self._packages for name in package.commands}))

    def run(
        self,
        command: CommandLike,
        *args: str,
        input: bytes | str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        volumes: Sequence[Volume] = (),
        network: str | None = None,
        timeout: float | None = None,
        memory: int | None = None,
        output_limit: int | None = DEFAULT_LIMIT,
        check: bool = False,
    ) -> Completed:
        """Run a command to its end.

        Args:
            command: Its name, its path in the guest, a `Command`, or a `Package` whose entrypoint is meant.
            args: Its arguments.
            input: What it reads; text is encoded as UTF-8. None is nothing.
            env: Its variables; it sees none of this process's.
            cwd: Its working directory, a path in the guest.
            volumes: Directories of the host that it sees.
            network: What of the network it may use: None nothing, `"all"`, `"loopback"`, or rules as those of `wpm run --net`.
            timeout: The longest that it may run, in seconds.
            memory: The most bytes of memory for each of its processes.
            output_limit: How many bytes of each output are kept; None keeps all. The guest does not notice.
            check: Whether to raise where it does not succeed.

        Returns:
            How it ended, and what it has written.

        Raises:
            ProcessFailed: It has not succeeded, and `check` asks for that.
            CommandNotFound: There is no such command.
            WpmError: It cannot be run.
        """
        with self._begin(
            command,
            *args,
            input=input,
            env=env,
            cwd=cwd,
            volumes=volumes,
            network=network,
            timeout=timeout,
            memory=memory,
            output_limit=output_limit,
        ) as process:
            return process.wait(check=check)

    def _begin(
        self,
        command: CommandLike,
        *args: str,
        input: bytes | str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        volumes: Sequence[Volume] = (),
        network: str | None = None,
        timeout: float | None = None,
        memory: int | None = None,
        output_limit: int | None = DEFAULT_LIMIT,
    ) -> Process:
        """As `run`, without waiting."""
        given = Given(env, cwd, volumes, network, timeout, memory)
        return start(self._world(), command, args, given, partial(captured, data=input, limit=output_limit))

    def spawn(
        self,
        command: CommandLike,
        *args: str,
        stdin: Input = "pipe",
        stdout: Output = "pipe",
        stderr: ErrorOutput = "pipe",
        terminal: bool = False,
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        volumes: Sequence[Volume] = (),
        network: str | None = None,
        timeout: float | None = None,
        memory: int | None = None,
        output_limit: int | None = DEFAULT_LIMIT,
    ) -> Process:
        """Start a command, and let it run.

        Args:
            command: As for `run`.
            args: Its arguments.
            stdin: What it reads: `"pipe"` what is written to `Process.stdin`, `"null"` nothing, `"inherit"` what this
                process would.
            stdout: Where it writes: `"pipe"` into `Process.stdout`, `"capture"` into what `Process.wait` gives, `"null"`
                nowhere, `"inherit"` where this process writes.
            stderr: The same for standard error; `"stdout"` writes both into one.
            terminal: Whether its standard streams are a terminal of its own: `Process.stdin` types, `Process.stdout` shows.
            size: Columns and rows of that terminal.
            env: Its variables.
            cwd: Its working directory.
            volumes: Directories of the host that it sees.
            network: What of the network it may use.
            timeout: The longest that it may run, in seconds.
            memory: The most bytes of memory for each of its processes.
            output_limit: How many bytes of each captured output are kept; None keeps all.

        Returns:
            The running guest.

        Raises:
            CommandNotFound: There is no such command.
            WpmError: It cannot be run.
        """
        given = Given(env, cwd, volumes, network, timeout, memory)
        streams = spawned(terminal=terminal, size=size, stdin=stdin, stdout=stdout, stderr=stderr, limit=output_limit)
        return start(self._world(), command, args, given, streams)

    def _is_at_hand(self, command: CommandLike, volumes: Sequence[Volume] = ()) -> bool:
        """Whether a command can be started in no time."""
        # The first one unites the packages, and a volume is opened.
        return "_stack" in self.__dict__ and not volumes and at_hand(self._packages, self._modules, command)

    def _world(self) -> World:
        factory = BinFactory(self._modules)
        with converted:
            return World(self._packages, factory, self._stack.root(factory))

    @cached_property
    def _stack(self) -> PackageStack:
        return PackageStack(package._binary for package in self._packages)
