"""A package as programs: its commands, its files and its entrypoint, with those of the packages that it uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from binfactory.command import BinaryCommand, check_command_name, is_runnable, load_command
from binfactory.errors import FactoryError
from binfactory.node import Mount
from runtime.fs.names import check_name
from runtime.typed import NamedTuple
from webc_parser.errors import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from binfactory.node import PackageNode
    from binfactory.opened import OpenPackage
    from webc_parser.manifest import Manifest
    from webc_parser.tree import VolumeDirectory

PATH_MAX = 4096


class PackageMount:
    """A directory of some volume, and where the guest sees it.

    Attributes:
        guest_path: Absolute, normal path in the guest.
        package: Id of the package that owns the volume.
        volume: The volume's name.
        source_path: The directory inside the volume.
    """

    __slots__ = ("_origin", "guest_path", "package", "source_path", "volume")

    def __init__(self, guest_path: str, origin: OpenPackage, volume: str, source_path: str) -> None:
        self._origin = origin
        self.guest_path = guest_path
        self.package = origin.id
        self.volume = volume
        self.source_path = source_path

    def __repr__(self) -> str:
        return f"<PackageMount {self.volume}:{self.source_path} of {self.package} at {self.guest_path}>"

    @property
    def origin(self) -> OpenPackage:
        """The package that owns the volume."""
        return self._origin

    @property
    def directory(self) -> VolumeDirectory:
        """The directory itself; opens the container.

        Raises:
            FactoryError: the volume or the directory is not there.
        """
        return self._origin.directory(self.volume, self.source_path)

    @property
    def is_vouched(self) -> bool:
        """Whether the lock vouches for the container, so that it need not be looked into before it is used."""
        return self._origin.node.sha256 is not None


class CommandMap(Mapping[str, BinaryCommand]):
    """Commands by name, each looked up in its package when it is asked for.

    Args:
        packages: Whose commands these are; where two have the same name, the first has it.
        opened: Every package of the graph, by id: where modules are.
    """

    def __init__(self, packages: Iterable[OpenPackage], opened: Mapping[str, OpenPackage]) -> None:
        self._packages = tuple(packages)
        self._opened = opened
        self._found: dict[str, BinaryCommand] = {}

    @cached_property
    def _owners(self) -> dict[str, OpenPackage]:
        owners: dict[str, OpenPackage] = {}
        for package in self._packages:
            for name in command_names(package):
                check_command_name(name, package.id)
                owners.setdefault(name, package)
        return owners

    def __getitem__(self, name: str) -> BinaryCommand:
        if (found := self._found.get(name)) is None:
            found = self._found[name] = load_command(name, self._owners[name], self._opened)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._owners

    def __iter__(self) -> Iterator[str]:
        return iter(self._owners)

    def __len__(self) -> int:
        return len(self._owners)

    def is_vouched(self, name: str) -> bool:
        """Whether the lock vouches for the package of a command, so that it need not be looked into beforehand."""
        return self._owners[name].node.sha256 is not None


class PackagePart(NamedTuple):
    """What one package of a graph brings itself, without those that it uses.

    Attributes:
        node: The package as it was handed to the factory.
        mounts: Where the guest sees its files; the first at a path wins.
        commands: The commands that it declares; their modules may be of packages that it uses.
    """

    node: PackageNode
    mounts: tuple[PackageMount, ...]
    commands: Mapping[str, BinaryCommand]


class BinaryPackage:
    """A package that can be used: `load_package` makes it.

    Attributes:
        id: The package's id.
        package_ids: This package and every one that it uses, dependents before their dependencies.
        commands: The package's commands and those of the packages that it uses; where two bring the same name, the
            first in `package_ids` wins. A command is looked up, and its container opened, when it is asked for.
    """

    def __init__(self, packages: Sequence[OpenPackage]) -> None:
        self._packages = {package.id: package for package in packages}
        self._root = packages[0]
        self.id = self._root.id
        self.package_ids: tuple[str, ...] = tuple(self._packages)
        self.commands = CommandMap(packages, self._packages)

    def __repr__(self) -> str:
        return f"<BinaryPackage {self.id}>"

    @property
    def uses(self) -> tuple[str, ...]:
        """Ids of the packages that come with this one, nearest first."""
        return self.package_ids[1:]

    def part(self, package_id: str) -> PackagePart:
        """What one of the packages brings by itself.

        Args:
            package_id: One of `package_ids`.

        Raises:
            FactoryError: a mapping names a dependency that is not there, or a path that is not absolute.
        """
        package = self._packages[package_id]
        return PackagePart(package.node, tuple(self._mounts_of(package)), CommandMap([package], self._packages))

    @cached_property
    def own_commands(self) -> tuple[str, ...]:
        """The names of the commands that the package itself declares."""
        return tuple(command_names(self._root))

    @cached_property
    def mounts(self) -> tuple[PackageMount, ...]:
        """Where the guest sees the files of this package and of those that it uses; the first at a path wins.

        Raises:
            FactoryError: a mapping names a dependency that is not there, or a path that is not absolute.
        """
        return tuple(mount for package in self._packages.values() for mount in self._mounts_of(package))

    @cached_property
    def entrypoint(self) -> str | None:
        """The command to run when none is named.

        The package's own choice, or else that of the nearest used package that has one, or else the package's only
        command.
        """
        for package in self._packages.values():
            if (name := package.manifest.entrypoint) is not None:
                return name
        return self.own_commands[0] if len(self.own_commands) == 1 else None

    @cached_property
    def hash(self) -> str:
        """Hex sha256 of the entrypoint's module; of the id where there is no entrypoint."""
        if self.entrypoint in self.commands and self.entrypoint is not None:
            return self.commands[self.entrypoint].atom_sha256
        from hashlib import sha256

        return sha256(self.id.encode()).hexdigest()

    def command(self, name: str) -> BinaryCommand:
        """A command by its name.

        Raises:
            FactoryError: there is no such command, or its module is not there.
        """
        if name not in self.commands:
            raise FactoryError(f'{self.id}: there is no command "{name}" ({self._choices()})')
        return self.commands[name]

    def entrypoint_command(self) -> BinaryCommand:
        """The command to run when none is named.

        Raises:
            FactoryError: the package has no command, or several and no entrypoint, or its entrypoint is not there.
        """
        # Only the root is asked first: a package that says what to run does not open those that it uses.
        if self.entrypoint is not None:
            return self.command(self.entrypoint)
        match tuple(self.commands):
            case ():
                raise FactoryError(f"{self.id}: the package has no commands; it can be used, not run")
            case (only,):
                return self.commands[only]
            case _:
                raise FactoryError(f"{self.id}: the package has no entrypoint; choose a command ({self._choices()})")

    def command_called(self, name: str) -> BinaryCommand:
        """The command that a container started as `name` runs: the one so called, or else the entrypoint.

        Raises:
            FactoryError: as `entrypoint_command`.
        """
        return self.commands[name] if name in self.commands else self.entrypoint_command()

    def _choices(self) -> str:
        names = sorted(self.commands)
        shown = ", ".join(names[:20]) + (f", and {len(names) - 20} more" if len(names) > 20 else "")
        return f"commands: {shown or 'none'}"

    def _mounts_of(self, package: OpenPackage) -> Iterator[PackageMount]:
        rows = package.node.mounts if package.node.sha256 is not None else None
        for row in manifest_mounts(package.manifest) if rows is None else rows:
            key = f'{package.id}: mount "{row.guest_path}"'
            origin = package
            if row.dependency is not None:
                node = package.node.dependency(row.dependency)
                if node is None:
                    there = ", ".join(package.node.dependencies) or "none"
                    raise FactoryError(
                        f'{key}: its volume is of the dependency "{row.dependency}", '
                        f"which is not there (dependencies: {there})"
                    )
                origin = self._packages[node.id]
            yield PackageMount(normal_path(row.guest_path, key), origin, row.volume, row.source_path)


def command_names(package: OpenPackage) -> Sequence[str]:
    """The names of a package's own commands that can run; from the lock where it knows them and vouches for them."""
    if package.node.commands is not None and package.node.sha256 is not None:
        return package.node.commands
    try:
        return runnable_names(package.manifest)
    except WebcError as error:
        raise FactoryError(f"{package.id}: {error}") from error


def runnable_names(manifest: Manifest) -> list[str]:
    """The names of the commands of a manifest that can run; raises `WebcError` where one is not what it should be."""
    return [name for name, command in manifest.commands.items() if is_runnable(command)]


def manifest_mounts(manifest: Manifest) -> tuple[Mount, ...]:
    """The `fs` table of a manifest; that of a package older than the table shows all its files at `/`."""
    return tuple(
        Mount(row.mount_path, row.volume_name, row.host_path or "/", row.from_dependency) for row in manifest.filesystem
    )


def normal_path(path: str, key: str) -> str:
    """A guest path, absolute and without empty or `.` parts.

    Args:
        path: As the manifest has it; a missing first slash is forgiven.
        key: What to name in the error.

    Raises:
        FactoryError: it has `..` or a NUL in it, or is too long.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    try:
        if len(path) > PATH_MAX:
            raise OSError
        for part in parts:
            check_name(part)
    except OSError:
        raise FactoryError(f"{key}: {path[:100]!r} is not a path below the root") from None
    return "/" + "/".join(parts)
