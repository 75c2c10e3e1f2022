"""Images, to be awaited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from pkgmgr.library.aio.environment import Environment
from pkgmgr.library.aio.process import Process, run_to_end, started
from pkgmgr.library.aio.waiting import in_thread
from pkgmgr.library.image import Image as Waiting
from pkgmgr.library.image import ImageFile
from pkgmgr.library.stdio import DEFAULT_LIMIT

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pkgmgr.library.completed import Completed
    from pkgmgr.library.image import Compression
    from pkgmgr.library.package import PackageSource
    from pkgmgr.library.stdio import ErrorOutput, Input, Output
    from pkgmgr.library.volume import Volume
    from pkgmgr.rootfs.flattening import Conflict


class Image:
    """A root filesystem in layers, and how it wants to be run: `Image.build`, `Image.open` and `Image.pull` make it.

    Args:
        waiting: The same for programs that do not await.
    """

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def __repr__(self) -> str:
        return repr(self._waiting)

    @classmethod
    async def build(
        cls,
        *packages: PackageSource | Environment,
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
        parts = [part._waiting if isinstance(part, Environment) else part for part in packages]
        work = partial(
            Waiting.build,
            *parts,
            copy=copy,
            env=env,
            entrypoint=entrypoint,
            command=command,
            cwd=cwd,
            user=user,
            labels=labels,
            strict=strict,
            registry=registry,
            offline=offline,
        )
        return cls(await in_thread(work))

    @classmethod
    async def open(cls, place: str | os.PathLike[str]) -> Image:
        """Open an image.

        Args:
            place: A directory (a root filesystem, or an OCI layout, of which `PATH:TAG` chooses one image), a tar,
                compressed or not, a `.webc`, or `oci://HOST/NAME:TAG`.

        Raises:
            WpmError: There is none, or it is damaged or not allowed.
        """
        return cls(await in_thread(partial(Waiting.open, place)))

    @classmethod
    async def pull(cls, reference: str) -> Image:
        """Fetch an image of an OCI registry.

        Args:
            reference: `HOST/NAME:TAG` or `HOST/NAME@DIGEST`, with or without `oci://`.

        Raises:
            WpmError: It cannot be had.
        """
        return cls(await in_thread(partial(Waiting.pull, reference)))

    async def push(self, reference: str, *, tags: Sequence[str] = ()) -> str:
        """Send it to an OCI registry.

        Args:
            reference: `HOST/NAME:TAG`, with or without `oci://`.
            tags: More tags for it.

        Returns:
            The digest by which it can be had from now on, `sha256:HEX`.

        Raises:
            WpmError: The registry cannot be asked, or does not take it.
        """
        return await in_thread(partial(self._waiting.push, reference, tags=tags))

    @property
    def layers(self) -> tuple[str, ...]:
        """What its layers are of, the lowest first: ids of packages, `base`, `files`, `settings`."""
        return self._waiting.layers

    @property
    def env(self) -> dict[str, str]:
        """The variables with which it wants to be run."""
        return self._waiting.env

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """What it wants to run, its path first, with its arguments; empty where that is open."""
        return self._waiting.entrypoint

    @property
    def labels(self) -> dict[str, str]:
        """Its names with texts."""
        return self._waiting.labels

    async def conflicts(self) -> tuple[Conflict, ...]:
        """Where a package hides a file of another one that differs."""
        return await in_thread(lambda: self._waiting.conflicts)

    async def digest(self) -> str:
        """What tells its tree from every other: the sha256 of the tar that `write_tar` writes, as `sha256:HEX`."""
        return await in_thread(lambda: self._waiting.digest)

    async def files(self) -> list[ImageFile]:
        """Every name that somebody sees who runs it, ordered by path."""
        return await in_thread(partial(self._waiting.files))

    async def read(self, path: str) -> bytes:
        """The bytes of a file.

        Args:
            path: From the root; links are not followed.

        Raises:
            WpmError: There is none.
        """
        return await in_thread(partial(self._waiting.read, path))

    async def write_directory(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write its tree.

        Args:
            path: The directory.
            force: Whether it takes the place of what is there.

        Returns:
            The directory.

        Raises:
            WpmError: There is something already, or it cannot be written.
        """
        return await in_thread(partial(self._waiting.write_directory, path, force=force))

    async def write_tar(
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
        return await in_thread(partial(self._waiting.write_tar, target, compression=compression, force=force))

    async def write_oci(
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
        return await in_thread(partial(self._waiting.write_oci, path, tag=tag, compression=compression, force=force))

    async def write_webc(self, path: str | os.PathLike[str], *, name: str | None = None, force: bool = False) -> str:
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
        return await in_thread(partial(self._waiting.write_webc, path, name=name, force=force))

    async def run(
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
        """Run a command with the image as its root, to its end. To cancel this ends the guest.

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
        return await run_to_end(
            partial(
                self._waiting._begin,
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
            ),
            check=check,
        )

    async def spawn(
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
                volumes=volumes,
                network=network,
                timeout=timeout,
                memory=memory,
                output_limit=output_limit,
            )
        )
