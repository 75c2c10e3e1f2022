"""Packages with symbolic links, in the three kinds of root, seen by the programs of coreutils."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from factory_packages import mounted, opened, pack

from binfactory.factory import BinFactory
from binfactory.loader import PackageNode, load_package
from binfactory.modules import ModuleCache
from binfactory.roots import backing_root, overlay_root, sandbox_root
from binfactory.use import use_packages
from runtime.env import WasiEnvBuilder
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.tmpfs import TmpFileSystem
from runtime.stdio import OutputBuffer
from webc_parser import Container, DirectorySource, SymlinkSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from binfactory.package import BinaryPackage
    from runtime.fs.node import FileSystem

COREUTILS = Path(__file__).parents[2] / "registry_fixtures/packages/wpm/coreutils/1.0.0.webc"
SECOND = 1_700_000_000 * 10**9

KINDS: dict[str, Callable[[Path], FileSystem]] = {
    "sandbox": lambda _: sandbox_root(),
    "overlay-host": lambda path: overlay_root(HostFileSystem(path)),
    "backing-memory": lambda _: backing_root(TmpFileSystem()),
    "backing-host": lambda path: backing_root(HostFileSystem(path)),
}


def link(target: str) -> SymlinkSource:
    return SymlinkSource(target, SECOND)


VOLUME: dict[str, Any] = {
    "real": {"a.txt": b"apple\n", "up": link("../top.txt")},
    "top.txt": b"top\n",
    "rel": link("real/a.txt"),
    "abs": link("/data/real/a.txt"),
    "folder": link("real"),
    "elsewhere": link("/other/b.txt"),
    "dangling": link("nothing/here"),
    "passwd": link("../../../../../../../../../../etc/passwd"),
    "loop": link("loop"),
    "tools": {"cat": link("../../bin/cat")},
    "script": b"#!/data/tools/cat\nscript\n",
    "run": link("script"),
}


def package(name: str, **parts: Any) -> BinaryPackage:
    return load_package(PackageNode(name, container=opened(pack(name, **parts))))


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> tuple[BinaryPackage, ModuleCache]:
    """Coreutils, compiled once."""
    node = PackageNode("wpm/coreutils@1.0.0", container=Container.open(COREUTILS))
    return load_package(node), ModuleCache(tmp_path_factory.mktemp("code"))


class Guest:
    """Runs the commands of coreutils in a root that has a package with links and another one."""

    def __init__(self, root: FileSystem, tools: BinaryPackage, modules: ModuleCache, *more: BinaryPackage) -> None:
        self.root = root
        self.factory = BinFactory(modules)
        self.packages = [tools, *more]

    def run(self, *args: str) -> tuple[int, str, str]:
        """The exit code, and what it printed on both streams."""
        out, error = OutputBuffer(), OutputBuffer()
        name, *rest = args
        builder = WasiEnvBuilder(name).args(rest).root(self.root).programs(self.factory)
        env = builder.stdout(out).stderr(error).build()
        use_packages(env, self.packages)
        code = self.factory.spawn(name, env).wait(20)
        return code, out.getvalue().decode(), error.getvalue().decode()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def guest(kind: str, folder: Path, tools: tuple[BinaryPackage, ModuleCache]) -> Guest:
    linked = package("n/linked@1.0.0", volumes={"v": DirectorySource(VOLUME, SECOND)}, fs=[mounted("/data", "v")])
    other = package("n/other@1.0.0", volumes={"v": {"b.txt": b"banana\n"}}, fs=[mounted("/other", "v")])
    return Guest(KINDS[kind](folder), *tools, linked, other)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/data/rel", "apple\n"),
        ("/data/abs", "apple\n"),
        ("/data/folder/a.txt", "apple\n"),
        ("/data/folder/up", "top\n"),
        ("/data/folder/../rel", "apple\n"),
        ("/data/elsewhere", "banana\n"),
    ],
)
def test_cat_reads_what_a_link_leads_to(guest: Guest, path: str, content: str) -> None:
    assert guest.run("cat", path) == (0, content, "")


@pytest.mark.parametrize("name", ["dangling", "passwd", "loop"])
def test_cat_finds_nothing_behind_a_link_that_leads_nowhere(guest: Guest, name: str) -> None:
    code, out, error = guest.run("cat", f"/data/{name}")
    reasons = {"loop": "Symbolic link loop", "passwd": "Operation not permitted"}  # above the root, for preview 1
    reason = reasons.get(name, "No such file or directory")
    assert (code, out) == (1, "") and reason in error


def test_ls_shows_where_links_lead(guest: Guest) -> None:
    code, out, _ = guest.run("ls", "-l", "/data")
    shown = {line.split(" -> ")[0].split()[-1]: line.split(" -> ")[1] for line in out.splitlines() if " -> " in line}
    assert code == 0
    assert shown == {name: node.target for name, node in VOLUME.items() if isinstance(node, SymlinkSource)}


def test_programs_and_scripts_run_through_links(guest: Guest) -> None:
    assert guest.run("/data/tools/cat", "/data/rel") == (0, "apple\n", "")
    assert guest.run("/data/run") == (0, "#!/data/tools/cat\nscript\n", "")


def test_the_guest_changes_its_own_view_alone(guest: Guest, kind: str) -> None:
    assert guest.run("cp", "/data/top.txt", "/data/rel") == (0, "", "")
    assert guest.run("cat", "/data/real/a.txt", "/data/rel") == (0, "top\ntop\n", "")
    assert guest.run("mv", "/data/folder", "/data/moved") == (0, "", "")
    assert guest.run("cat", "/data/moved/up") == (0, "top\n", "")
    assert guest.run("rm", "/data/passwd", "/data/abs") == (0, "", "")
    assert guest.run("cat", "/data/abs")[0] == 1
    if not kind.startswith("backing"):  # a root without layers is filled up again when a package is used
        assert "passwd" not in guest.run("ls", "/data")[1]


def test_links_are_copied_into_a_root_without_layers(folder: Path, tools: tuple[BinaryPackage, ModuleCache]) -> None:
    linked = package("n/linked@1.0.0", volumes={"v": DirectorySource(VOLUME, SECOND)}, fs=[mounted("/data", "v")])
    assert Guest(HostFileSystem(folder), *tools, linked).run("cat", "/data/rel")[0] == 0
    for name, node in VOLUME.items():
        path = folder / "data" / name
        assert path.is_symlink() == isinstance(node, SymlinkSource)
        if isinstance(node, SymlinkSource):
            assert str(path.readlink()) == node.target


@pytest.mark.parametrize("target", ["usr/bin", "/usr/bin", "../../../usr/bin"])
@pytest.mark.parametrize("made", [True, False])
def test_a_root_whose_bin_is_a_link(
    folder: Path, tools: tuple[BinaryPackage, ModuleCache], target: str, made: bool
) -> None:
    (folder / "bin").symlink_to(target)
    (folder / "usr").mkdir()
    if made:
        (folder / "usr/bin").mkdir()
    guest = Guest(backing_root(HostFileSystem(folder)), *tools)
    assert guest.run("echo", "hi") == (0, "hi\n", "")
    assert guest.run("/bin/echo", "hi") == (0, "hi\n", "")
    assert (folder / "bin").is_symlink() and (folder / "usr/bin/cat").is_file()


def test_a_link_out_of_the_root_takes_no_commands_out(
    tmp_path: Path, folder: Path, tools: tuple[BinaryPackage, ModuleCache]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "bin").symlink_to("../outside")
    assert Guest(backing_root(HostFileSystem(folder)), *tools).run("echo", "hi") == (0, "hi\n", "")
    assert list(outside.iterdir()) == []
    assert (folder / "outside/echo").is_file()


def test_of_two_packages_the_first_decides_whether_it_is_a_link(
    kind: str, folder: Path, tools: tuple[BinaryPackage, ModuleCache]
) -> None:
    fs = [mounted("/x", "v")]
    one = package("n/one@1.0.0", volumes={"v": {"l": link("d"), "d": {"f": b"one\n"}}}, fs=fs)
    two = package("n/two@1.0.0", volumes={"v": {"l": {"f": b"two\n", "g": b"g\n"}, "d": link("l")}}, fs=fs)
    guest = Guest(KINDS[kind](folder), *tools, one, two)
    assert guest.run("cat", "/x/l/f", "/x/d/f") == (0, "one\none\n", "")
    assert guest.run("cat", "/x/l/g")[0] == 1
    other_way = folder.parent / "other"
    other_way.mkdir()
    guest = Guest(KINDS[kind](other_way), *tools, two, one)
    assert guest.run("cat", "/x/l/f", "/x/d/g") == (0, "two\ng\n", "")
