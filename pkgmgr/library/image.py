"""Images: root filesystems made of packages, and how they want to be run."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from pkgmgr.errors import WpmError
from pkgmgr.library.environment import Environment
from pkgmgr.library.failures import converted
from pkgmgr.library.image_running import start_in_image
from pkgmgr.library.launching import Given
from pkgmgr.library.load_silence import quietly
from pkgmgr.library.package import load_packages
from pkgmgr.library.stdio import DEFAULT_LIMIT, captured, spawned
from pkgmgr.rootfs.building import BuildOptions, build_image, unintended
from pkgmgr.rootfs.copied_layer import Copy
from pkgmgr.rootfs.entry import Kind
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.opening import OCI, open_image
from pkgmgr.rootfs.writing import Output as Format
from pkgmgr.rootfs.writing import chosen_format, write_image, write_tar_to
from pkgmgr.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkgmgr.library.completed import Completed
    from pkgmgr.library.package import Package, PackageSource
    from pkgmgr.library.process import Process
    from pkgmgr.library.stdio import ErrorOutput, Input, Output
    from pkgmgr.library.volume import Volume
    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.rootfs.flattening import Conflict, Flattened
    from pkgmgr.rootfs.image import RootfsImage
    from runtime.fs.node import FileSystem

Compression = Literal["none", "gzip", "zstd"]
"""How an archive or its layers are compressed."""
ImagePart: TypeAlias = "PackageSource | Environment"
"""What an image is built of: what `Package.load` takes, or an environment."""

_TAG = "pushed"
_KINDS: dict[Kind, Literal["file", "directory", "symlink"]] = {Kind.DIRECTORY: "directory", Kind.SYMLINK: "symlink"}


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One name of an image.

    Attributes:
        path: From the root, without a slash at its start.
        kind: `file`, `directory` or `symlink`.
        mode: The permission bits, as of chmod(2).
        size: Of a file, in bytes; else 0.
        modified: When it was last modified, in whole seconds since the epoch.
        target: Of a symbolic link what it says; of a further name of a file the first one; else empty.
        uid: The owner's number.
        gid: The group's number.
    """

    path: str
    kind: Literal["file", "directory", "symlink"]
    mode: int
    size: int
    modified: int
    target: str
    uid: int
    gid: int


class Image:
    """A root filesystem in layers, and how it wants to be run: `Image.build`, `Image.open` and `Image.pull` make it.

    The same packages and arguments give the same image, byte for byte, wherever and whenever it is built.

    Args:
        image: The image as the package manager has it.
        label: What to call it in errors.
    """

    def __init__(self, image: RootfsImage, label: str) -> None:
        self._image = image
        self._label = label

    def __repr__(self) -> str:
        return f"<Image {self._label}>"

    @classmethod
    def build(
        cls,
        *packages: ImagePart,
        copy: Mapping[str, str | os.PathLike[str]] | None = None,
        env: Mapping[str, str] | None = None,
        entrypoint: Sequence[str] | None = None,
        command: Sequence[str] = (),
        cwd: str = "",
        user: str = "",
        labels: Mapping[str, str] | None = None,
        strict: bool = False,
        registry: str | None = None,
        offline: bool = False,
    ) -> Image:
        """Build an image: a layer for each package, those that are named later over those before.

        Args:
            packages: What `Package.load` takes, or environments.
            copy: For absolute paths in the image the files and directories of the host that go there: of a directory what is
                in it; a file under its own name where the path ends in a slash.
            env: Variables; over those of the command that the image runs.
            entrypoint: What runs, its path first; None is what the last package runs.
            command: The arguments behind it, which whoever runs the image may replace.
            cwd: The working directory; empty for that of the command that the image runs.
            user: Who runs it, as `UID`, `UID:GID` or a name.
            labels: Names with texts.
            strict: Whether it is an error that a package hides files of another (`Image.conflicts`).
            registry: The registry for names without one of their own in the configuration: a directory or a URL.
            offline: Never use the network.

        Raises:
            WpmError: A package cannot be had, a file cannot be read, or `strict` forbids what is hidden.
        """
        if isinstance(entrypoint, str) or isinstance(command, str):
            raise WpmError("entrypoint and command: expected words in a list, not a text")
        loaded: list[Package] = []
        for part in packages:
            if isinstance(part, Environment):
                loaded += part.packages
            else:
                loaded += load_packages([part], registry=registry, offline=offline)
        options = BuildOptions(
            copies=tuple(_copy(guest, host) for guest, host in (copy or {}).items()),
            env=dict(env or {}),
            entrypoint=None if entrypoint is None else tuple(entrypoint),
            command=tuple(command),
            cwd=cwd,
            user=user,
            labels=dict(labels or {}),
        )
        with converted:
            image = cls(build_image([package._binary for package in loaded], options, Store.default()), "the image")
        if strict and (hidden := image.conflicts):
            first = hidden[0]
            more = f" (and {len(hidden) - 1} more)" if len(hidden) > 1 else ""
            raise WpmError(f"{first.path}: of {first.hidden} is hidden by {first.seen}{more}, and strict forbids that")
        return image

    @classmethod
    def open(cls, place: str | os.PathLike[str]) -> Image:
        """Open an image.

        Args:
            place: A directory (a root filesystem, or an OCI layout, of which `PATH:TAG` chooses one image), a tar,
                compressed or not, a `.webc`, or `oci://HOST/NAME:TAG`.

        Raises:
            WpmError: There is none, or it is damaged or not allowed.
        """
        text = os.fspath(place)
        with converted, quietly():
            return cls(open_image(text if isinstance(place, str) else Path(text), warn=_ignored), text)

    @classmethod
    def pull(cls, reference: str) -> Image:
        """Fetch an image of an OCI registry.

        Args:
            reference: `HOST/NAME:TAG` or `HOST/NAME@DIGEST`, with or without `oci://`.

        Raises:
            WpmError: It cannot be had.
        """
        return cls.open(reference if reference.startswith(OCI) else OCI + reference)

    def push(self, reference: str, *, tags: Sequence[str] = ()) -> str:
        """Send it to an OCI registry.

        Args:
            reference: `HOST/NAME:TAG`, with or without `oci://`.
            tags: More tags for it.

        Returns:
            The digest by which it can be had from now on, `sha256:HEX`.

        Raises:
            WpmError: The registry cannot be asked, or does not take it.
        """
        from pkgmgr.oci.push import layout_contents, push
        from pkgmgr.oci.reference import parse_typed

        with converted, quietly(), tempfile.TemporaryDirectory(prefix="wpm-push-") as folder:
            target = parse_typed(reference)
            layout = Path(folder) / "layout"
            self.write_oci(layout, tag=_TAG)
            return push(layout_contents(layout, _TAG), target, tags=tags).digest

    @property
    def layers(self) -> tuple[str, ...]:
        """What its layers are of, the lowest first: ids of packages, `base`, `files`, `settings`."""
        return tuple(layer.title for layer in self._image.layers)

    @property
    def env(self) -> dict[str, str]:
        """The variables with which it wants to be run."""
        return dict(self._image.config.env)

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """What it wants to run, its path first, with its arguments; empty where that is open."""
        return (*self._image.config.entrypoint, *self._image.config.command)

    @property
    def labels(self) -> dict[str, str]:
        """Its names with texts."""
        return dict(self._image.config.labels)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Where a package hides a file of another one that differs."""
        return tuple(unintended(self._flat.conflicts))

    @cached_property
    def digest(self) -> str:
        """What tells its tree from every other: the sha256 of the tar that `write_tar` writes, as `sha256:HEX`."""
        with converted:
            descriptor = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            try:
                return write_tar_to(self._flat.entries, descriptor, "none").digest or ""
            finally:
                os.close(descriptor)

    def files(self) -> list[ImageFile]:
        """Every name that somebody sees who runs it, ordered by path."""
        return [_file(entry) for entry in self._flat.entries]

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Args:
            path: From the root; links are not followed.

        Raises:
            WpmError: There is none.
        """
        wanted = path.strip("/")
        with converted:
            entries = {entry.path: entry for entry in self._flat.entries}
            entry = entries.get(wanted)
            if entry is not None and entry.kind is Kind.HARD_LINK:
                entry = entries.get(entry.target)
            if entry is None or entry.kind is not Kind.FILE:
                raise WpmError(f"{self._label}: {path}: there is no such file")
            return b"".join(entry.pieces())

    def write_directory(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write its tree.

        Args:
            path: The directory.
            force: Whether it takes the place of what is there.

        Returns:
            The directory.

        Raises:
            WpmError: There is something already, or it cannot be written.
        """
        self._write(path, Format("dir", force=force))
        return Path(path)

    def write_tar(
        self,
        target: str | os.PathLike[str] | BinaryIO,
        *,
        compression: Compression | None = None,
        force: bool = False,
    ) -> str:
        """Write its tree as an archive.

        Args:
            target: The file, or a file or pipe that is open, with a descriptor.
            compression: How it is compressed; None is what the file's ending says, else not at all.
            force: Whether it takes the place of what is there.

        Returns:
            The sha256 of the archive, as `sha256:HEX`.

        Raises:
            WpmError: There is something already, or it cannot be written.
        """
        if isinstance(target, str | os.PathLike):
            with converted:
                _, chosen = chosen_format(Path(target), "tar", compression)
            return self._write(target, Format("tar", chosen, force)) or ""
        with converted:
            target.flush()
            return write_tar_to(self._flat.entries, target.fileno(), compression or "none").digest or ""

    def write_oci(
        self,
        path: str | os.PathLike[str],
        *,
        tag: str | None = None,
        compression: Compression = "gzip",
        force: bool = False,
    ) -> str:
        """Write it as an OCI image layout, or add it to one that is there, with which it shares layers.

        Args:
            path: The layout's directory.
            tag: What the image is called in it; needed to add it to a layout.
            compression: How the layers are compressed.
            force: Whether the layout is made anew.

        Returns:
            The digest of the image's manifest, as `sha256:HEX`.

        Raises:
            WpmError: There is something else already, or it cannot be written.
        """
        return self._write(path, Format("oci", compression, force, tag)) or ""

    def write_webc(self, path: str | os.PathLike[str], *, name: str | None = None, force: bool = False) -> str:
        """Write it as a package.

        Args:
            path: The file.
            name: What the package is called, as `NAMESPACE/NAME@VERSION`; None leaves it without a name.
            force: Whether it takes the place of what is there.

        Returns:
            The sha256 of the file, as `sha256:HEX`.

        Raises:
            WpmError: There is something already, or it cannot be a package.
        """
        return self._write(path, Format("webc", force=force, name=name)) or ""

    def run(
        self,
        command: str | None = None,
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
        """Run a command with the image as its root, to its end. What it writes is gone with it.

        Args:
            command: Its path, or a name that is looked for along the image's `PATH`; None is what the image wants to run.
            args: Its arguments; those of what the image wants to run are replaced.
            input: What it reads; text is encoded as UTF-8. None is nothing.
            env: Variables beside those of the image.
            cwd: Its working directory.
            volumes: Directories of the host that it sees.
            network: What of the network it may use.
            timeout: The longest that it may run, in seconds.
            memory: The most bytes of memory for each of its processes.
            output_limit: How many bytes of each output are kept; None keeps all.
            check: Whether to raise where it does not succeed.

        Returns:
            How it ended, and what it has written.

        Raises:
            ProcessFailed: It has not succeeded, and `check` asks for that.
            WpmError: It cannot be found or run.
        """
        with self._begin(
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
        ) as process:
            return process.wait(check=check)

    def _begin(
        self,
        command: str | None = None,
        *args: str,
        input: bytes | str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        volumes: Sequence[Volume] = (),
        network: str | None = None,
        timeout: float | None = None,
        memory: int | None = None,
        output_limit: int | None = DEFAULT_LIMIT,
    ) -> Process:
        """As `run`, without waiting."""
        given = Given(env, cwd, volumes, network, timeout, memory)
        streams = partial(captured, data=input, limit=output_limit)
        return start_in_image(self._image, self._lower, self._label, command, args, given, streams)

    def spawn(
        self,
        command: str | None = None,
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
        """Start a command with the image as its root, and let it run.

        Args:
            command: As for `run`.
            args: Its arguments.
            stdin: What it reads: `"pipe"`, `"null"` or `"inherit"`, as for `Environment.spawn`.
            stdout: Where it writes: `"pipe"`, `"capture"`, `"null"` or `"inherit"`.
            stderr: The same for standard error, or `"stdout"`.
            terminal: Whether its standard streams are a terminal of its own.
            size: Columns and rows of that terminal.
            env: Variables beside those of the image.
            cwd: Its working directory.
            volumes: Directories of the host that it sees.
            network: What of the network it may use.
            timeout: The longest that it may run, in seconds.
            memory: The most bytes of memory for each of its processes.
            output_limit: How many bytes of each captured output are kept; None keeps all.

        Returns:
            The running guest.

        Raises:
            WpmError: It cannot be found or run.
        """
        given = Given(env, cwd, volumes, network, timeout, memory)
        streams = spawned(terminal=terminal, size=size, stdin=stdin, stdout=stdout, stderr=stderr, limit=output_limit)
        return start_in_image(self._image, self._lower, self._label, command, args, given, streams)

    @cached_property
    def _flat(self) -> Flattened:
        with converted:
            return flatten(self._image.layers)

    @cached_property
    def _lower(self) -> FileSystem:
        from pkgmgr.library.image_running import lower_of

        with converted:
            return lower_of(self._image, self._label)

    def _write(self, path: str | os.PathLike[str], output: Format) -> str | None:
        with converted:
            return write_image(self._image, self._flat.entries, Path(path), output).digest


def _copy(guest: str, host: str | os.PathLike[str]) -> Copy:
    parts = [part for part in guest.split("/") if part not in ("", ".")]
    if not guest.startswith("/") or ".." in parts:
        raise WpmError(f"copy: {guest!r} is not an absolute path of the image without ..")
    return Copy(Path(host).expanduser(), "/".join(parts) + ("/" if parts and guest.endswith("/") else ""))


def _file(entry: Entry) -> ImageFile:
    kind = _KINDS.get(entry.kind, "file")
    return ImageFile(entry.path, kind, entry.mode, entry.size, entry.mtime, entry.target, entry.uid, entry.gid)


def _ignored(warning: str) -> None:
    """What is left out of a directory that is opened (a device, say) is not in `Image.files`."""
