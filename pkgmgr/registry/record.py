"""What is known of one file of a directory registry: its hash, its manifest and its summary, read together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from pkgmgr.summary import PackageSummary
    from pkgmgr.version import Version

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class PackageRecord:
    """One version's file.

    Attributes:
        mtime_ns: When the file was last written, in nanoseconds: with its size it tells whether this is still true.
        webc: The version of the container format: `v1`, `v2` or `v3`.
        manifest: The container's manifest as JSON; bytes in it are arrays of numbers.
        summary: What resolution needs.
    """

    mtime_ns: int
    webc: str
    manifest: str
    summary: PackageSummary

    def describes(self, status: os.stat_result) -> bool:
        """Whether this is about the file with this size and time."""
        return status.st_size == self.summary.size and status.st_mtime_ns == self.mtime_ns


def read_record(path: Path, source: str, name: str = "", version: Version | None = None) -> PackageRecord:
    """Read everything from the file itself.

    Args:
        path: The file.
        source: Where it comes from, as a lock writes it.
        name: Its name where the place that it lies in gives it one; the manifest must not say otherwise.
        version: Its version, likewise.

    Raises:
        WpmError: It cannot be read, is no package, is another package, or is being written all the time.
    """
    from pkgmgr.summary import summarize
    from webc_parser import Container, WebcError

    for _ in range(_TRIES):
        try:
            before = path.stat()
            summary = summarize(path, source, name=name, version=version)
            with Container.open(path) as container:
                webc, manifest = str(container.version), manifest_json(container.manifest.raw)
            after = path.stat()
        except OSError as error:
            raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
        except WebcError as error:
            raise WpmError(f"{path}: {error}") from None
        if (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns):
            return PackageRecord(after.st_mtime_ns, webc, manifest, replace(summary, size=after.st_size))
    raise WpmError(f"{path}: is written while it is read: try again")


def manifest_json(raw: object) -> str:
    """A container's manifest as JSON.

    Raises:
        WpmError: It holds what JSON cannot say.
    """
    try:
        return json.dumps(raw, default=_as_json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise WpmError(f"its manifest cannot be written as JSON: {error}") from None


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return list(value)
    raise TypeError(f"a value of the type {type(value).__name__}")
