"""A package's container, opened at first use, its failures told in one line that names the package."""

from __future__ import annotations

from _thread import allocate_lock

from binfactory.errors import FactoryError
from binfactory.pinned import NotPinned, open_pinned
from webc_parser.errors import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from binfactory.node import PackageNode
    from webc_parser.command import Command
    from webc_parser.container import Container
    from webc_parser.manifest import Manifest
    from webc_parser.tree import VolumeDirectory


class OpenPackage:
    """A node of the graph with its container behind it."""

    __slots__ = ("_container", "_digests", "_lock", "node")

    def __init__(self, node: PackageNode) -> None:
        self.node = node
        self._container: Container | None = node.container
        self._digests: dict[str, str] = {}
        self._lock = allocate_lock()

    @property
    def id(self) -> str:
        """The package's id."""
        return self.node.id

    @property
    def container(self) -> Container:
        """The container.

        Raises:
            FactoryError: it is not there, or is not a container.
        """
        if self._container is None:
            with self._lock:
                if self._container is None:
                    self._container = self._open()
        return self._container

    @property
    def manifest(self) -> Manifest:
        """The container's manifest."""
        return self.container.manifest

    def command(self, name: str) -> Command:
        """What the manifest says of a command of this package.

        Raises:
            FactoryError: it says nothing.
        """
        try:
            return self.manifest.commands[name]
        except KeyError:
            raise FactoryError(
                f'{self.id}: manifest key commands."{name}" is missing although the lock names it; lock again'
            ) from None

    def atom(self, name: str) -> memoryview:
        """The bytes of an atom, as they lie in the mapped file.

        Raises:
            FactoryError: there is no such atom, or the container was closed.
        """
        try:
            return self.container.atoms[name]
        except KeyError:
            there = ", ".join(self.atom_names) or "none"
            raise FactoryError(f'{self.id}: there is no atom "{name}" (atoms: {there})') from None
        except (ValueError, WebcError) as error:
            raise FactoryError(f'{self.id}: atom "{name}": {error}') from error

    @property
    def atom_names(self) -> tuple[str, ...]:
        """The names of the atoms, in the container's order."""
        return tuple(self.container.atoms)

    def vouched_sha256(self, name: str) -> str | None:
        """The sha256 that the manifest gives for an atom, in hex, when someone vouches for the manifest."""
        if self.node.sha256 is None or (atom := self.manifest.atoms.get(name)) is None:
            return None
        return signature_sha256(atom.signature)

    def atom_sha256(self, name: str) -> str:
        """The sha256 of an atom, in hex; from the manifest where it can be believed, else computed, once."""
        if (digest := self._digests.get(name)) is None:
            digest = self.vouched_sha256(name)
            if digest is None:
                digest = self._computed_sha256(name)
            self._digests[name] = digest
        return digest

    def is_hashed(self, name: str) -> bool:
        """Whether the sha256 of an atom has been asked for before."""
        return name in self._digests

    def _computed_sha256(self, name: str) -> str:
        if self.node.digests is None:
            from hashlib import sha256

            digest = sha256(self.atom(name)).hexdigest()
        else:
            digest = self.node.digests.sha256(self.container.status, name, self.atom(name))
        atom = self.manifest.atoms.get(name)
        if atom is not None and signature_sha256(atom.signature) not in (None, digest):
            raise FactoryError(
                f'{self.id}: atom "{name}" does not match its signature in the manifest; get the package again'
            )
        return digest

    def directory(self, volume: str, path: str) -> VolumeDirectory:
        """A directory of a volume.

        Args:
            volume: The volume's name; one leading slash more or less is forgiven, as generations differ in it.
            path: The directory inside it.

        Raises:
            FactoryError: there is no such volume or no such directory in it.
        """
        from webc_parser.tree import VolumeDirectory

        try:
            volumes = self.container.volumes
            for name in (volume, volume.lstrip("/"), "/" + volume.lstrip("/")):
                if name in volumes:
                    found = volumes[name]
                    break
            else:
                there = ", ".join(volumes) or "none"
                raise FactoryError(f'{self.id}: there is no volume "{volume}" (volumes: {there})')
            directory = found.get(path)
            if not isinstance(directory, VolumeDirectory):
                raise FactoryError(f'{self.id}: volume "{volume}" has no directory "{path}"')
        except WebcError as error:
            raise FactoryError(f'{self.id}: volume "{volume}": {error}') from error
        return directory

    def _open(self) -> Container:
        path = self.node.path
        if path is None:
            raise FactoryError(f"{self.id}: the package is not installed; run: wpm install")
        try:
            if self.node.sha256 is None:
                from webc_parser.container import Container

                return Container.open(path)
            return open_pinned(path, self.node.sha256)
        except (OSError, WebcError) as error:
            raise FactoryError(f"{self.id}: {_reason(error, str(path))}") from error


def _reason(error: Exception, path: str) -> str:
    if isinstance(error, NotPinned):
        return f"{path}: {error.strerror}; run: wpm install"
    if isinstance(error, OSError):
        return f"cannot open {path}: {error.strerror or error}; run: wpm install"
    return str(error)


def signature_sha256(signature: str | None) -> str | None:
    """The sha256 that an atom's signature tells, in hex; `None` when it is not one.

    Args:
        signature: `sha256:` and 32 bytes in base64 (WEBC's metadata) or in hex (what older tools wrote).
    """
    kind, _, value = (signature or "").partition(":")
    if kind != "sha256":
        return None
    if len(value) == 64:
        try:
            return bytes.fromhex(value).hex()
        except ValueError:
            return None
    from binascii import Error, a2b_base64

    try:
        raw = a2b_base64(value, strict_mode=True)
    except (Error, ValueError):
        return None
    return raw.hex() if len(raw) == 32 else None
