"""Running a program with what it was given, and nothing else: files, variables, limits."""

from __future__ import annotations

from pkgmgr.errors import WpmError
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from binfactory.factory import BinFactory
    from binfactory.modules import ModuleCache
    from binfactory.package import BinaryPackage
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.running.target import Target
    from pkgmgr.store import Store
    from runtime.env import WasiEnv
    from runtime.fs.node import FileSystem
    from runtime.net import NetworkPolicy
    from runtime.process import WasiProcess


class Volume(NamedTuple):
    """A directory of the host that the guest sees.

    Attributes:
        host: The directory.
        guest: Where the guest sees it, an absolute path.
        read_only: Whether the guest can only read.
    """

    host: Path
    guest: str
    read_only: bool = False


class RunOptions(NamedTuple):
    """What a guest is given.

    Attributes:
        arguments: Its arguments, without `argv[0]`.
        entrypoint: The command of a package to run, where it is not the package's own choice.
        environ: Its variables.
        volumes: Directories of the host.
        cwd: Its working directory; None leaves it to the command, else to `/`.
        uses: More packages whose commands and files it sees.
        commands: Names with files of the host that become commands.
        memory: The most bytes of memory for each of its processes.
        seconds: The longest that it may run.
        network: What of the network it may use, as `NetworkPolicy.parse` reads it: None is nothing, `""` everything.
    """

    arguments: tuple[str, ...] = ()
    entrypoint: str | None = None
    environ: Mapping[str, str] = {}
    volumes: tuple[Volume, ...] = ()
    cwd: str | None = None
    uses: tuple[str, ...] = ()
    commands: Mapping[str, Path] = {}
    memory: int | None = None
    seconds: float | None = None
    network: str | None = None


def start(text: str, store: Store, install: InstallOptions, options: RunOptions) -> WasiProcess:
    """Start what somebody names, with the standard streams of this process.

    Args:
        text: What to run (see `find_target`).
        store: Where packages are and go.
        install: The registry, and whether the network may be used.
        options: What the guest is given.

    Raises:
        WpmError: It cannot be found, or a volume or directory is not there.
        FactoryError: A package is wrong.
        RuntimeFault: The module needs what the runtime does not have, or the network is not told as it must be.
    """
    from binfactory.modules import ModuleCache
    from pkgmgr.running.target import find_target

    modules = ModuleCache(store.modules_name)

    def find() -> Target:
        return find_target(text, options.entrypoint, store, install, modules)

    return start_target(find, text, modules, store, install, options)


def start_target(
    find: Callable[[], Target],
    label: str,
    modules: ModuleCache,
    store: Store,
    install: InstallOptions,
    options: RunOptions,
) -> WasiProcess:
    """Start a program that is found already, or is to be.

    Args:
        find: Gives what to run; asked once the options were looked at.
        label: What to call it in errors.
        modules: Where compiled modules are.
        store: Where packages are and go.
        install: The registry for packages that the options name, and whether the network may be used.
        options: What the guest is given; its `entrypoint` was for whoever found the target.

    Raises:
        WpmError: A volume or directory is not there, or what `find` raises.
        FactoryError: A package is wrong.
        RuntimeFault: The module needs what the runtime does not have, or the network is not told as it must be.
    """
    from binfactory.factory import BinFactory
    from binfactory.roots import sandbox_root
    from binfactory.use import map_commands, unite_package
    from runtime.net import NetworkPolicy

    network = NetworkPolicy.parse(options.network)
    target = find()
    factory = BinFactory(modules)
    root = sandbox_root()
    if target.package is not None:
        unite_package(factory, root, target.package)
    for package in target.beside:
        unite_package(factory, root, package)
    for spec in options.uses:
        unite_package(factory, root, named_package(spec, store, install))
    env = guest_environment(target.program.name, root, factory, target.cwd, network, options)
    map_commands(env, options.commands)
    try:
        return factory.start(target.program, env)
    except OSError as error:
        raise WpmError(f"{label}: {error.strerror or error}") from error


def guest_environment(
    name: str, root: FileSystem, factory: BinFactory, cwd: str | None, network: NetworkPolicy, options: RunOptions
) -> WasiEnv:
    """What a guest sees of the world, with the standard streams of this process.

    Args:
        name: Its `argv[0]`.
        root: Its root, without the volumes.
        factory: Where programs are looked up.
        cwd: Where it starts, if the options do not say; None is `/`.
        network: What of the network it may use.
        options: What it is given.

    Raises:
        WpmError: A volume cannot be opened.
        RuntimeFault: A directory is not there.
    """
    from runtime.env import WasiEnvBuilder

    builder = WasiEnvBuilder(name).args(options.arguments).envs(options.environ).root(root)
    directory = _absolute(options.cwd or cwd or "/")
    if directory != "/" and "PWD" not in options.environ:
        # Preview 1 has no other way to tell a guest where it is; a shell tells it so too.
        builder.env("PWD", directory)
    for volume in options.volumes:
        builder.mount(volume.guest, _host(volume))
    return (
        builder.cwd(directory)
        .inherit_stdio()
        .memory_limit(options.memory)
        .timeout(options.seconds)
        .programs(factory)
        .network(network)
        .build()
    )


def named_package(spec: str, store: Store, install: InstallOptions) -> BinaryPackage:
    """The package that somebody names: one of a registry, a file, or a directory with a manifest.

    Raises:
        WpmError: It cannot be found, or what it needs cannot be had.
    """
    from pathlib import Path

    from binfactory.loader import load_package
    from pkgmgr.projects.project import Project
    from pkgmgr.running.closure import package_node
    from pkgmgr.running.target import is_name, project_node

    if Path(spec).is_dir() and not is_name(spec):
        return load_package(project_node(Project.open(Path(spec)), store, install))
    return load_package(package_node(spec, store, install))


def _absolute(path: str) -> str:
    from posixpath import normpath

    # POSIX lets two leading slashes mean something else, and so does normpath.
    return "/" + normpath(path).lstrip("/") if path.startswith("/") else normpath(f"/{path}")


def _host(volume: Volume) -> FileSystem:
    from runtime.fs.hostfs import HostFileSystem

    try:
        return HostFileSystem(volume.host, read_only=volume.read_only)
    except OSError as error:
        raise WpmError(f"--volume {volume.host}: cannot be opened: {error.strerror}") from None
