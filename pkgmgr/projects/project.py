"""A project: a directory with a `wasmer.toml`, and beside it what it was resolved to."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import FILE_NAME, Lockfile, read_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pkgmgr.manifest import ProjectManifest


class Project:
    """A manifest and its lock.

    Args:
        manifest: The project's manifest; its directory is the project's.
    """

    def __init__(self, manifest: ProjectManifest) -> None:
        self.manifest = manifest
        self.root: Path = manifest.directory
        self.lock_path: Path = self.root / FILE_NAME

    @classmethod
    def find(cls, start: Path | None = None) -> Project | None:
        """The project that a directory (the current one) is in: the nearest manifest upwards; None where there is none.

        Raises:
            WpmError: The manifest is wrong.
        """
        from pkgmgr.manifest import find_manifest, load_manifest

        folder = (start or Path.cwd()).absolute()
        for candidate in (folder, *folder.parents):
            if (manifest := find_manifest(candidate)) is not None:
                return cls(load_manifest(manifest))
        return None

    @classmethod
    def open(cls, path: Path | None = None) -> Project:
        """The project that a directory (the current one) is in, or whose manifest the path is.

        Raises:
            WpmError: There is none, or its manifest is wrong.
        """
        if path is not None and path.is_file():
            from pkgmgr.manifest import load_manifest

            return cls(load_manifest(path.absolute()))
        project = cls.find(path)
        if project is None:
            raise WpmError(
                f"{path or Path.cwd()}: there is no wasmer.toml here or in a directory above: wpm init writes one"
            )
        return project

    @cached_property
    def lock(self) -> Lockfile | None:
        """The project's lock as it was when it was first asked for; None where there is none."""
        return read_lock(self.lock_path)

    def forget_lock(self) -> None:
        """Take the project as one without a lock: to write a new one in the place of one that cannot be read."""
        self.__dict__["lock"] = None
