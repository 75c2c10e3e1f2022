"""The binary factory: from a name to a program, and from a program to a process."""

from __future__ import annotations

import errno
import os
import threading
from weakref import WeakKeyDictionary

from binfactory.builtins import Builtins
from binfactory.command_layer import CommandFile, CommandLayer
from binfactory.errors import FactoryError
from binfactory.guest_file import (
    SCRIPT_MAGIC,
    WASM_MAGIC,
    WEBC_MAGIC,
    DigestMemo,
    GuestFile,
    script_line,
)
from binfactory.loader import PackageNode, load_package
from binfactory.programs import CommandProgram, ModuleProgram, ScriptProgram
from binfactory.roots import base_of
from runtime.fs.node import Directory, File
from runtime.fs.overlay_leaf import OverlayLeaf
from runtime.fs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from binfactory.command import BinaryCommand
    from binfactory.modules import ModuleCache
    from binfactory.package import BinaryPackage
    from binfactory.settings import SettingsLookup
    from runtime.env import WasiEnv
    from runtime.fs.node import FileSystem, Node
    from runtime.fs.walk import Location
    from runtime.process import WasiProcess
    from runtime.programs import Program
    from webc_parser.container import Container

DEFAULT_PATH = "/usr/local/bin:/bin:/usr/bin"
PATH_ENTRIES_MAX = 1024
INTERPRETERS_MAX = 4
PACKAGES_REMEMBERED = 32


class UsedRoot:
    """What packages have put into one root filesystem.

    Attributes:
        layer: The commands as files, once an overlay has them.
        packages: The ids of the packages whose files are there.
    """

    __slots__ = ("__weakref__", "layer", "packages")

    def __init__(self) -> None:
        self.layer: CommandLayer | None = None
        self.packages: set[str] = set()


class BinFactory:
    """Finds programs for the processes of an environment; the runtime's `Programs`.

    A name is a builtin, or a path given by `set_binary`, or a file of the guest: the file of a used package's command,
    a module, a container, or a script; a bare name that is none of these is looked for along `PATH`. What is not found
    is not remembered: it may be there the next time.

    Args:
        modules: Where compiled modules are.
        builtins: The commands that the host provides.
        resolve: Gives a container that lies in the guest's filesystem the packages that it uses, from what is
            installed; without it such a container has none.
        settings: Tells of a module in the guest's filesystem how it wants to be started, as
            `binfactory.settings.image_settings` does; without it such a module is started as it is called.
    """

    def __init__(
        self,
        modules: ModuleCache,
        builtins: Builtins | None = None,
        resolve: Callable[[Container], PackageNode] | None = None,
        settings: SettingsLookup | None = None,
    ) -> None:
        self.modules = modules
        self.builtins = Builtins() if builtins is None else builtins
        self.lock = threading.RLock()
        self._roots: WeakKeyDictionary[FileSystem, UsedRoot] = WeakKeyDictionary()
        self._resolve = resolve
        self._settings = settings
        self._binaries: dict[str, BinaryCommand] = {}
        self._digests = DigestMemo()
        self._containers: dict[str, BinaryPackage] = {}

    def set_binary(self, path: str, command: BinaryCommand) -> None:
        """Make a path run a command, whatever file is there.

        Args:
            path: Absolute path in the guest.
            command: The command.
        """
        self._binaries[os.path.normpath(path)] = command

    def unset_binary(self, path: str) -> None:
        """Let a path be what its file is again."""
        self._binaries.pop(os.path.normpath(path), None)

    def used(self, filesystem: FileSystem) -> UsedRoot:
        """What packages have put into a root."""
        base = base_of(filesystem)
        if (used := self._roots.get(base)) is None:
            with self.lock:
                used = self._roots.setdefault(base, UsedRoot())
        return used

    def find(self, path: str, env: WasiEnv) -> Program | None:
        """The program of a path or bare name, as it is now.

        Args:
            path: Absolute, relative to the working directory, or a bare name.
            env: Whose root, working directory and `PATH`.

        Raises:
            PermissionError: there is a directory of that name.
            OSError: `ENOEXEC` when there is a file and it is no program; as `walk` for a path that leads nowhere.
        """
        if not path:
            return None
        if (builtin := self.builtins.find(path, env)) is not None:
            return builtin
        if "/" in path:
            return self.get_executable(path, env)
        first: OSError | None = None
        for candidate in _candidates(path, env):
            try:
                if (found := self.get_executable(candidate, env)) is not None:
                    return found
            except OSError as error:
                # A data file in the working directory does not hide the command of its name.
                first = first or error
        if first is not None:
            raise first
        return None

    def get_executable(self, path: str, env: WasiEnv, depth: int = 0) -> Program | None:
        """The program at a path, without a search along `PATH`.

        Args:
            path: Absolute, or relative to the working directory.
            env: Whose root and working directory.
            depth: How many scripts led here.

        Raises:
            OSError: as `find`.
        """
        absolute = path if path.startswith("/") else f"{env.cwd.path()}/{path}"
        if (builtin := self.builtins.find(absolute, env)) is not None:
            return builtin
        if (command := self._binaries.get(os.path.normpath(absolute))) is not None:
            return CommandProgram(command, self.modules)
        try:
            place = walk(env.root, env.cwd, path, follow=True).location
        except (FileNotFoundError, NotADirectoryError):
            return None
        if place is None:
            return None
        node = place.node
        if isinstance(node, Directory) or not isinstance(node, File):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        try:
            command = _command_of(node)
        except FactoryError as error:
            raise OSError(errno.ENOEXEC, str(error)) from error
        if command is not None:
            return CommandProgram(command, self.modules)
        return self._file_program(GuestFile(node, path, self._digests), path, env, place, depth)

    def spawn(self, name: str, env: WasiEnv) -> WasiProcess:
        """Start a program in an environment, as the first process of it.

        Args:
            name: What `find` looks for.
            env: The environment; its arguments are `argv[0]` first, and it becomes what the program wants.

        Raises:
            FactoryError: there is no such program, or it cannot run.
        """
        try:
            program = self.find(name, env)
            if program is None:
                raise FactoryError(f"{name}: command not found")
            return self.start(program, env)
        except OSError as error:
            raise FactoryError(f"{name}: {error.strerror or error}") from error

    def start(self, program: Program, env: WasiEnv) -> WasiProcess:
        """Start a program that was found.

        Args:
            program: The program.
            env: As for `spawn`.

        Raises:
            OSError: it cannot run.
        """
        module = program.module()
        env.args[:] = program.arguments(env.args)
        env.default_variables(program.environ)
        return env.spawn(module, program.name)

    def _file_program(self, file: GuestFile, path: str, env: WasiEnv, place: Location, depth: int) -> Program | None:
        head = file.head()
        if head.startswith(WASM_MAGIC):
            settings = None if self._settings is None else self._settings(file, place, env)
            return ModuleProgram(path, file, self.modules, settings)
        if head.startswith(WEBC_MAGIC):
            return self._container_program(file, path, env)
        if head.startswith(SCRIPT_MAGIC):
            if depth >= INTERPRETERS_MAX:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            line = script_line(head)
            interpreter = self.get_executable(line[0], env, depth + 1)
            return None if interpreter is None else ScriptProgram(path, interpreter, line)
        raise OSError(errno.ENOEXEC, f"{path}: neither a WebAssembly module nor a package nor a script")

    def _container_program(self, file: GuestFile, path: str, env: WasiEnv) -> Program:
        from binfactory.use import unite_package
        from webc_parser.errors import WebcError

        try:
            digest = file.atom_sha256
            package = self._containers.get(digest)
            if package is None:
                from webc_parser.container import Container

                container = Container.from_bytes(file.atom)
                node = self._resolve(container) if self._resolve is not None else None
                package = load_package(node or PackageNode(f"sha256:{digest}", container=container))
                if len(self._containers) >= PACKAGES_REMEMBERED:
                    self._containers.clear()
                self._containers[digest] = package
            command = package.command_called(path.rpartition("/")[2])
            unite_package(self, env.filesystem, package)
        except (WebcError, FactoryError) as error:
            raise OSError(errno.ENOEXEC, f"{path}: {error}") from error
        return CommandProgram(command, self.modules)


def _command_of(node: Node) -> BinaryCommand | None:
    """The command whose file a node is: by whatever name it is reached, and not a file that has replaced it."""
    while isinstance(node, OverlayLeaf):
        node = node.real
    return node.command() if isinstance(node, CommandFile) else None


def _candidates(name: str, env: WasiEnv) -> Iterator[str]:
    yield name
    for directory in env.environ.get("PATH", DEFAULT_PATH).split(":", PATH_ENTRIES_MAX)[:PATH_ENTRIES_MAX]:
        yield f"{directory or '.'}/{name}"
