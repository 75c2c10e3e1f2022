"""Images of small packages, in every format, and guests run in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from binfactory.loader import load_package
from pkgmgr.installing.options import InstallOptions
from pkgmgr.rootfs.building import BuildOptions, build_image
from pkgmgr.rootfs.executing import RootKind, start_image
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.opening import open_image
from pkgmgr.rootfs.writing import Output, write_image
from pkgmgr.running.closure import file_node
from pkgmgr.running.program import RunOptions
from pkgmgr.store import Store
from webc_parser.source import FileSource, SymlinkSource
from webc_parser.writer import write_container

if TYPE_CHECKING:
    import pytest

    from binfactory.package import BinaryPackage
    from pkgmgr.rootfs.image import RootfsImage

sys.path.insert(0, str(Path(__file__).parents[1] / "binfactory"))

from factory_packages import ECHO_ARGUMENTS, ECHO_ENVIRONMENT, command, module

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "registry_fixtures" / "packages" / "wpm"
FORMATS = ("dir", "tar", "tar.gz", "tar.zst", "oci", "webc")
_COMPRESSIONS = {"tar.gz": "gzip", "tar.zst": "zstd", "oci": "gzip"}


def store() -> Store:
    return Store.default()


def package_of(path: Path) -> BinaryPackage:
    return load_package(file_node(path, store(), InstallOptions(offline=True)))


def shell() -> BinaryPackage:
    return package_of(FIXTURES / "sh" / "1.0.0.webc")


def coreutils() -> BinaryPackage:
    return package_of(FIXTURES / "coreutils" / "1.0.0.webc")


def echoes(folder: Path) -> BinaryPackage:
    """A package whose commands write their arguments and variables, with settings of their own."""
    path = folder / "echoes.webc"
    commands: dict[str, Any] = {
        "plain": command("args"),
        "greet": command("args", main_args=["hello", "dear"], exec_name="greeter"),
        "vars": command("vars", env=["COLOUR=blue", "SIZE=3"]),
        "placed": command("vars", cwd="/work"),
    }
    manifest = {
        "package": {
            "wapm": {"name": "acme/echoes", "version": "1.0.0", "description": ""},
            "fs": [{"from": None, "volume_name": "/files", "host_path": "/", "mount_path": "/"}],
        },
        "commands": commands,
        "entrypoint": "greet",
    }
    files: Any = {
        "work": {"note.txt": FileSource(b"a note\n", 86_400_000_000_000)},
        "link.txt": SymlinkSource("work/note.txt", 1_000_000_000),
    }
    atoms = {"args": module(ECHO_ARGUMENTS), "vars": module(ECHO_ENVIRONMENT)}
    write_container(path, manifest=manifest, atoms=atoms, volumes={"/files": files})
    return package_of(path)


def build(*packages: BinaryPackage, **options: Any) -> RootfsImage:
    return build_image(packages, BuildOptions(**options))


def write(image: RootfsImage, folder: Path, kind: str) -> Path:
    """Write an image in one of the formats."""
    path = folder / f"image.{kind}"
    compression = _COMPRESSIONS.get(kind, "none")
    tag = "latest" if kind == "oci" else None
    output = Output("tar" if kind.startswith("tar") else kind, compression, tag=tag)
    write_image(image, flatten(image.layers).entries, path, output)
    return path


def opened(path: Path | str) -> RootfsImage:
    return open_image(path, store=store(), install=InstallOptions(offline=True))


def run(
    capfd: pytest.CaptureFixture[str],
    image: RootfsImage,
    command: str | None = None,
    *arguments: str,
    kind: RootKind = RootKind.SANDBOX,
    upper: Path | None = None,
    **options: Any,
) -> tuple[int, str]:
    """Run a command of an image; its exit code, and what it wrote."""
    capfd.readouterr()
    given = RunOptions(arguments=arguments, **options)
    process = start_image(image, "the image", command, kind, upper, store(), InstallOptions(offline=True), given)
    code = process.wait()
    return code, capfd.readouterr().out
