"""The environment of a guest process: arguments, variables, filesystem, descriptors, limits."""

from __future__ import annotations

from itertools import islice

from runtime.abi.filetype import Filetype
from runtime.abi.flags import ALL_RIGHTS, DIRECTORY_RIGHTS
from runtime.clocks import WallClock
from runtime.control import ControlPlane
from runtime.descriptors import Description, Descriptor, DescriptorTable
from runtime.errors import RuntimeFault
from runtime.fs.mounts import MountTable
from runtime.fs.node import Directory
from runtime.fs.process_devices import process_devices
from runtime.fs.tmpfs import TmpFileSystem
from runtime.fs.walk import Location, top, walk
from runtime.hostcalls import guest_descriptors
from runtime.limits import Limits
from runtime.net import NetworkPolicy
from runtime.process import WasiProcess
from runtime.stdio import HostStream, InputBuffer
from runtime.syscalls.path import rights_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Final

    from runtime.control import Census
    from runtime.engine import Module
    from runtime.fs.node import FileSystem, Node, OpenFile
    from runtime.programs import Programs


_MOST_TOPS: Final = 256


class WasiEnv:
    """What one process sees of the world. Made by `WasiEnvBuilder`.

    Attributes:
        args: the arguments, `argv[0]` first.
        environ: the environment variables.
        root: the top of the filesystem, a location.
        filesystem: the filesystem itself.
        cwd: the working directory, a location.
        descriptors: what is open.
        programs: where the names of programs are looked up, if anywhere.
        limits: what it may use.
        control: the processes of this environment.
        network: what of the host's network it may use.
        clock: the time of day, which its processes may set.
        has_root: whether the guest was given the root directory, and so everything.
    """

    def __init__(
        self,
        *,
        args: Sequence[str],
        environ: Mapping[str, str],
        filesystem: FileSystem,
        cwd: str,
        limits: Limits,
        programs: Programs | None = None,
        control: ControlPlane | None = None,
        network: NetworkPolicy | None = None,
    ) -> None:
        """An environment with nothing open.

        Raises:
            RuntimeFault: the working directory is not there.
        """
        self.args = list(args)
        self.environ = dict(environ)
        self.filesystem = filesystem
        self.root: Location = top(filesystem)
        self.cwd = self.locate(cwd)
        self.descriptors = DescriptorTable(limits.descriptors)
        self.programs = programs
        self.limits = limits
        self.control = control or ControlPlane(limits.processes)
        self.network = network or NetworkPolicy.off()
        self.clock = WallClock()
        self.has_root = False

    def locate(self, path: str) -> Location:
        """The directory at an absolute guest path.

        Raises:
            RuntimeFault: there is none.
        """
        if path == "/":
            return self.root
        try:
            location = walk(self.root, self.root, path, follow=True).found()
            _ = location.directory
        except OSError as error:
            raise RuntimeFault(f"{path}: not a directory in the guest's filesystem: {error.strerror}") from None
        return location

    def default_variables(self, variables: Mapping[str, str]) -> None:
        """Set the variables that a program's package wants, where the environment does not have them yet."""
        for name, value in variables.items():
            self.environ.setdefault(name, value)

    def fork(self) -> WasiEnv:
        """The environment of a child: its own copy of everything that a process can change, the same filesystem."""
        child = object.__new__(WasiEnv)
        child.__dict__.update(self.__dict__)
        child.args = list(self.args)
        child.environ = dict(self.environ)
        child.descriptors = self.descriptors.duplicate()
        return child

    def enter_program(self) -> None:
        """Be the environment of another program than before, as exec makes it."""
        self.descriptors.close_for_exec()
        self.descriptors.anchor(self.cwd)

    def spawn(self, module: Module, name: str | None = None) -> WasiProcess:
        """Start a process of the module in this environment, on a thread of its own.

        Args:
            module: what to run.
            name: what messages call it; `argv[0]` if none is given.

        Raises:
            RuntimeFault: the module needs what this runtime does not have.
        """
        return WasiProcess(self, module, name or (self.args[0] if self.args else "module")).start()

    def run(self, module: Module, name: str | None = None) -> int:
        """Start a process and wait for its exit code."""
        return self.spawn(module, name).wait()


class WasiEnvBuilder:
    """Collects what a guest is given. Everything not given is absent: no files, no variables, no network."""

    def __init__(self, program: str = "main") -> None:
        """Build an environment for the program of that name, which is `argv[0]`."""
        self._args = [program]
        self._environ: dict[str, str] = {}
        self._root: FileSystem | None = None
        self._mounts: list[tuple[str, FileSystem]] = []
        self._preopens: list[tuple[str, str]] = []
        self._cwd = "/"
        self._stdio: list[OpenFile | int | bytes | None] = [None, None, None]
        self._sockets: list[socket.socket] = []
        self._limits: dict[str, int | float | None] = {}
        self._programs: Programs | None = None
        self._devices = True
        self._network: NetworkPolicy | None = None
        self._census: Census | None = None

    def args(self, arguments: Iterable[str]) -> WasiEnvBuilder:
        """Add arguments behind `argv[0]`."""
        self._args += arguments
        return self

    def env(self, name: str, value: str) -> WasiEnvBuilder:
        """Set a variable.

        Raises:
            RuntimeFault: the name is empty or has `=` or NUL in it, or the value has NUL in it.
        """
        if not name or "=" in name or "\0" in name + value:
            raise RuntimeFault(f"{name!r}: not the name of an environment variable: it is empty or holds '=' or NUL")
        self._environ[name] = value
        return self

    def envs(self, variables: Mapping[str, str]) -> WasiEnvBuilder:
        """Set several variables."""
        for name, value in variables.items():
            self.env(name, value)
        return self

    def root(self, filesystem: FileSystem) -> WasiEnvBuilder:
        """The filesystem at `/`; an empty one in memory if none is given."""
        self._root = filesystem
        return self

    def mount(self, path: str, filesystem: FileSystem) -> WasiEnvBuilder:
        """Put a filesystem at an absolute guest path; it shows there whatever the root has at that place."""
        self._mounts.append((path, filesystem))
        return self

    def preopen(self, path: str, name: str | None = None) -> WasiEnvBuilder:
        """Open a directory for the guest before it starts.

        Args:
            path: where it is, an absolute guest path.
            name: what the guest knows it by; the path if none is given.

        Without any preopen the guest gets `/`, and the working directory as `.`; where that is not the root, also the
        directories of the root under their names. A guest of preview 1 finds absolute paths and those that start at
        the working directory by nothing but the names of preopens.
        """
        self._preopens.append((path, name or path))
        return self

    def devices(self, shown: bool) -> WasiEnvBuilder:
        """Whether there is a `/dev` with null, zero, random, the standard streams and so on; there is unless told."""
        self._devices = shown
        return self

    def cwd(self, path: str) -> WasiEnvBuilder:
        """The working directory, an absolute guest path that exists."""
        self._cwd = path
        return self

    def stdin(self, source: OpenFile | int | bytes | None) -> WasiEnvBuilder:
        """Standard input: an open file, a descriptor of the host (not closed), bytes, or nothing."""
        self._stdio[0] = source
        return self

    def stdout(self, sink: OpenFile | int | None) -> WasiEnvBuilder:
        """Standard output: an open file (`OutputBuffer`, a pipe), a descriptor of the host (not closed), or nowhere."""
        self._stdio[1] = sink
        return self

    def stderr(self, sink: OpenFile | int | None) -> WasiEnvBuilder:
        """Standard error, as `stdout`."""
        self._stdio[2] = sink
        return self

    def inherit_stdio(self) -> WasiEnvBuilder:
        """Give the guest the standard streams of this process."""
        self._stdio = [0, 1, 2]
        return self

    def socket(self, sock: socket.socket) -> WasiEnvBuilder:
        """Give the guest a listening or connected socket, the next descriptor after the preopened directories."""
        self._sockets.append(sock)
        return self

    def memory_limit(self, size: int | None) -> WasiEnvBuilder:
        """The most bytes of linear memory."""
        self._limits["memory"] = size
        return self

    def timeout(self, seconds: float | None) -> WasiEnvBuilder:
        """The time after which the guest is ended with 124."""
        self._limits["seconds"] = seconds
        return self

    def limits(self, limits: Limits) -> WasiEnvBuilder:
        """All limits at once."""
        self._limits = limits._asdict()
        return self

    def programs(self, programs: Programs) -> WasiEnvBuilder:
        """Where the names that the guest executes are looked up."""
        self._programs = programs
        return self

    def network(self, policy: NetworkPolicy) -> WasiEnvBuilder:
        """What of the host's network the guest may use; nothing if this is not called."""
        self._network = policy
        return self

    def census(self, census: Census) -> WasiEnvBuilder:
        """Where processes and threads are counted together with those of other environments, against the same limits."""
        self._census = census
        return self

    def build(self) -> WasiEnv:
        """The environment.

        Raises:
            RuntimeFault: a mount or the working directory does not exist or is not a directory.
        """
        filesystem: FileSystem = self._root or TmpFileSystem()
        mounts = list(self._mounts)
        if self._devices:
            mounts.insert(0, ("/dev", process_devices(guest_descriptors)))
        if mounts:
            table = MountTable(filesystem)
            for path, mounted in mounts:
                try:
                    table.mount(path, mounted)
                except OSError as error:
                    raise RuntimeFault(f"{path}: cannot mount there: {error.strerror}") from None
            filesystem = table
        limits = Limits(**self._limits)  # type: ignore[arg-type]
        env = WasiEnv(
            args=self._args,
            environ=self._environ,
            filesystem=filesystem,
            cwd=self._cwd,
            limits=limits,
            programs=self._programs,
            control=ControlPlane(limits.processes, self._census),
            network=self._network,
        )
        self._open(env)
        return env

    def _open(self, env: WasiEnv) -> None:
        opened: list[Descriptor] = []
        for stream in self._stdio:
            file = _stream(stream)
            if file.filetype is Filetype.CHARACTER_DEVICE:
                from runtime.terminal import is_users, protect

                if is_users(file.fileno()):
                    protect()
            opened.append(Descriptor(Description(file=file), rights_of(file), ALL_RIGHTS))
        env.has_root = not self._preopens
        preopens = [(env.locate(path), name) for path, name in self._preopens] or _whole(env)
        for location, name in preopens:
            opened.append(Descriptor(Description(location=location), DIRECTORY_RIGHTS, ALL_RIGHTS, name))
        if self._sockets:
            from runtime.sockets import SocketFile

            for sock in self._sockets:
                file = SocketFile(sock)
                opened.append(Descriptor(Description(file=file), rights_of(file), ALL_RIGHTS))
        env.descriptors.fill(opened)


def _whole(env: WasiEnv) -> list[tuple[Location, str]]:
    """The preopens of a guest that has the root: places, and the names that tell absolute from relative ones.

    wasi-libc drops the leading slash and takes the preopen with the longest name that the rest begins with, the last of
    equals: with `/` and `.` alone, `/work/x` is `work/x` in the working directory. A name that the working directory has
    too is left to it.
    """
    if env.cwd.node is env.root.node:
        return [(env.root, "/"), (env.cwd, ".")]
    here = env.cwd.directory
    root = env.root.directory
    names = [
        entry.name
        for entry in islice(root.entries(), _MOST_TOPS)
        if entry.filetype is Filetype.DIRECTORY and _find(here, entry.name) is None
    ]
    # A directory that another guest removes meanwhile is none of them.
    tops = ((name, _find(root, name)) for name in sorted(names))
    known = [(Location(node, env.root, name), f"/{name}") for name, node in tops if isinstance(node, Directory)]
    return [(env.root, "/"), (env.cwd, "."), *known]


def _find(directory: Directory, name: str) -> Node | None:
    try:
        return directory.lookup(name)
    except OSError:
        return None


def _stream(stream: OpenFile | int | bytes | None) -> OpenFile:
    match stream:
        case None:
            from runtime.null_stream import NullStream

            return NullStream()
        case int():
            try:
                return HostStream(stream, closes=False)
            except OSError:
                return _stream(None)
        case bytes():
            return InputBuffer(stream)
    return stream
