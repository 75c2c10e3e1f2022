"""Forks within a signal's handler: the child has the handler, the parent goes on in it and in what it interrupted."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from runtime.engine import Module
from runtime.env import WasiEnv, WasiEnvBuilder
from runtime.stdio import OutputBuffer

GUEST = Path(__file__).parents[2] / "guests" / "handlers" / "handlers.wasm"


class Itself:
    """The guest, as the only program that there is."""

    name = "handlers"
    environ: Mapping[str, str] = {}

    def __init__(self, module: Module) -> None:
        self._module = module

    def find(self, path: str, env: WasiEnv) -> "Itself | None":
        del env
        return self if path == "/bin/handlers" else None

    def module(self) -> Module:
        return self._module

    def arguments(self, given: Sequence[str]) -> list[str]:
        return list(given)


@pytest.fixture(scope="module")
def module() -> Module:
    return Module.compile(GUEST.read_bytes(), "handlers")


def run(module: Module, way: str) -> tuple[int, str]:
    output = OutputBuffer()
    builder = WasiEnvBuilder("handlers").args([way]).stdout(output).programs(Itself(module)).timeout(20)
    code = builder.build().spawn(module).wait(30)
    return code, output.getvalue().decode().replace("\n", ";")


@pytest.mark.parametrize(
    ("way", "each_round"),
    [
        ("fork-exit", "child 30;ended 3;handled 30;main 42;"),
        ("fork-exec", "executed 2;ended 4;handled 30;main 42;"),
        ("vfork-exit", "ended 3;handled 30;main 42;"),
        ("vfork-exec", "executed 2;ended 4;handled 30;main 42;"),
        ("vfork-fails", "ended 1009;handled 30;main 42;"),
        ("jump", "jumped 47;ended 5;handled 30;main 42;"),
        ("checkpoint-inside", "jumped inside 5;ended 5;handled 30;main 42;"),
        ("nested", "child 36;ended 3;handled 36;handled 30;main 42;"),
        ("again", "grandchild 7;child 30;ended 3;handled 30;main 42;"),
        ("computing", "child 42;ended 3;handled 42;main 42;"),
    ],
)
def test_it_does_what_the_host_does(module: Module, way: str, each_round: str) -> None:
    # The guest built for the host prints this.
    assert run(module, way) == (0, 2 * each_round)


def test_a_child_cannot_return_from_the_handler(module: Module, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "wpm.runtime"):
        assert run(module, "return") == (0, 2 * "ended 1006;handled 30;main 42;")
    lines = [record.getMessage() for record in caplog.records if "handler" in record.getMessage()]
    assert lines
    assert all("the child returned from it" in line for line in lines)
