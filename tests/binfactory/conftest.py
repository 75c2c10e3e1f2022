"""What the tests of the factory share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from binfactory.modules import ModuleCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def modules(tmp_path: Path) -> ModuleCache:
    return ModuleCache(tmp_path / "code")


@pytest.fixture
def on_disk(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Writes a container to a file."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / f"{name}.webc"
        path.write_bytes(data)
        return path

    return write
