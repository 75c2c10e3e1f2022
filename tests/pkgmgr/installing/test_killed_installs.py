"""A few installs killed at random points; `kill_installs.py` does many."""

import pytest
from kill_installs import kill_installs


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_installs_leave_nothing_half_done(seed: int) -> None:
    assert "the next install succeeded" in kill_installs(5, packages=4, size=500_000, seed=seed)
