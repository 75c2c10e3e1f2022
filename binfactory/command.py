"""A command of a package: a module, and how it wants to be started."""

from __future__ import annotations

from binfactory.errors import FactoryError
from runtime.fs.names import check_name
from webc_parser.errors import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from binfactory.opened import OpenPackage
    from webc_parser.command import AtomRef, Command

WASI_RUNNER = "https://webc.org/runner/wasi"
WCGI_RUNNER = "https://webc.org/runner/wcgi"
EMSCRIPTEN_RUNNER = "https://webc.org/runner/emscripten"
MODULE_RUNNERS = (WASI_RUNNER, WCGI_RUNNER, EMSCRIPTEN_RUNNER)


class BinaryCommand:
    """A command whose module is found.

    Attributes:
        name: What one types.
        package: Id of the package that declares the command.
        origin_package: Id of the package whose module it runs; differs from `package` when the manifest points at a
            dependency.
        atom_name: The module's name in `origin_package`.
        runner: The runner's URL, e.g. `https://webc.org/runner/wasi`.
        annotations: What the manifest says for its runners, untouched.
        main_args: Arguments that come before those of the caller.
        env: Environment variables for those that the caller does not set.
        exec_name: What the program sees as its own name; `None` for the name it was called by.
        cwd: Where it starts; `None` for where the caller is.
    """

    __slots__ = (
        "_origin",
        "annotations",
        "atom_name",
        "cwd",
        "env",
        "exec_name",
        "main_args",
        "name",
        "origin_package",
        "package",
        "runner",
    )

    def __init__(self, name: str, package: str, origin: OpenPackage, atom_name: str, command: Command) -> None:
        """A command of `package` that runs an atom of `origin`, as the manifest describes it.

        Raises:
            WebcError: an annotation is of the wrong type.
        """
        self._origin = origin
        self.name = name
        self.package = package
        self.origin_package = origin.id
        self.atom_name = atom_name
        self.runner = command.runner
        self.annotations: Mapping[str, object] = command.annotations
        self.main_args: tuple[str, ...] = command.main_args
        self.env: Mapping[str, str] = command.env
        self.exec_name: str | None = command.exec_name
        self.cwd: str | None = command.cwd

    def __repr__(self) -> str:
        return f"<BinaryCommand {self.name} of {self.package}>"

    @property
    def atom(self) -> memoryview:
        """The module's bytes, as they lie in the mapped container.

        Raises:
            FactoryError: they are not there.
        """
        return self._origin.atom(self.atom_name)

    @property
    def atom_offset(self) -> int:
        """Where in the container of `origin` the module's bytes begin."""
        return self._origin.container.atom_offset(self.atom_name)

    @property
    def origin(self) -> OpenPackage:
        """The package whose module it runs."""
        return self._origin

    @property
    def atom_sha256(self) -> str:
        """The module's sha256, in hex: from the manifest if the lock vouches for the container, else computed once."""
        return self._origin.atom_sha256(self.atom_name)

    @property
    def is_hashed(self) -> bool:
        """Whether `atom_sha256` has been asked for before, and takes no time now."""
        return self._origin.is_hashed(self.atom_name)

    @property
    def atom_label(self) -> str:
        """The module's name in messages."""
        return f"{self.origin_package}:{self.atom_name}"

    @property
    def runs_as_program(self) -> bool:
        """Whether its runner starts it as a program: WCGI commands are programs too, started for each request."""
        return self.runner.startswith((WASI_RUNNER, WCGI_RUNNER))


def check_command_name(name: str, where: str) -> None:
    """Refuse a name that cannot be that of a file in `/bin`.

    Args:
        name: What a manifest, a lock or a user calls a command.
        where: What to name in the error.

    Raises:
        FactoryError: it is empty, `.` or `..`, has a slash or a NUL in it, or is too long.
    """
    try:
        check_name(name)
    except OSError:
        raise FactoryError(f"{where}: {name[:100]!r} cannot name a command: it could not be a file in /bin") from None


def is_runnable(command: Command) -> bool:
    """Whether a command has a module at all; others are left out, as nothing here could run them."""
    return command.runner.startswith(MODULE_RUNNERS) or command.atom is not None


def load_command(name: str, owner: OpenPackage, opened: Mapping[str, OpenPackage]) -> BinaryCommand:
    """Find the module of a command.

    The manifest names an atom, and maybe the dependency that holds it. Where a known runner's command names none, the
    atom has the command's name; where there is no such atom and the command has no annotations at all, it is the
    container's first (packages of 2022 have one module and many bare commands).

    Args:
        name: A command of `owner`.
        owner: The package that declares it.
        opened: Every package of the graph, by id.

    Raises:
        FactoryError: the module or its package is not there.
    """
    key = f'{owner.id}: command "{name}"'
    command = owner.command(name)
    try:
        return _load_command(name, command, key, owner, opened)
    except WebcError as error:
        raise FactoryError(f"{key}: {error}") from error


def _load_command(
    name: str, command: Command, key: str, owner: OpenPackage, opened: Mapping[str, OpenPackage]
) -> BinaryCommand:
    reference: AtomRef | None = command.atom
    if reference is None and not is_runnable(command):
        raise FactoryError(f"{key}: nothing here runs its runner {command.runner or '(none)'}")
    atom_name = name if reference is None else reference.name
    origin = owner
    if reference is not None and reference.dependency is not None:
        node = owner.node.dependency(reference.dependency)
        if node is None:
            there = ", ".join(owner.node.dependencies) or "none"
            raise FactoryError(
                f'{key}: its module "{atom_name}" is of the dependency "{reference.dependency}", '
                f"which is not there (dependencies: {there})"
            )
        origin = opened[node.id]
    names = origin.atom_names
    if atom_name not in names:
        if command.annotations or not names:
            raise FactoryError(
                f'{key}: its module "{atom_name}" is not in {origin.id} (atoms: {", ".join(names) or "none"})'
            )
        atom_name = names[0]
    found = BinaryCommand(name, owner.id, origin, atom_name, command)
    texts = (*found.main_args, *found.env, *found.env.values(), found.exec_name or "", found.cwd or "")
    if any("\0" in text for text in texts):
        raise FactoryError(f"{key}: an argument, variable or name in its annotations has a NUL in it")
    return found
