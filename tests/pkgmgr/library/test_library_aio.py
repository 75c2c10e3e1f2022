"""The library with asyncio: the same names, nothing that blocks, nothing that outlives a task."""

import asyncio
import inspect
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import pytest

import pkgmgr
import pkgmgr.aio
from pkgmgr import ExitReason, GuestFileError, LoadPhase, LoadProgress, ProcessFailed, WaitTimeout, WpmError
from pkgmgr.aio import Environment, Image, Package, Project, Sandbox, load_packages

T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(bounded())


def test_names_and_arguments_are_those_of_the_library() -> None:
    for name in pkgmgr.aio.__all__:
        ours, theirs = getattr(pkgmgr.aio, name), getattr(pkgmgr, name, None)
        if name in {"Reader", "Writer"}:
            continue
        assert theirs is not None, name
        if not inspect.isclass(ours):
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
            continue
        public = {member for member in dir(theirs) if not member.startswith("_")}
        assert {member for member in dir(ours) if not member.startswith("_")} == public
        for member in public:
            one, other = getattr(ours, member), getattr(theirs, member)
            if callable(one) and callable(other):
                shapes = [
                    [(each.name, each.kind, each.default) for each in inspect.signature(method).parameters.values()]
                    for method in (one, other)
                ]
                assert shapes[0] == shapes[1], f"{name}.{member}"
    arguments = [list(inspect.signature(each.Sandbox).parameters) for each in (pkgmgr, pkgmgr.aio)]
    assert arguments[0] == arguments[1]


def test_commands_and_live_processes() -> None:
    async def work() -> None:
        environment = await Environment.of("wpm/sh", "wpm/coreutils")
        assert (await environment.run("cat", input="x")).text() == "x"
        with pytest.raises(ProcessFailed):
            await environment.run("false", check=True)
        async with await environment.spawn("sh", "-c", "echo a; cat; echo err >&2") as process:
            assert await process.stdout.readline() == b"a\n"
            await process.stdin.write("b\r\nc")
            await process.stdin.close()
            assert [line async for line in process.stdout.lines()] == ["b", "c"]
            assert [line async for line in process.stderr] == [b"err\n"]
            assert (await process.wait()).ok
            with pytest.raises(WpmError, match="closed"):
                await process.stdin.write(b"more")
        data = bytes(range(256)) * 8000
        async with await environment.spawn("cat") as process:
            assert (await process.communicate(data)).stdout == data
        async with await environment.spawn("head", "-c", "100000", "/dev/zero", output_limit=10) as process:
            done = await process.communicate()
            assert (done.stdout, done.stdout_truncated) == (bytes(10), True)
        async with await environment.spawn("sh", "-c", "trap '' TERM; echo go; while :; do :; done") as process:
            assert await process.stdout.read(3) == b"go\n"
            with pytest.raises(WaitTimeout):
                await process.wait(0.05)
            assert (await process.terminate(grace=0.1)).exit_code == 137
        async with await environment.spawn("sh", terminal=True, size=(40, 10)) as process:
            await process.stdin.write(b"exit 6\n")
            assert b"exit 6" in await process.stdout.read()
            process.resize(50, 20)
            assert (await process.wait()).exit_code == 6
        async with await environment.spawn("true", stdout="capture") as process:
            with pytest.raises(WpmError, match="stdout is no pipe"):
                _ = process.stdout

    run(work())


def test_cancelling_ends_the_guest_first() -> None:
    async def work() -> None:
        async with Sandbox(["wpm/sh", "wpm/coreutils"]) as sandbox:
            endless = "echo > started; while :; do :; done; echo > never"
            for delay in (0.0, 0.001, 0.2):
                task = asyncio.create_task(sandbox.shell(endless))
                await asyncio.sleep(delay)
                if delay > 0.1:
                    while not await sandbox.fs.exists("started"):
                        await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert not [each for each in threading.enumerate() if each.name.startswith("sh")]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await sandbox.run("sleep", "60")
            process = await sandbox.spawn("sleep", "60")
            waiting = asyncio.create_task(process.wait())
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert process.poll() is None
        assert process.poll() == 137

    run(work())


def test_a_hundred_sandboxes_at_once() -> None:
    async def work() -> None:
        packages = await load_packages(["wpm/sh", "wpm/coreutils"])

        async def one(number: int) -> str:
            async with Sandbox(packages, files={"in": str(number)}) as sandbox:
                done = await sandbox.shell("sleep 0.3; cat in > out", check=True)
                assert done.reason is ExitReason.EXITED
                return await sandbox.fs.read_text("out")

        tasks = [asyncio.create_task(one(number)) for number in range(100)]
        assert await asyncio.gather(*tasks) == [str(number) for number in range(100)]

    run(work())


def test_a_sandbox_is_there_when_it_is_awaited() -> None:
    async def work() -> None:
        sandbox = Sandbox(["wpm/coreutils"], files={"a": "1"})
        with pytest.raises(WpmError, match="await it"):
            _ = sandbox.fs
        await sandbox.close()
        assert await sandbox is sandbox
        assert (await sandbox.run("cat", "a")).stdout == b"1"
        with pytest.raises(GuestFileError):
            await sandbox.fs.read("b")
        await sandbox.fs.write("d/e", b"2")
        assert [entry.name for entry in await sandbox.fs.list("d")] == ["e"]
        await sandbox.fs.rename("d/e", "d/f")
        assert (await sandbox.fs.stat("d/f")).size == 1
        await sandbox.fs.remove("d", recursive=True)
        await sandbox.install("wpm/sh", as_shell="sh")
        assert (await sandbox.shell("echo $0")).ok
        with pytest.raises(WpmError, match="no network"):
            await sandbox.ports.wait(80)
        await sandbox.close()
        with pytest.raises(WpmError, match="closed"):
            await sandbox.run("true")

    run(work())


def test_projects_packages_and_images(tmp_path: Path, hello_wasm: bytes) -> None:
    async def work() -> None:
        project = await Project.create(tmp_path / "p", name="me/p", dependencies=["wpm/hello@^1"])
        project = await (await project.lock()).add("wpm/words")
        environment = await project.install()
        assert (await environment.run("hello", "you")).text() == "Hello, you!\n"
        assert [package.name for package in project.packages] == ["wpm/hello", "wpm/words"]
        made = await Package.create(modules={"greet": hello_wasm})
        assert isinstance(await Package.load(made), Package)
        image = await Image.build(made, environment, entrypoint=["/bin/greet", "me"])
        assert (await image.run()).stdout == b"Hello, me!\n"
        assert await image.digest() == await image.write_tar(tmp_path / "x.tar")
        opened = await Image.open(tmp_path / "x.tar")
        assert await opened.files() == await image.files()
        async with await opened.spawn("hello") as process:
            assert await process.stdout.read() == b"Hello, World!\n"

    run(work())


def test_progress_comes_on_the_loop_and_before_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path))
    heard: list[LoadProgress] = []
    threads: set[int] = set()

    def hear(progress: LoadProgress) -> None:
        heard.append(progress)
        threads.add(threading.get_ident())

    async def work() -> None:
        await load_packages(["wpm/hello", "wpm/words@^1"], progress=hear)
        count = len(heard)
        await asyncio.sleep(0.05)
        assert len(heard) == count

    run(work())
    assert threads == {threading.get_ident()}
    assert heard[0].phase is LoadPhase.RESOLVING
    assert (heard[-1].phase, heard[-1].percent) == (LoadPhase.READY, 100.0)
    assert {each.id.partition("@")[0] for each in heard[-1].packages} == {"wpm/hello", "wpm/words"}
    assert heard[-1].downloaded == heard[-1].total != 0


def test_communicate_goes_on_after_its_time_was_up(packages: list[pkgmgr.Package]) -> None:
    data = bytes(range(256)) * 4096

    async def work() -> None:
        async with Sandbox(packages) as sandbox:
            script = "cat; while ! test -e go; do sleep 0.01; done; echo end >&2"
            async with await sandbox.spawn("sh", "-c", script) as process:
                for _ in range(3):
                    with pytest.raises(WaitTimeout, match=r"still runs after 0\.1 s"):
                        await process.communicate(data, timeout=0.1)
                await sandbox.fs.write("go", "")
                done = await process.communicate()
                assert (done.stdout == data, done.stderr, done.exit_code) == (True, b"end\n", 0)
            async with await sandbox.spawn("yes", output_limit=1000) as process:
                with pytest.raises(WaitTimeout):
                    await process.communicate(timeout=0.1)
                process.kill()
                done = await process.communicate()
                assert (len(done.stdout), done.stdout_truncated, done.stderr_truncated) == (1000, True, False)

    run(work())
