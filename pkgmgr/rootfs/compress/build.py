"""Builds the modules of this directory: `python -m pkgmgr.rootfs.compress.build`, with the packages of the extra `guests`.

The sources come from the source distributions that PyPI has of `deflate` (with libdeflate) and `zstandard` (with Zstandard),
by their sha256. Other versions give other bytes of the same image, which the tests notice.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class Library(NamedTuple):
    """What a module is made of.

    Attributes:
        module: The module's name; `NAME_piece.c` is our part of it.
        url: The source distribution.
        sha256: Its hash.
        include: The folder in it that has the headers.
        sources: The C files in that folder.
        licence: The licence in that folder.
        licence_name: Under which name it is in the tree.
    """

    module: str
    url: str
    sha256: str
    include: str
    sources: tuple[str, ...]
    licence: str
    licence_name: str


LIBRARIES = (
    Library(
        "gzip",
        "https://files.pythonhosted.org/packages/99/37/6822da3fcc811eb6839f4c1165407c4f23580e6b29ea29509c9544f4e604/"
        "deflate-0.9.0.tar.gz",
        "962e0a6f1ea3a94b900a8ea0ce138fa92bfcbafda5b86367104a259ffcd3462b",
        "deflate-0.9.0/libdeflate",
        ("lib/deflate_compress.c", "lib/gzip_compress.c", "lib/crc32.c", "lib/utils.c"),
        "COPYING",
        "libdeflate.LICENSE",
    ),
    Library(
        "zstd",
        "https://files.pythonhosted.org/packages/fd/aa/3e0508d5a5dd96529cdc5a97011299056e14c6505b678fd58938792794b1/"
        "zstandard-0.25.0.tar.gz",
        "7713e1179d162cf5c7906da876ec2ccb9c3a9dcbdffef0cc7f70c3667a205f0b",
        "zstandard-0.25.0/zstd",
        ("zstd.c",),
        "LICENSE",
        "zstd.LICENSE",
    ),
)

# Of WebAssembly's vectors only those whose results are the same everywhere; no assembly, no clock, no system calls.
FLAGS = (
    *(
        "-target",
        "wasm32-wasi",
        "-mexec-model=reactor",
        "-O3",
        "-msimd128",
        "-mno-relaxed-simd",
        "-DNDEBUG",
        "-g0",
        "-s",
        "-w",
    ),
    *("-Wl,--export=piece", "-Wl,--gc-sections", "-Wl,-z,stack-size=1048576"),
)
HERE = Path(__file__).parent

# The C library that ziglang links: where it says how it may be used, and under which name that is in the tree.
LIBC = {"wasi/LICENSE-MIT": "wasi-libc.LICENSE", "musl/COPYRIGHT": "musl.LICENSE"}


def build(library: Library) -> None:
    """Fetch, check and compile a library, and put the module and the licence here."""
    import requests

    with tempfile.TemporaryDirectory() as folder:
        data = requests.get(library.url, timeout=60).content
        if (found := hashlib.sha256(data).hexdigest()) != library.sha256:
            sys.exit(f"{library.url}: its sha256 is {found}, not {library.sha256}")
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
        root = Path(folder, library.include)
        module = HERE / f"{library.module}.wasm"
        sources = [HERE / f"{library.module}_piece.c", *(root / source for source in library.sources)]
        compiler = [sys.executable, "-m", "ziglang", "cc", *FLAGS]
        subprocess.run([*compiler, f"-I{root}", f"-I{HERE}", *map(str, sources), "-o", str(module)], check=True)
        module.chmod(0o644)
        (HERE / library.licence_name).write_bytes((root / library.licence).read_bytes())
        print(f"{module.name}: {module.stat().st_size} bytes, sha256 {hashlib.sha256(module.read_bytes()).hexdigest()}")


def copy_licences_of_libc() -> None:
    """Put the licences of what is linked from the C library here."""
    compiler = find_spec("ziglang")
    if compiler is None or compiler.origin is None:
        sys.exit("ziglang is not installed: install wpm-webc[guests]")
    folder = Path(compiler.origin).parent / "lib" / "libc"
    for source, name in LIBC.items():
        (HERE / name).write_bytes((folder / source).read_bytes())


if __name__ == "__main__":
    copy_licences_of_libc()
    for each in LIBRARIES:
        build(each)
