"""A real shell over real coreutils does what the host's own do: lines of shell, and what dash and GNU print for them."""

import json
from pathlib import Path

import pytest

from binfactory.factory import BinFactory
from binfactory.loader import PackageNode, load_package
from binfactory.modules import ModuleCache
from binfactory.package import BinaryPackage
from binfactory.roots import sandbox_root
from binfactory.use import unite_package
from pkgmgr.building.build import build_package
from runtime.env import WasiEnvBuilder
from runtime.fs.node import Directory
from runtime.stdio import OutputBuffer

ROOT = Path(__file__).parents[3]
TABLE = json.loads(Path(__file__).with_name("shell_lines.json").read_text())
# What the old package lists among its commands and its module does not have.
MISSING = ("grep", "sort", "tail")

pytestmark = pytest.mark.xdist_group("shell")


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> BinFactory:
    return BinFactory(ModuleCache(tmp_path_factory.mktemp("modules")))


@pytest.fixture(scope="module")
def packages(conformance: Path, tmp_path_factory: pytest.TempPathFactory) -> list[BinaryPackage]:
    """A shell, the coreutils of its time, and ours for what they lack."""
    built = tmp_path_factory.mktemp("built") / "coreutils.webc"
    build_package(conformance / "legacy" / "coreutils-1.0.11.tar.gz", built)
    ours = ROOT / "registry_fixtures" / "packages" / "wpm" / "coreutils" / "1.0.0.webc"
    containers = {"ours": ours, "coreutils": built, "dash": conformance / "webc" / "dash-1.0.18.webc"}
    return [load_package(PackageNode(name, path)) for name, path in containers.items()]


def run(factory: BinFactory, packages: list[BinaryPackage], script: str) -> tuple[int, str, str]:
    root = sandbox_root()
    for package in packages:
        unite_package(factory, root, package)
    for name in MISSING:
        factory.set_binary(f"/bin/{name}", packages[0].commands[name])
    tmp = root.root.lookup("tmp")
    assert isinstance(tmp, Directory)
    tmp.mkdir("t")
    stdout, stderr = OutputBuffer(), OutputBuffer()
    builder = WasiEnvBuilder("dash").args(["-c", f"cd /tmp/t; {script}"]).env("PATH", "/bin").root(root).stdin(b"")
    env = builder.programs(factory).stdout(stdout).stderr(stderr).timeout(60).build()
    code = factory.spawn("dash", env).wait(90)
    return code, stdout.getvalue().decode(), stderr.getvalue().decode()


@pytest.mark.parametrize("line", TABLE, ids=[str(index) for index in range(len(TABLE))])
def test_line(factory: BinFactory, packages: list[BinaryPackage], line: dict[str, str | int]) -> None:
    code, stdout, stderr = run(factory, packages, str(line["script"]))
    assert (code, stdout) == (line["exit"], line["stdout"]), (line["script"], stderr)
