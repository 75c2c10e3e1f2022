"""From a command that somebody names to a running guest."""

from __future__ import annotations

import threading
from posixpath import normpath
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from binfactory.modules import ModuleCache
from binfactory.programs import CommandProgram
from pkgmgr.errors import WpmError
from pkgmgr.library.arguments import check_texts, check_variables, limits, network_policy
from pkgmgr.library.failures import CommandNotFound, GuestFileError, converted, shown
from pkgmgr.library.package import Command, Package
from pkgmgr.library.process import Process
from pkgmgr.library.volume import opened
from runtime.env import WasiEnvBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from binfactory.factory import BinFactory
    from pkgmgr.library.stdio import Stdio
    from pkgmgr.library.volume import Volume
    from runtime.control import Census
    from runtime.fs.node import FileSystem
    from runtime.limits import Limits
    from runtime.net import NetworkPolicy

CommandLike: TypeAlias = "str | Command | Package"
"""What is run: a command by its name or by its path in the guest, one of a certain package, or what a package runs."""

_MOST_NAMED = 12

_caches: dict[Path, ModuleCache] = {}
_caches_lock = threading.Lock()


def module_cache(folder: Path) -> ModuleCache:
    """The compiled modules of a store: one for all environments and sandboxes of this process."""
    with _caches_lock:
        if (cache := _caches.get(folder)) is None:
            cache = _caches[folder] = ModuleCache(folder)
        return cache


class Given(NamedTuple):
    """What a guest is given.

    Attributes:
        env: Its variables.
        cwd: Its working directory; None leaves it to the command, else to whoever starts it.
        volumes: Directories of the host.
        network: What of the network it may use, as `network_policy` reads it.
        timeout: The longest that it may run, in seconds.
        memory: The most bytes of memory for each of its processes.
        processes: How many processes there may be.
        threads: How many threads they may have.
    """

    env: Mapping[str, str] | None = None
    cwd: str | None = None
    volumes: Sequence[Volume] = ()
    network: str | None = None
    timeout: float | None = None
    memory: int | None = None
    processes: int | None = None
    threads: int | None = None

    def limits(self) -> Limits:
        """The limits, checked.

        Raises:
            TypeError: One is no number.
            WpmError: One cannot be meant.
        """
        return limits(self.timeout, self.memory, self.processes, self.threads)


class World(NamedTuple):
    """Where a guest runs.

    Attributes:
        packages: What it is made of; of commands of the same name the last one counts.
        factory: Where programs are found.
        root: The filesystem.
        cwd: Where a guest starts whose command does not say.
        devices: Whether `/dev` has to be mounted still.
        census: Where its processes are counted with those of others.
        policy: What of the network its guests share; None leaves that to each.
    """

    packages: Sequence[Package]
    factory: BinFactory
    root: FileSystem
    cwd: str = "/"
    devices: bool = True
    census: Census | None = None
    policy: NetworkPolicy | None = None


def start(
    world: World, command: CommandLike, args: Sequence[str], given: Given, stdio: Callable[[WasiEnvBuilder], Stdio]
) -> Process:
    """Start a guest.

    Args:
        world: Where it runs.
        command: What runs.
        args: Its arguments, without `argv[0]`.
        given: What it is given.
        stdio: Gives it its standard streams.

    Raises:
        TypeError: Something is not of its type.
        CommandNotFound: There is no such command.
        WpmError: It cannot be run.
    """
    streams: Stdio | None = None
    match command:
        case str():
            name = command
        case Command():
            name = command.name
        case Package():
            name = command.id
        case _:
            raise TypeError(f"a command is a str, a Command or a Package, not {type(command).__name__} ({command!r})")
    check_texts(f"an argument of {name}", args)
    if any("\0" in each for each in (name, *args)):
        raise WpmError(f"{name!r}: a name or an argument has a NUL in it")
    try:
        with converted:
            program = _command(world.packages, world.factory.modules, command)
            if program is not None:
                name = program.command.name
            builder = WasiEnvBuilder(name).args(args).root(world.root).programs(world.factory).limits(given.limits())
            variables = dict(given.env or {})
            check_variables(variables)
            directory = given.cwd or (program.command.cwd if program is not None else None) or world.cwd
            check_texts("cwd", [directory])
            if "\0" in directory:
                raise WpmError(f"cwd={directory!r}: a path has no NUL in it")
            cwd = _absolute(directory, world.cwd)
            if cwd != "/":
                variables.setdefault("PWD", cwd)
            builder.envs(variables).cwd(cwd).network(world.policy or network_policy(given.network))
            builder.devices(world.devices)
            if world.census is not None:
                builder.census(world.census)
            for volume in given.volumes:
                builder.mount(*opened(volume))
            streams = stdio(builder)
            env = builder.build()
            found = program or world.factory.find(name, env)
            if found is None:
                raise CommandNotFound(f"{shown(name)}: no such command{_like(name, world)}")
            try:
                started = world.factory.start(found, env)
            except BaseException:
                env.descriptors.close_all()
                raise
    except BaseException as error:
        if streams is not None:
            streams.close()
        if isinstance(error, GuestFileError | CommandNotFound) or not isinstance(error, WpmError):
            raise
        text, name = shown(str(error)), shown(name)
        raise WpmError(text if text.startswith(name) else f"{name}: {text}") from None
    process = Process(started, name, streams)
    if streams.terminal is not None:
        streams.interrupt = process.send_signal
    return process


def at_hand(packages: Sequence[Package], modules: ModuleCache, command: CommandLike) -> bool:
    """Whether a command can be started in no time: nothing of it is to be read, hashed or compiled.

    Args:
        packages: As of the world in which it is to run.
        modules: Where compiled modules are.
        command: What is to run.
    """
    try:
        program = _command(packages, modules, command)
    except Exception:
        # Whoever starts it hears why.
        return False
    return program is not None and program.command.is_hashed and modules.is_at_hand(program.command.atom_sha256)


def _command(packages: Sequence[Package], modules: ModuleCache, command: CommandLike) -> CommandProgram | None:
    """The command of a package; None for a path, or a name that is to be found in the guest's filesystem."""
    match command:
        case Command():
            return CommandProgram(command._binary, modules)
        case Package():
            return CommandProgram(command._binary.entrypoint_command(), modules)
        case str() if "/" not in command:
            for package in reversed(packages):
                if command in package._binary.commands:
                    return CommandProgram(package._binary.command(command), modules)
    return None


def _like(name: str, world: World) -> str:
    from difflib import get_close_matches

    names = sorted({each for package in world.packages for each in package.commands})
    if near := get_close_matches(name, names, 3):
        return f": did you mean {' or '.join(near)}?"
    rest = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f" (commands: {', '.join(names[:_MOST_NAMED]) or 'none'}{rest})"


def _absolute(path: str, start: str) -> str:
    # POSIX lets two leading slashes mean something else, and so does normpath.
    return "/" + normpath(path if path.startswith("/") else f"{start}/{path}").lstrip("/")
