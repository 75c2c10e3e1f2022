"""Sandboxes: one filesystem, and many commands in it."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Self

from binfactory.factory import BinFactory
from binfactory.roots import new_upper
from binfactory.use import unite_package
from pkgmgr.errors import WpmError
from pkgmgr.library.arguments import check_count, check_variables, network_policy
from pkgmgr.library.failures import converted
from pkgmgr.library.guest_files import GuestFiles
from pkgmgr.library.launching import Given, World, at_hand, module_cache, start
from pkgmgr.library.package import Package, load_packages
from pkgmgr.library.ports import Ports
from pkgmgr.library.running import Running
from pkgmgr.library.stdio import DEFAULT_LIMIT, captured, spawned
from pkgmgr.library.volume import opened
from pkgmgr.store import Store
from runtime.control import Census
from runtime.fs.mounts import MountTable
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.process_devices import process_devices
from runtime.hostcalls import guest_descriptors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pkgmgr.library.completed import Completed
    from pkgmgr.library.launching import CommandLike
    from pkgmgr.library.package import PackageSource
    from pkgmgr.library.process import Process
    from pkgmgr.library.progress import LoadProgress
    from pkgmgr.library.stdio import ErrorOutput, Input, Output, Stdio
    from pkgmgr.library.volume import Volume
    from runtime.env import WasiEnvBuilder

WORKSPACE = "/workspace"
"""Where commands start, and relative paths do: a directory of the guest."""
DEFAULT_FILES = 1 << 30
"""Bytes that the guests of a sandbox may write where nothing else is said."""

_MOST_FILES = 1 << 18
_SHELLS = ("sh", "bash", "dash")


class Sandbox:
    """One filesystem, and commands that run in it, one after the other and at the same time: for code that nobody trusts.

    Guests see the packages, the files that they are given and what other guests of the sandbox have written, and nothing of
    the host but volumes. There is no network unless it is given. Closing it ends what runs. Any number of threads may use it.

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
        progress: Called with how far loading the packages is.

    Raises:
        WpmError: A package cannot be loaded, or something of the rest is not as it should be.
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
        self._defaults = Given(dict(env or {}), None, (), None, timeout, memory, processes, threads)
        self._defaults.limits()
        check_variables(self._defaults.env or {})
        check_count("disk", disk, 0, "bytes")
        self._registry, self._offline = registry, offline
        self._shell = shell
        self._has_volumes = bool(volumes)
        self._packages: list[Package] = []
        self._running = Running()
        self._lock = threading.Lock()
        with converted:
            self._policy = network_policy(network)
            self._factory = BinFactory(module_cache(Store.default().modules))
            written = new_upper(disk, _MOST_FILES)
            written.root.mkdir(WORKSPACE[1:])
            self._overlay = OverlayFileSystem(written)
            root = MountTable(self._overlay)
            root.mount("/dev", process_devices(guest_descriptors))
            for volume in volumes:
                root.mount(*opened(volume))
        self._root = root
        self._census = Census()
        self._fs = GuestFiles(root, WORKSPACE, self._running.check_open)
        self._ports = Ports(self._running.first_processes, has_network=self._policy.enabled)
        for package in load_packages(packages, registry=registry, offline=offline, progress=progress):
            self._unite(package)
        for path, content in (files or {}).items():
            self._fs.write(path, content)

    def __repr__(self) -> str:
        state = "closed" if self._running.closed else f"{len(self._running.first_processes())} running"
        return f"<Sandbox of {', '.join(each.id for each in self.packages) or 'nothing'}: {state}>"

    @property
    def fs(self) -> GuestFiles:
        """Its files."""
        return self._fs

    @property
    def ports(self) -> Ports:
        """The ports at which its guests listen."""
        return self._ports

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages that it has."""
        return tuple(self._packages)

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of the commands of its packages, sorted."""
        return tuple(sorted({name for package in self.packages for name in package.commands}))

    def run(
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
        """Run a command to its end.

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
        with self._begin(
            command,
            *args,
            input=input,
            env=env,
            cwd=cwd,
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
        timeout: float | None = None,
        memory: int | None = None,
        output_limit: int | None = DEFAULT_LIMIT,
    ) -> Process:
        """As `run`, without waiting."""
        streams = partial(captured, data=input, limit=output_limit)
        return self._start(command, args, self._given(env, cwd, timeout, memory), streams)

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
        streams = spawned(terminal=terminal, size=size, stdin=stdin, stdout=stdout, stderr=stderr, limit=output_limit)
        return self._start(command, args, self._given(env, cwd, timeout, memory), streams)

    def shell(
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
        """Run a script of the shell.

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
        return self.run(
            self._shell_command(),
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

    def _shell_command(self) -> CommandLike:
        """What `shell` runs.

        Raises:
            WpmError: There is none.
        """
        if self._shell is not None:
            return self._shell
        commands = self.commands
        for name in _SHELLS:
            if name in commands:
                return name
        raise WpmError(f"the sandbox has no shell: none of its packages has {', '.join(_SHELLS)}: install wpm/sh, say")

    def install(
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
            progress: Called with how far loading it is.

        Returns:
            The package.

        Raises:
            WpmError: It cannot be loaded, or has no such command.
        """
        self._running.check_open()
        loaded = load_packages([package], registry=self._registry, offline=self._offline, progress=progress)[0]
        shell = None if as_shell is None else loaded.command(as_shell)
        self._unite(loaded)
        if shell is not None:
            self._shell = shell
        return loaded

    def close(self) -> None:
        """End every guest that still runs, and wait until they have."""
        self._running.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_at_hand(self, command: CommandLike) -> bool:
        """Whether a command can be started in no time."""
        # The working directory may be in a volume, which is of whatever speed the host gives it.
        return not self._has_volumes and at_hand(self.packages, self._factory.modules, command)

    def _given(
        self, env: Mapping[str, str] | None, cwd: str | None, timeout: float | None, memory: int | None
    ) -> Given:
        defaults = self._defaults
        return defaults._replace(
            env={**(defaults.env or {}), **(env or {})},
            cwd=cwd,
            timeout=defaults.timeout if timeout is None else timeout,
            memory=defaults.memory if memory is None else memory,
        )

    def _start(
        self,
        command: CommandLike,
        args: Sequence[str],
        given: Given,
        streams: Callable[[WasiEnvBuilder], Stdio],
    ) -> Process:
        self._running.check_open()
        if isinstance(command, Package):
            command = command.command()
        world = World(self.packages, self._factory, self._root, WORKSPACE, False, self._census, self._policy)
        process = start(world, command, args, given, streams)
        self._running.add(process)
        return process

    def _unite(self, package: Package) -> None:
        with converted:
            unite_package(self._factory, self._root, package._binary)
        with self._lock:
            if all(each.id != package.id for each in self._packages):
                self._packages.append(package)
