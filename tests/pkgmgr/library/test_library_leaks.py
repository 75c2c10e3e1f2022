"""A thousand commands leave nothing behind: no descriptor, no thread, no memory that only a collection would free."""

import asyncio
import contextlib
import gc
import os
import random
import threading
import time
import weakref

import pytest

from pkgmgr import Environment, Package, Sandbox, WaitTimeout, aio


def open_descriptors() -> int:
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    return len(os.listdir(folder))


@pytest.fixture
def nothing_left(environment: Environment) -> object:
    environment.run("sh", "-c", "cat /dev/null | cat")
    with environment.spawn("cat") as process:
        process.communicate(b"x")
    gc.collect()
    before = (open_descriptors(), threading.active_count())
    yield
    gc.collect()
    # Of the threads that were there before, some may have ended.
    assert open_descriptors() == before[0]
    assert threading.active_count() <= before[1]


@pytest.mark.usefixtures("nothing_left")
def test_a_thousand_commands(environment: Environment) -> None:
    for _ in range(1000):
        assert environment.run("true").ok


@pytest.mark.usefixtures("nothing_left")
def test_sandboxes_and_live_processes(environment: Environment, packages: list[Package]) -> None:
    for number in range(30):
        with Sandbox(packages, files={"a": "b"}) as sandbox:
            sandbox.spawn("sleep", "60")
            with sandbox.spawn("cat") as process:
                process.stdin.write(b"x\n")
                assert process.stdout.readline() == b"x\n"
                if number % 2:
                    process.stdout.fileno()
            with environment.spawn("sh", terminal=True) as process:
                process.stdin.write(b"exit\n")
                process.stdout.read()


@pytest.mark.usefixtures("nothing_left")
def test_tasks(packages: list[Package]) -> None:
    async def one(number: int) -> None:
        async with aio.Sandbox(packages) as sandbox:
            async with await sandbox.spawn("cat") as process:
                await process.stdin.write(b"x\n")
                await process.stdout.readline()
            task = asyncio.create_task(sandbox.run("sleep", "60"))
            await asyncio.sleep(0.001 * number)
            task.cancel()
            await asyncio.wait([task])

    async def work() -> None:
        await asyncio.gather(*map(one, range(20)))

    asyncio.run(work())


def test_a_sandbox_is_freed_at_once(packages: list[Package]) -> None:
    gc.collect()
    gc.disable()
    try:
        with Sandbox(packages) as sandbox:
            sandbox.fs.write("big", bytes(1000))
            sandbox.run("cat", "big", check=True)
            sandbox.spawn("sleep", "60")
            with sandbox.spawn("cat") as process:
                process.stdin.write(b"x\n")
                process.stdout.readline()
        freed = weakref.ref(sandbox._overlay)
        del sandbox, process
        # Its last threads are on their way out.
        deadline = time.monotonic() + 10
        while freed() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert freed() is None
    finally:
        gc.enable()


@pytest.mark.usefixtures("nothing_left")
def test_tasks_that_are_cancelled_anywhere(packages: list[Package]) -> None:
    """Two hundred tasks, each cancelled somewhere on its way through all that there is to wait for."""
    chance = random.Random(0)

    async def everything() -> None:
        async with aio.Sandbox(packages, files={"n": "x"}, network="loopback") as sandbox:
            await sandbox.fs.write("a", bytes(100_000))
            async with await sandbox.spawn("cat") as process:
                await process.stdin.write(b"x\n" * 50_000)
                await process.stdout.readline()
                await process.communicate(timeout=30)
            await sandbox.shell("sleep 0.01; cat a | tr 1 2 | wc -c")
            async with await sandbox.spawn("sh", terminal=True) as process:
                await process.stdin.write("echo hi\n")
                await process.stdout.readline()
                process.resize(100, 30)
                await process.terminate(0.1)
            with contextlib.suppress(WaitTimeout):
                await sandbox.ports.wait(9, timeout=0.01)
            await sandbox.shell("while :; do :; done", timeout=0.02)

    async def cancelled() -> None:
        task = asyncio.create_task(everything())
        await asyncio.sleep(chance.random() * 0.3)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def work() -> None:
        for _ in range(20):
            await asyncio.gather(*(cancelled() for _ in range(10)))

    asyncio.run(work())
