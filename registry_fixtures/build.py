"""Build the embedded registry from its sources: `python registry_fixtures/build.py [--compile]`.

Every directory `sources/NAME/VERSION` with a `wasmer.toml` is one package. It is packed by `wpm build` itself, run as a
program of its own: the registry is what `wpm` carries, so this package stands below `pkgmgr` and imports nothing of it.
With `--compile` the modules are compiled first, by the C compiler in the `ziglang` package of PyPI. The shell forks: its
module is then transformed by `wasm-opt --asyncify` of Binaryen (`npm install binaryen`, or a distribution's package), which
is looked for along PATH, or is what the variable `WASM_OPT` names.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "sources"
PACKAGES = ROOT / "packages"

NEW_IN_1_0 = frozenset(("find", "grep", "ln", "rmdir", "sha256sum", "sleep", "stat", "tee", "test", "touch"))
"""The programs that coreutils 0.9.0 leaves out; the source of each is the file of its name."""

FORKS = "wasix_32v1.proc_fork"
"""The import that takes the stack apart: only what can call it is transformed."""

ASYNCIFY = (
    *("-Os", "--asyncify", f"--pass-arg=asyncify-imports@{FORKS}", "--pass-arg=asyncify-ignore-indirect"),
    *(
        "--enable-bulk-memory",
        "--enable-bulk-memory-opt",
        "--enable-mutable-globals",
        "--enable-nontrapping-float-to-int",
    ),
    *("--enable-sign-ext", "--enable-multivalue", "--enable-reference-types"),
)

C_FLAGS = ("-target", "wasm32-wasi", "-std=gnu11", "-D_GNU_SOURCE", "-Os", "-s", "-Wall", "-Wextra", "-Werror")


@dataclass(frozen=True, slots=True)
class Module:
    """One WebAssembly module: where it goes, and of what it is made."""

    target: Path
    sources: tuple[Path, ...]
    definitions: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    forks: bool = False

    def compile(self) -> None:
        """Compile and link the module, and make it one that can fork if it is to be.

        Raises:
            subprocess.CalledProcessError: The compiler found an error; it has said which.
        """
        arguments = [*C_FLAGS, *(f"-D{definition}" for definition in self.definitions), *self.flags]
        # Relative names: the module must not tell where it was built.
        names = [os.path.relpath(path, ROOT) for path in self.sources]
        target = os.path.relpath(self.target, ROOT)
        subprocess.run([sys.executable, "-m", "ziglang", "cc", *arguments, "-o", target, *names], cwd=ROOT, check=True)
        if self.forks:
            tool = os.environ.get("WASM_OPT", "wasm-opt")
            subprocess.run([tool, *ASYNCIFY, target, "-o", target], cwd=ROOT, check=True)
        self.target.chmod(0o644)


def modules() -> list[Module]:
    """Every module of the registry."""
    found = []
    folder = SOURCES / "coreutils"
    versions: tuple[tuple[str, frozenset[str]], ...] = (("0.9.0", NEW_IN_1_0), ("1.0.0", frozenset()))
    for version, left_out in versions:
        chosen = tuple(path for path in sorted(folder.glob("*.c")) if path.stem not in left_out)
        module = Module(folder / version / "coreutils.wasm", chosen, (f'COREUTILS_VERSION="{version}"',))
        found.append(module)
    for level, version in enumerate(("1.0.0", "1.1.0", "2.0.0")):
        folder = SOURCES / "hello"
        definitions = (f"HELLO_LEVEL={level}", f'HELLO_VERSION="{version}"')
        found.append(Module(folder / version / "hello.wasm", (folder / "hello.c",), definitions))
    for level, version in enumerate(("1.0.0", "1.1.0")):
        folder = SOURCES / "top-words"
        definitions = (f"TOP_WORDS_LEVEL={level}", f'TOP_WORDS_VERSION="{version}"')
        found.append(Module(folder / version / "top-words.wasm", (folder / "top_words.c",), definitions, ("-O2",)))
    folder = SOURCES / "sh"
    # The stack is copied with the memory by every fork, and asyncify keeps its frames in what is free of it.
    flags = ("-Wl,-z,stack-size=524288", "-Wl,--export=__stack_pointer")
    found.append(Module(folder / "1.0.0" / "sh.wasm", tuple(sorted(folder.glob("*.c"))), (), flags, forks=True))
    return found


def packages() -> list[Path]:
    """The directory of every package, in order."""
    return sorted(path.parent for path in SOURCES.glob("*/*/wasmer.toml"))


def pack(directory: Path) -> Path:
    """Pack one package into its place in the registry.

    Raises:
        subprocess.CalledProcessError: `wpm build` refused it, and has said why.
    """
    package = tomllib.loads((directory / "wasmer.toml").read_text("utf-8"))["package"]
    if package["name"].split("/")[1:] != [directory.parent.name] or package["version"] != directory.name:
        raise SystemExit(f"{directory}: holds {package['name']} {package['version']}: name the directory after it")
    target = PACKAGES / f"{package['name']}" / f"{package['version']}.webc"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pkgmgr.cli.main", "build", str(directory), "--out", str(target)]
    # The same bytes on every machine: no date but the beginning of time.
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(command, cwd=ROOT.parent, env=environment, stdout=subprocess.DEVNULL, check=True)
    return target


def main() -> int:
    """Build what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(description="Build the embedded registry from its sources.")
    parser.add_argument("--compile", action="store_true", help="compile the modules first (needs ziglang and wasm-opt)")
    parser.add_argument("--no-pack", action="store_true", help="leave the packages as they are")
    arguments = parser.parse_args()
    try:
        with ThreadPoolExecutor() as pool:
            if arguments.compile:
                list(pool.map(Module.compile, modules()))
            packed = [] if arguments.no_pack else list(pool.map(pack, packages()))
    except FileNotFoundError as error:
        print(
            f"build: {error.filename}: not found: install Binaryen, or name its wasm-opt in WASM_OPT", file=sys.stderr
        )
        return 1
    except subprocess.CalledProcessError as error:
        print(f"build: failed: {' '.join(error.cmd)}", file=sys.stderr)
        return 1
    for path in packed:
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
