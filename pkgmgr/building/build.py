"""`build_package`: a directory with a `wasmer.toml` becomes a WEBC file.

The result is what `wasmer package build` makes: an atom for each module, a volume for each mapped path, the readme, the
license and the interface definitions in the volume `metadata`. The same package gives the same bytes, on any machine:
every file bears the time of `SOURCE_DATE_EPOCH`, or 1970, and the modes and the order of files play no part.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.building import contents
from pkgmgr.building.tarball import extract_tarball, is_tarball
from pkgmgr.building.webc_manifest import webc_manifest
from pkgmgr.errors import WpmError
from pkgmgr.manifest import MANIFEST_NAMES, find_manifest, load_manifest
from webc_parser.errors import WebcError
from webc_parser.version import MAGIC, Version

if TYPE_CHECKING:
    from pkgmgr.manifest import ProjectManifest


@dataclass(frozen=True, slots=True)
class BuiltPackage:
    """A package that was packed."""

    path: Path
    sha256: str
    """Of the whole file, in hexadecimal."""
    size: int
    """In bytes."""
    version: Version
    manifest: ProjectManifest
    warnings: tuple[str, ...]
    """What is odd in the manifest and was packed nevertheless, one line each."""


def build_package(directory: Path, output: Path | None = None, *, version: Version = Version.V3) -> BuiltPackage:
    """Pack a package.

    Args:
        directory: A directory with a `wasmer.toml` or `wapm.toml`, such a file itself, or a `.tar.gz` of a directory.
        output: The file to write, replaced in one step when it exists; a directory gets a file with the default name,
            and so does the current directory when nothing is given: `NAMESPACE-NAME-VERSION.webc`, with the file's
            sha256 for what the package does not say.
        version: Of the container format, 2 or 3.

    Raises:
        WpmError: The manifest is wrong, or a file is missing, leads out of the package or cannot be packed.
        OSError: The output cannot be written.
    """
    if not directory.is_file() or not is_tarball(directory):
        if is_container(directory):
            raise WpmError(f"{directory}: is a package already: see what is in it with wpm inspect, or wpm unpack it")
        return _build(load_manifest(directory), output, version, ignore=True)
    with tempfile.TemporaryDirectory(prefix="wpm-build-") as folder:
        extract_tarball(directory, Path(folder))
        if find_manifest(Path(folder)) is None:
            raise WpmError(f"{directory}: has no {' or '.join(MANIFEST_NAMES)} at its top: is it a package?")
        try:
            return _build(load_manifest(Path(folder)), output, version, ignore=False)
        except WpmError as error:
            # The folder will be gone: what is wrong, is wrong in the archive.
            raise WpmError(str(error).replace(folder, str(directory))) from None


def is_container(path: Path) -> bool:
    """Whether a path is a file that begins as a WEBC does."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _build(manifest: ProjectManifest, output: Path | None, version: Version, *, ignore: bool) -> BuiltPackage:
    from webc_parser.writer import write_container

    warnings = list(manifest.warnings)
    described = webc_manifest(manifest, partial(contents.read_text, manifest), warnings)
    target, is_final = _target(manifest, output)
    atoms = contents.atoms(manifest)
    skip = [target.parent.resolve() / target.name]
    volumes = contents.volumes(manifest, ignore=ignore, links=version is Version.V3, skip=skip)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_container(target, manifest=described, atoms=atoms, volumes=volumes, version=version)
        with target.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
            size = os.fstat(file.fileno()).st_size
        if not is_final:
            target = target.replace(target.parent / _default_name(manifest, sha256))
    except WebcError as error:
        raise WpmError(f"{manifest.path}: {error}") from None
    return BuiltPackage(target, sha256, size, version, manifest, tuple(warnings))


def _target(manifest: ProjectManifest, output: Path | None) -> tuple[Path, bool]:
    """Where to write, and whether that is the file's last name: one with a hash in it is known only afterwards."""
    if output is not None and not output.is_dir():
        if output.exists() and not output.is_file():
            raise WpmError(f"{output}: is not a regular file: name a file to write the package to")
        return output, True
    folder = output if output is not None else Path()
    if manifest.name is not None and manifest.version is not None:
        return folder / _default_name(manifest, ""), True
    return folder / f".{os.urandom(8).hex()}.webc", False


def _default_name(manifest: ProjectManifest, sha256: str) -> str:
    parts = [manifest.name.replace("/", "-")] if manifest.name is not None else []
    parts.append(manifest.version if manifest.name is not None and manifest.version is not None else sha256)
    return "-".join(parts) + ".webc"
