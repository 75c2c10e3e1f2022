"""Environments, to be awaited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pkgmgr.library.aio.package import Package, load_packages
from pkgmgr.library.aio.process import Process, run_to_end, started
from pkgmgr.library.environment import Environment as Waiting
from pkgmgr.library.stdio import DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pkgmgr.library.completed import Completed
    from pkgmgr.library.launching import CommandLike
    from pkgmgr.library.package import PackageSource
    from pkgmgr.library.progress import LoadProgress
    from pkgmgr.library.stdio import ErrorOutput, Input, Output
    from pkgmgr.library.volume import Volume


class Environment:
    """Packages whose commands can be run: those of a project (`Project.install`), or any (`Environment.of`).

    Every command that it runs has a filesystem of its own; a `Sandbox` has one filesystem for many commands.

    Args:
        packages: What it is made of; of commands of the same name the last one counts.
    """

    def __init__(self, packages: Sequence[Package]) -> None:
        self._waiting = Waiting(packages)

    def __repr__(self) -> str:
        return repr(self._waiting)

    @classmethod
    async def of(
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
            progress: Called on the loop with how far loading them is.

        Raises:
            WpmError: One cannot be found, fetched or read.
        """
        return cls(
            await load_packages(packages, registry=registry, offline=offline, refresh=refresh, progress=progress)
        )

    @property
    def packages(self) -> tuple[Package, ...]:
        """What it is made of."""
        return tuple(Package(package._binary) for package in self._waiting.packages)

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of its commands, sorted."""
        return self._waiting.commands

    async def run(
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
        """Run a command to its end. To cancel this ends the guest first.

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
        start = partial(
            self._waiting._begin,
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
        )
        return await run_to_end(start, check=check, at_hand=self._waiting._is_at_hand(command, volumes))

    async def spawn(
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
        return await started(
            partial(
                self._waiting.spawn,
                command,
                *args,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                terminal=terminal,
                size=size,
                env=env,
                cwd=cwd,
                volumes=volumes,
                network=network,
                timeout=timeout,
                memory=memory,
                output_limit=output_limit,
            ),
            at_hand=not terminal and self._waiting._is_at_hand(command, volumes),
        )
