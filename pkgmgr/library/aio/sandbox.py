"""Sandboxes, to be awaited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self

from pkgmgr.errors import WpmError
from pkgmgr.library.aio.files import GuestFiles
from pkgmgr.library.aio.package import Package
from pkgmgr.library.aio.ports import Ports
from pkgmgr.library.aio.process import Process, run_to_end, started
from pkgmgr.library.aio.waiting import Telling, in_thread, to_the_end
from pkgmgr.library.sandbox import DEFAULT_FILES
from pkgmgr.library.sandbox import Sandbox as Waiting
from pkgmgr.library.stdio import DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from pkgmgr.library.completed import Completed
    from pkgmgr.library.launching import CommandLike
    from pkgmgr.library.package import PackageSource
    from pkgmgr.library.progress import LoadProgress
    from pkgmgr.library.stdio import ErrorOutput, Input, Output
    from pkgmgr.library.volume import Volume


class Sandbox:
    """One filesystem, and commands that run in it, one after the other and at the same time: for code that nobody trusts.

    It is there once it is awaited or entered: `async with Sandbox(["wpm/sh"]) as sandbox:`, `sandbox = await Sandbox()`.
    Guests see nothing of the host but volumes, and there is no network unless it is given. Closing it ends what runs.

    Args:
        packages: What `Package.load` takes: whose commands and files there are.
        files: Contents by path; text is encoded as UTF-8, a relative path starts at `/workspace`.
        env: Variables of every command.
        network: What of the network guests may use: None nothing, `"all"`, `"loopback"`, or rules as those of `wpm run --net`.
        volumes: Directories of the host that guests see.
        shell: What `Sandbox.shell` runs with `-c`; None is the first of `sh`, `bash` and `dash` that there is.
        memory: The most bytes of memory for each process.
        timeout: The longest that each command may run, in seconds.
        disk: How many bytes guests may write into the filesystem, all of them together; None is as many as there is memory.
        processes: How many processes there may be at the same time, of all commands together; None is 1024.
        threads: How many threads they may have, all together; None is 512.
        registry: The registry for names without one of their own in the configuration: a directory or a URL.
        offline: Never use the network to load packages.
        progress: Called on the loop with how far loading the packages is.
    """

    def __init__(
        self,
        packages: Sequence[PackageSource] = (),
        *,
        files: Mapping[str, str | bytes] | None = None,
        env: Mapping[str, str] | None = None,
        network: str | None = None,
        volumes: Sequence[Volume] = (),
        shell: CommandLike | None = None,
        memory: int | None = None,
        timeout: float | None = None,
        disk: int | None = DEFAULT_FILES,
        processes: int | None = None,
        threads: int | None = None,
        registry: str | None = None,
        offline: bool = False,
        progress: Callable[[LoadProgress], object] | None = None,
    ) -> None:
        self._make = partial(
            Waiting,
            packages,
            files=files,
            env=env,
            network=network,
            volumes=volumes,
            shell=shell,
            memory=memory,
            timeout=timeout,
            disk=disk,
            processes=processes,
            threads=threads,
            registry=registry,
            offline=offline,
        )
        self._progress = progress
        self._made: Waiting | None = None

    def __repr__(self) -> str:
        return "<Sandbox: not there yet>" if self._made is None else repr(self._made)

    async def _opened(self) -> Self:
        if self._made is None:
            telling = Telling(self._progress)
            self._made = await telling.load(partial(self._make, progress=telling))
        return self

    def __await__(self) -> Generator[object, None, Self]:
        return self._opened().__await__()

    async def __aenter__(self) -> Self:
        return await self._opened()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def fs(self) -> GuestFiles:
        """Its files."""
        return GuestFiles(self._waiting.fs)

    @property
    def ports(self) -> Ports:
        """The ports at which its guests listen."""
        return Ports(self._waiting.ports)

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages that it has."""
        return tuple(Package(package._binary) for package in self._waiting.packages)

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of the commands of its packages, sorted."""
        return self._waiting.commands

    async def run(
        self,
        command: CommandLike,
        *args: str,
        input: bytes | str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
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
            env: Variables beside those of the sandbox.
            cwd: Its working directory; a relative path starts at `/workspace`.
            timeout: The longest that it may run, in seconds; None is what the sandbox says.
            memory: The most bytes of memory for each of its processes; None is what the sandbox says.
            output_limit: How many bytes of each output are kept; None keeps all. The guest does not notice.
            check: Whether to raise where it does not succeed.

        Returns:
            How it ended, and what it has written.

        Raises:
            ProcessFailed: It has not succeeded, and `check` asks for that.
            CommandNotFound: There is no such command.
            WpmError: It cannot be run, or the sandbox is closed.
        """
        start = partial(
            self._waiting._begin,
            command,
            *args,
            input=input,
            env=env,
            cwd=cwd,
            timeout=timeout,
            memory=memory,
            output_limit=output_limit,
        )
        return await run_to_end(start, check=check, at_hand=self._waiting._is_at_hand(command))

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
        timeout: float | None = None,
        memory: int | None = None,
        output_limit: int | None = DEFAULT_LIMIT,
    ) -> Process:
        """Start a command, and let it run.

        Args:
            command: As for `run`.
            args: Its arguments.
            stdin: What it reads: `"pipe"`, `"null"` or `"inherit"`, as for `Environment.spawn`.
            stdout: Where it writes: `"pipe"`, `"capture"`, `"null"` or `"inherit"`.
            stderr: The same for standard error, or `"stdout"`.
            terminal: Whether its standard streams are a terminal of its own.
            size: Columns and rows of that terminal.
            env: Variables beside those of the sandbox.
            cwd: Its working directory.
            timeout: The longest that it may run, in seconds; None is what the sandbox says.
            memory: The most bytes of memory for each of its processes; None is what the sandbox says.
            output_limit: How many bytes of each captured output are kept; None keeps all.

        Returns:
            The running guest.

        Raises:
            CommandNotFound: There is no such command.
            WpmError: It cannot be run, or the sandbox is closed.
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
                timeout=timeout,
                memory=memory,
                output_limit=output_limit,
            ),
            at_hand=not terminal and self._waiting._is_at_hand(command),
        )

    async def shell(
        self,
        script: str,
        *,
        input: bytes | str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float | None = None,
        memory: int | None = None,
        output_limit: int | None = DEFAULT_LIMIT,
        check: bool = False,
    ) -> Completed:
        """Run a script of the shell. To cancel this ends the guest first.

        Args:
            script: What the shell is given behind `-c`.
            input: As for `run`.
            env: As for `run`.
            cwd: As for `run`.
            timeout: As for `run`.
            memory: As for `run`.
            output_limit: As for `run`.
            check: As for `run`.

        Returns:
            How it ended, and what it has written.

        Raises:
            ProcessFailed: It has not succeeded, and `check` asks for that.
            WpmError: There is no shell, or it cannot be run.
        """
        return await self.run(
            self._waiting._shell_command(),
            "-c",
            script,
            input=input,
            env=env,
            cwd=cwd,
            timeout=timeout,
            memory=memory,
            output_limit=output_limit,
            check=check,
        )

    async def install(
        self,
        package: PackageSource,
        *,
        as_shell: str | None = None,
        progress: Callable[[LoadProgress], object] | None = None,
    ) -> Package:
        """Give the sandbox another package: what runs already sees its commands and files, too.

        Args:
            package: What `Package.load` takes.
            as_shell: The command of it that `shell` runs from now on.
            progress: Called on the loop with how far loading it is.

        Returns:
            The package.

        Raises:
            WpmError: It cannot be loaded, or has no such command.
        """
        telling = Telling(progress)
        work = partial(self._waiting.install, package, as_shell=as_shell, progress=telling)
        return Package((await telling.load(work))._binary)

    async def close(self) -> None:
        """End every guest that still runs, and wait until they have."""
        if self._made is not None:
            await to_the_end(in_thread(self._made.close))

    @property
    def _waiting(self) -> Waiting:
        if self._made is None:
            raise WpmError("the sandbox is not there yet: await it, or enter it with async with")
        return self._made
