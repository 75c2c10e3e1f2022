"""The files of a sandbox: paths of the guest, whatever a guest has put there."""

import errno
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr import FileStat, GuestFileError, Package, Sandbox, Volume, WpmError
from webc_parser import SymlinkSource, write_container


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def test_files_are_written_and_read(sandbox: Sandbox) -> None:
    fs = sandbox.fs
    fs.write("deep/er/file", b"\x00\x01")
    assert fs.read("/workspace/deep/er/file") == b"\x00\x01"
    fs.write("deep/er/file", "ä")
    assert fs.read_text("deep/er/file") == "ä"
    fs.write_text("latin", "ä", "latin-1")
    assert fs.read("latin") == b"\xe4"
    with pytest.raises(UnicodeDecodeError):
        fs.read_text("latin")
    assert fs.read_text("latin", errors="replace") == "�"
    assert [(entry.name, entry.kind, entry.size) for entry in fs.list()] == [
        ("deep", "directory", 0),
        ("latin", "file", 1),
    ]
    assert fs.stat("deep").kind == "directory"
    assert fs.stat("latin") == FileStat("latin", "file", 1, fs.stat("latin").modified)
    assert fs.exists("latin")
    assert not fs.exists("nothing/there")
    assert not fs.exists("latin/below")


def test_directories(sandbox: Sandbox) -> None:
    fs = sandbox.fs
    fs.mkdir("a")
    with pytest.raises(GuestFileError) as caught:
        fs.mkdir("a")
    assert (caught.value.errno, caught.value.path) == (errno.EEXIST, "a")
    fs.mkdir("a", exist_ok=True)
    with pytest.raises(GuestFileError, match="x/y: No such file"):
        fs.mkdir("x/y")
    fs.mkdir("x/y/z", parents=True)
    fs.write("x/y/z/f", "1")
    with pytest.raises(GuestFileError):
        fs.remove("x")
    fs.rename("x/y", "a/moved")
    assert fs.read("a/moved/z/f") == b"1"
    fs.remove("a", recursive=True)
    fs.remove("x")
    assert fs.list() == []
    with pytest.raises(GuestFileError):
        fs.remove("gone")


@pytest.mark.parametrize("path", ["/", ".", "", "/workspace/..", "nul\0", "n" * 300, "/" + "a/" * 3000])
def test_paths_that_are_no_files(sandbox: Sandbox, path: str) -> None:
    for use in (
        sandbox.fs.read,
        lambda path: sandbox.fs.write(path, "x"),
        lambda path: sandbox.fs.remove(path, recursive=True),
    ):
        with pytest.raises(WpmError) as caught:
            use(path)
        assert isinstance(caught.value, GuestFileError)


def package_of_links(links: dict[str, str]) -> bytes:
    """A package that puts symbolic links into `/links`."""
    written = BytesIO()
    manifest = {"package": {"fs": [{"from": None, "volume_name": "links", "mount_path": "/links"}]}}
    tree = {name: SymlinkSource(target, 0) for name, target in links.items()}
    write_container(written, manifest=manifest, atoms={}, volumes={"links": tree})
    return written.getvalue()


def test_links_of_a_guest_stay_in_its_root(packages: list[Package], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    links = {
        "absolute": str(secret),
        "climbing": f"../../../..{secret}",
        "loop": "loop",
        "root": "/",
        "new": "../tmp/new",
    }
    with Sandbox([*packages, package_of_links(links)]) as sandbox:
        fs = sandbox.fs
        for path in ("absolute", "climbing", "loop", f"root{secret}", "root/etc/passwd"):
            with pytest.raises(GuestFileError):
                fs.read(f"/links/{path}")
        assert fs.stat("/links/absolute", follow=False).kind == "symlink"
        with pytest.raises(GuestFileError):
            fs.write("/links/absolute", "outside?")
        fs.write(str(secret), "in the sandbox")
        fs.write("/links/climbing", "through the link")
        assert secret.read_text() == "of the host"
        assert fs.read("/links/absolute") == b"through the link"
        fs.write("/links/new", "x")
        assert fs.read("/tmp/new") == b"x"
        fs.remove("/links", recursive=True)
        assert fs.exists("/bin/sh")
        assert not fs.exists("/links")


def test_devices_and_holes_do_not_fill_our_memory(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox:
        for device in ("/dev/zero", "/dev/stdin", "/dev/full", "/dev"):
            with pytest.raises(GuestFileError):
                sandbox.fs.read(device)
            with pytest.raises(GuestFileError):
                sandbox.fs.write(device, "x")
        sandbox.fs.write("f", bytes(1000))
        with pytest.raises(GuestFileError, match="limit=999") as caught:
            sandbox.fs.read("f", limit=999)
        assert caught.value.errno == errno.EFBIG
        assert len(sandbox.fs.read("f", limit=1000)) == 1000


def test_a_deep_tree_is_removed(sandbox: Sandbox) -> None:
    path = "d/" * 900 + "f"
    sandbox.fs.write(path, "x")
    sandbox.fs.remove("d", recursive=True)
    assert sandbox.fs.list() == []


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
PATHS = st.lists(st.one_of(st.sampled_from(["..", ".", "", "a", "b", "link"]), NAMES), max_size=8).map("/".join)


@given(path=st.one_of(PATHS, PATHS.map(lambda path: "/" + path)), data=st.binary(max_size=50))
@settings(max_examples=150)
def test_no_path_leads_out(path: str, data: bytes) -> None:
    sandbox = Sandbox(volumes=[Volume(Path(__file__).parent, "/here", read_only=True)], files={"a/b": "x"})
    before = sorted(Path(__file__).parent.iterdir())
    try:
        sandbox.fs.write(path, data)
    except GuestFileError:
        pass
    else:
        assert sandbox.fs.read(path) == data
    assert sorted(Path(__file__).parent.iterdir()) == before
    assert not Path("/workspace").exists()
