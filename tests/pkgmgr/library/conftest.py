"""What the tests of the library share: packages that are loaded once."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgmgr import Environment, Package, load_packages

SOURCES = Path(__file__).parents[3] / "registry_fixtures" / "sources"


@pytest.fixture
def packages() -> list[Package]:
    """A shell and the usual commands."""
    return load_packages(["wpm/sh", "wpm/coreutils"])


@pytest.fixture
def environment(packages: list[Package]) -> Environment:
    return Environment(packages)


@pytest.fixture
def hello_wasm() -> bytes:
    """A module that greets its arguments."""
    return next(SOURCES.glob("hello/**/*.wasm")).read_bytes()


def ours() -> tuple[str, dict[str, str], int]:
    """What of this process others see, but for what pytest itself says there."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return os.getcwd(), variables, threading.active_count()


@pytest.fixture
def unchanged_process(environment: Environment) -> Iterator[None]:
    """What of this process must be after a test as it was before."""
    environment.run("true")
    before = ours()
    yield
    assert ours() == before
