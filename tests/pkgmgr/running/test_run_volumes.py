"""`wpm run --volume` and `--mapdir`: what the guest sees of the host, and that it sees nothing else."""

from pathlib import Path

import pytest
from typed import output, wpm

TOOLS = ("wpm/coreutils", "-e")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A directory to share, with ways out of it: a secret is beside it."""
    (tmp_path / "secret").write_text("SECRET\n")
    folder = tmp_path / "shared"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("inside\n")
    (folder / "deep" / "up").symlink_to("../a.txt")
    (folder / "absolute").symlink_to(tmp_path / "secret")
    (folder / "relative").symlink_to("../secret")
    (folder / "folder").symlink_to("..")
    return folder


def test_reads_and_writes_land_on_the_host(shared: Path) -> None:
    volume = ("run", "--volume", f"{shared}:/data")
    assert output(*volume, *TOOLS, "cat", "/data/a.txt", "/data/deep/up") == "inside\ninside\n"
    assert output(*volume, *TOOLS, "tee", "/data/deep/new", stdin=b"written") == "written"
    assert (shared / "deep" / "new").read_text() == "written"
    assert output(*volume, *TOOLS, "rm", "/data/a.txt") == ""
    assert not (shared / "a.txt").exists()


def test_relative_host_path_and_mapdir(shared: Path) -> None:
    cwd = shared.parent
    assert output("run", "--volume", "shared:/x", *TOOLS, "cat", "/x/a.txt", cwd=cwd) == "inside\n"
    assert output("run", "--volume", "./shared:/x:rw", *TOOLS, "cat", "/x/a.txt", cwd=cwd) == "inside\n"
    assert output("run", "--mapdir", "/x:shared", *TOOLS, "cat", "/x/a.txt", cwd=cwd) == "inside\n"
    assert output("run", "-v", "shared:/x", "-w", "/x", *TOOLS, "cat", "a.txt", cwd=cwd) == "inside\n"
    assert output("run", "-v", "shared:/x", "--workdir", "/x", *TOOLS, "cat", "a.txt", cwd=cwd) == "inside\n"
    assert output("run", "--volume", str(shared), *TOOLS, "cat", str(shared / "a.txt"), cwd=cwd) == "inside\n"


def test_several_volumes_one_within_another(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.txt").write_text("other\n")
    volumes = ("--volume", f"{shared}:/x", "--volume", f"{tmp_path / 'other'}:/x/deep")
    assert output("run", *volumes, *TOOLS, "cat", "/x/a.txt", "/x/deep/b.txt") == "inside\nother\n"


@pytest.mark.parametrize(
    "words",
    [
        ["touch", "/data/new"],
        ["tee", "/data/a.txt"],
        ["rm", "/data/a.txt"],
        ["mv", "/data/a.txt", "/data/b.txt"],
        ["mkdir", "/data/d"],
        ["rmdir", "/data/deep"],
        ["ln", "-s", "x", "/data/l"],
        ["cp", "/data/a.txt", "/data/deep/c"],
    ],
)
def test_read_only_is_read_only(shared: Path, words: list[str]) -> None:
    before = {path: path.lstat() for path in shared.rglob("*")}
    done = wpm("run", "--volume", f"{shared}:/data:ro", "wpm/coreutils", "-e", words[0], "--", *words[1:])
    assert done.returncode == 1 and b"Read-only file system" in done.stderr
    after = {path: path.lstat() for path in shared.rglob("*")}
    assert {path: status.st_mtime_ns for path, status in before.items()} == {
        path: status.st_mtime_ns for path, status in after.items()
    }


@pytest.mark.parametrize("access", ["rw", "ro"])
@pytest.mark.parametrize(
    "path",
    [
        "/data/absolute",
        "/data/relative",
        "/data/folder/secret",
        "/data/../secret",
        "/data/../../../../../secret",
        "/data/deep/../../secret",
        "../secret",
        "/data/./deep/.././../secret",
    ],
)
def test_nothing_leaves(shared: Path, path: str, access: str) -> None:
    done = wpm("run", "--volume", f"{shared}:/data:{access}", "--cwd", "/data", *TOOLS, "cat", path)
    assert done.returncode == 1 and b"SECRET" not in done.stdout and done.stderr


def test_nothing_is_written_outside(shared: Path) -> None:
    secret = shared.parent / "secret"
    for path in ("/data/relative", "/data/absolute", "/data/folder/secret", "/data/../secret"):
        wpm("run", "--volume", f"{shared}:/data", *TOOLS, "tee", path, stdin=b"overwritten")
        assert secret.read_text() == "SECRET\n"
    # Neither may a link that the guest makes itself lead out.
    done = wpm("run", "--volume", f"{shared}:/data", *TOOLS, "ln", "--", "-sf", "../secret", "/data/mine")
    assert wpm("run", "--volume", f"{shared}:/data", *TOOLS, "cat", "/data/mine").stdout == b"", done


def test_without_a_volume_there_is_nothing_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("here")
    done = wpm("run", *TOOLS, "ls", "/", "here.txt", cwd=tmp_path)
    assert done.returncode != 0 and b"here.txt" in done.stderr
    assert set(done.stdout.split()) <= {b"/:", b"bin", b"dev", b"etc", b"home", b"proc", b"sys", b"tmp", b"usr", b"var"}
