"""Random programs of forks, pipes, descriptors and signals do the same as natively."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest
from soak import GUEST

from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.stdio import OutputBuffer

# Signals by their letters (a is 1): HUP, QUIT, ABRT, KILL, USR1, USR2, ALRM and TERM; CHLD, CONT and URG.
DEADLY, IGNORED = "acfijlno", "qrw"

pytestmark = [
    pytest.mark.xdist_group("limits"),
    pytest.mark.skipif(sys.platform != "linux", reason="the numbers of signals are Linux's"),
    pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="no C compiler"),
]


class Writer:
    """Writes a script in which nobody waits for what never comes."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.inside: list[int] = []
        # For each process from the first to the one that runs, which ends of each slot it has open.
        self.open: list[list[list[bool]]] = [[]]

    def script(self, depth: int = 0) -> str:
        steps = [self.step(depth) for _ in range(self.chance.randint(1, 9))]
        if self.chance.random() < 0.3:
            steps.append(f"x{self.chance.randint(0, 9)}")
        elif depth and self.chance.random() < 0.3:
            steps.append(f"k{self.chance.choice(DEADLY)}")
        return "".join(steps)

    def step(self, depth: int) -> str:
        slots = self.open[-1]
        kind = self.chance.choice("pwwrrcCd((Kjk")
        if kind == "p":
            if len(slots) > 7:
                return "j"
            slots.append([True, True])
            if len(self.inside) < len(slots):
                self.inside.append(0)
            self.inside[len(slots) - 1] = 0
            return "p"
        if kind == "(":
            if depth == 3:
                return "j"
            self.open.append([list(ends) for ends in slots])
            kept = list(self.inside)
            inner = self.script(depth + 1)
            self.open.pop()
            # What the child made, and wrote into that, is gone with it.
            self.inside[len(slots) :] = kept[len(slots) :]
            return f"({inner})"
        if kind == "K":
            return f"K{self.chance.choice(DEADLY)}"
        if kind == "k":
            return f"k{self.chance.choice(IGNORED)}"
        if kind == "j" or not slots:
            return "j"
        slot = self.chance.randrange(len(slots))
        ends = slots[slot]
        if kind == "w":
            if self.inside[slot] > 900:
                return "j"
            if ends[1] and any(process[slot][0] for process in self.open if slot < len(process)):
                self.inside[slot] += 3
            return f"w{slot}"
        if kind == "r":
            if ends[0]:
                writers = any(process[slot][1] for process in self.open if slot < len(process))
                if self.inside[slot] == 0 and writers:
                    return "j"
                self.inside[slot] = max(0, self.inside[slot] - 16)
            return f"r{slot}"
        if kind == "d" and not ends[1]:
            return "j"
        if kind != "d":
            ends[kind == "C"] = False
        return f"{kind}{slot}"


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("native") / "process_script"
    source = GUEST.with_suffix(".c")
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-O1", "-o", str(target), str(source)], check=True)
    return target


@pytest.mark.parametrize("batch", range(4))
def test_random_scripts(native: Path, batch: int) -> None:
    module = Module.compile(GUEST.read_bytes())
    for seed in range(batch * 40, batch * 40 + 40):
        script = Writer(seed).script()
        ended = subprocess.run([native, script], capture_output=True, timeout=20)
        expected = ended.returncode if ended.returncode >= 0 else 128 - ended.returncode
        out = OutputBuffer()
        env = WasiEnvBuilder("guest").args([script]).stdout(out).timeout(20).build()
        code = env.run(module)
        assert (code, out.getvalue().decode()) == (expected, ended.stdout.decode()), (seed, script)
