"""What type checkers say of a stranger's program: nothing where it is right, an error for each line that is wrong."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

RIGHT = """
import asyncio
from pathlib import Path

import pkgmgr
from pkgmgr import (
    Command, Completed, Conflict, Container, Environment, ExitReason, FileStat, GuestFileError, Image, ImageFile, LoadProgress,
    LockedPackage, Package, Process, ProcessFailed, Project, Sandbox, Volume, WaitTimeout, WpmError, load_packages,
)
from pkgmgr import aio


def show(progress: LoadProgress) -> None:
    percent: float | None = progress.percent
    print(progress.phase.value, percent, [package.id for package in progress.packages])


def use(path: Path) -> int:
    project: Project = Project.open(path).lock(upgrade=["wpm/hello"]).add("wpm/words")
    locked: tuple[LockedPackage, ...] = project.packages
    environment: Environment = project.install(progress=show)
    done: Completed = environment.run("hello", "a", input=b"x", env={"A": "b"}, timeout=1.5, memory=1 << 26, check=True)
    text: str = done.text()
    reason: ExitReason = done.reason
    with environment.spawn("cat", stderr="stdout", volumes=[Volume(path, "/x", read_only=True)]) as process:
        count: int = process.stdin.write(b"1")
        lines: list[bytes] = [line for line in process.stdout]
        code: int | None = process.poll()
        done = process.wait(timeout=1)
    packages: list[Package] = load_packages(["wpm/sh", path, b""])
    command: Command = packages[0].command("sh")
    try:
        with Sandbox(packages, files={"a": "b", "c": b"d"}, network="loopback", timeout=1) as sandbox:
            done = sandbox.run(command, "-c", "true")
            files: list[FileStat] = sandbox.fs.list("/")
            data: bytes = sandbox.fs.read("a")
            print(files, data)
            sandbox.ports.wait(80, timeout=0.1)
    except (ProcessFailed, GuestFileError, WaitTimeout) as error:
        problem: WpmError = error
        print(problem)
    image: Image = Image.build(environment, "wpm/sh", copy={"/x": path}, entrypoint=["/bin/sh"])
    names: list[ImageFile] = image.files()
    hidden: tuple[Conflict, ...] = image.conflicts
    digest: str = image.write_oci(path, tag="v1", compression="zstd")
    with Container.open(path) as container:
        print(container.manifest.entrypoint)
    print(locked, text, reason, count, lines, code, names, hidden, digest, pkgmgr.__version__)
    return done.exit_code


async def use_async(path: Path) -> str:
    environment = await (await (await aio.Project.open(path)).lock()).install()
    done: Completed = await environment.run("hello")
    async with await environment.spawn("cat") as process:
        await process.stdin.write("x")
        async for line in process.stdout:
            data: bytes = line
            print(data)
        async for text in process.stderr.lines():
            print(text.upper())
    async with aio.Sandbox(["wpm/sh"], files={"a": "b"}) as sandbox:
        done = await sandbox.shell("true")
        stat: FileStat = await sandbox.fs.stat("a")
        print(stat.size)
    other: aio.Sandbox = await aio.Sandbox()
    package: aio.Package = await aio.Package.load("wpm/sh")
    image: aio.Image = await aio.Image.build(package, environment)
    print(other.packages, await image.digest())
    return done.text()


def live(process: Process) -> bytes:
    return process.stdout.readline() + process.communicate("x").stdout


asyncio.run(use_async(Path()))
"""

WRONG = {
    "Environment.of('wpm/sh').run('sh', input=3)": "input",
    "Environment.of('wpm/sh').run(3)": "run",
    "Sandbox(packages=['wpm/sh'], netwrok='all')": "netwrok",
    "a: str = Environment.of('wpm/sh').run('sh').stdout": "str",
    "Sandbox().fs.write('a', 3)": "write",
    "Project.open('.').lock().isntall()": "isntall",
    "Image.build('wpm/sh').write_oci('x', compression='lzma')": "lzma",
    "Environment.of('wpm/sh').spawn('sh', stdout='tape')": "tape",
    "b: int = aio.Sandbox().run('sh')": "int",
    "pkgmgr.Nothing": "Nothing",
}
IMPORTS = "import pkgmgr\nfrom pkgmgr import Environment, Image, Project, Sandbox, aio\n\n"


def mypy(path: Path) -> str:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not here")
    words = [
        "--strict",
        "--no-error-summary",
        "--hide-error-context",
        "--config-file",
        os.devnull,
        "--python-version",
        "3.11",
    ]
    command = [sys.executable, "-m", "mypy", *words, "--cache-dir", str(path.parent / "cache"), path.name]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    return subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, encoding="utf-8").stdout


def pyright(path: Path) -> str:
    if shutil.which("pyright") is None or shutil.which("node") is None:
        pytest.skip("pyright, or node that runs it, is not here")
    (path.parent / "pyrightconfig.json").write_text(
        f'{{"typeCheckingMode": "strict", "extraPaths": ["{ROOT}"], "pythonVersion": "3.11"}}'
    )
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = ["pyright", "--pythonpath", sys.executable, path.name]
    try:
        done = subprocess.run(
            command, cwd=path.parent, env=environment, capture_output=True, encoding="utf-8", timeout=120
        )
    except subprocess.TimeoutExpired:
        pytest.skip("pyright does not start")
    if "error:" not in done.stdout and "0 errors" not in done.stdout:
        pytest.skip(f"pyright does not run: {done.stdout[:100]} {done.stderr[:200]}")
    return "\n".join(line for line in done.stdout.splitlines() if "error:" in line)


@pytest.mark.parametrize("check", [mypy, pyright])
def test_a_right_program_is_right(check: object, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(RIGHT)
    assert callable(check)
    assert check(path) == ""


@pytest.mark.parametrize("check", [mypy, pyright])
def test_every_wrong_line_is_told(check: object, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(IMPORTS + "\n".join(WRONG) + "\n")
    assert callable(check)
    said = check(path)
    for number, (line, word) in enumerate(WRONG.items(), IMPORTS.count("\n") + 1):
        told = [each for each in said.splitlines() if f"program.py:{number}:" in each]
        assert any(word in each for each in told), f"{line}: {told or said}"


@pytest.mark.parametrize("floor", ["pkgmgr", "webc_parser"])
def test_the_types_of_every_public_name_are_known(floor: str, tmp_path: Path) -> None:
    if shutil.which("pyright") is None or shutil.which("node") is None:
        pytest.skip("pyright, or node that runs it, is not here")
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "PYTHONPATH": str(ROOT)}
    command = ["pyright", "--verifytypes", floor, "--ignoreexternal", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    try:
        symbols = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    except ValueError:
        pytest.skip(f"pyright does not run: {done.stdout[:100]} {done.stderr[:200]}")
    public = ("pkgmgr.aio.", "pkgmgr.errors.", "pkgmgr.library.", "webc_parser.")
    names = [symbol for symbol in symbols if symbol["name"].startswith(public)]
    assert names
    assert [symbol["name"] for symbol in names if not symbol["isTypeKnown"]] == []
