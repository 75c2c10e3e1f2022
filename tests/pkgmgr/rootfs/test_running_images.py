"""Commands with an image as their root: every format, every kind of root, and the settings of commands."""

from pathlib import Path
from typing import Any

import pytest
from sample_images import FORMATS, build, coreutils, echoes, opened, run, shell, store, write

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.executing import RootKind
from pkgmgr.store.layers import UnpackedLayers

CHANGES = "cat /work/note.txt /link.txt; rm /work/note.txt; echo new > /work/new; mkdir /made; ls /work"
SEEN = "a note\na note\nnew\n"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("images")
    image = build(shell(), coreutils(), echoes(folder), env={"MODE": "image"})
    return {kind: write(image, folder, kind) for kind in FORMATS}


@pytest.mark.parametrize("kind", FORMATS)
def test_in_a_sandbox_changes_are_gone(kind: str, images: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert run(capfd, opened(images[kind]), "sh", "-c", CHANGES) == (0, SEEN)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_overlay_keeps_changes(
    kind: str, images: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    upper = tmp_path / "kept" / "upper"
    overlay: Any = {"kind": RootKind.OVERLAY, "upper": upper}
    assert run(capfd, opened(images[kind]), "sh", "-c", CHANGES, **overlay) == (0, SEEN)
    assert sorted(path.name for path in (upper / "work").iterdir()) == [".wh.note.txt", "new"]
    code, written = run(
        capfd, opened(images[kind]), "sh", "-c", "cat /work/new; ls /work /made; cat /link.txt", **overlay
    )
    assert code == 1
    assert written == "new\n/made:\n\n/work:\nnew\n" or written.split() == ["new", "/work:", "new", "/made:"]
    # The image itself is as it was.
    assert run(capfd, opened(images[kind]), "cat", "/work/note.txt") == (0, "a note\n")


def test_a_directory_can_be_written_to(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write(build(shell(), coreutils(), echoes(tmp_path)), tmp_path, "dir")
    assert run(capfd, opened(path), "sh", "-c", CHANGES, kind=RootKind.BACKING) == (0, SEEN)
    assert [each.name for each in (path / "work").iterdir()] == ["new"]
    assert (path / "made").is_dir()


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "dir"])
def test_nothing_else_can_be_written_to(kind: str, images: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WpmError, match="only a directory can be written to"):
        run(capfd, opened(images[kind]), "sh", kind=RootKind.BACKING)


@pytest.mark.parametrize("kind", FORMATS)
def test_commands_have_their_settings(kind: str, images: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    image = opened(images[kind])
    assert run(capfd, image, "plain", "x") == (0, "plain\0x\0")
    assert run(capfd, image, "greet", "x") == (0, "greeter\0hello\0dear\0x\0")
    assert run(capfd, image, "/usr/bin/greet", "x") == (0, "greeter\0hello\0dear\0x\0")
    code, written = run(capfd, image, "vars", environ={"SIZE": "9"})
    assert code == 0
    assert {"COLOUR=blue", "SIZE=9", "MODE=image"} <= set(written.split("\0"))
    assert "PWD=/work" in run(capfd, image, "placed")[1].split("\0")
    assert "PWD=/tmp" in run(capfd, image, "placed", cwd="/tmp")[1].split("\0")


@pytest.mark.parametrize("kind", ["dir", "tar", "webc"])
def test_guests_start_commands_with_their_settings(
    kind: str, images: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    script = "greet a; /bin/greet b; cd /usr/bin && ./greet c; COLOUR=red vars; exec greet d"
    code, written = run(capfd, opened(images[kind]), "sh", "-c", script)
    assert code == 0
    words = written.split("\0")
    for last in "abcd":
        start = words.index(last) - 3
        assert words[start : start + 4] == ["greeter", "hello", "dear", last]
    assert {"COLOUR=red", "SIZE=3"} <= set(words)


def test_another_file_of_the_name_does_not_inherit_the_settings(
    images: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    image = opened(images["tar"])
    script = "cp /bin/vars /tmp/v; rm /bin/greet /usr/bin/greet; cp /tmp/v /bin/greet; X=1 greet"
    code, written = run(capfd, image, "sh", "-c", script)
    assert code == 0
    assert "X=1" in written.split("\0")
    # Nor does the same file under another name, or in another place.
    assert run(capfd, image, "sh", "-c", "cp /bin/greet /tmp/greet; /tmp/greet z") == (0, "/tmp/greet\0z\0")
    assert run(capfd, image, "sh", "-c", "ln -s ../bin/greet /tmp/hi; /tmp/hi z") == (0, "greeter\0hello\0dear\0z\0")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"args": "x"}', '{"env": {"A=": "1"}}', '{"name": "a\\u0000"}', '{"cwd": 1}']
)
def test_settings_that_are_none_are_told(text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write(build(echoes(tmp_path)), tmp_path, "dir")
    (path / "usr/lib/wpm/commands/greet.json").write_text(text)
    with pytest.raises(WpmError, match=r"the image: greet: /usr/lib/wpm/commands/greet\.json: "):
        run(capfd, opened(path), "greet")


@pytest.mark.parametrize("kind", FORMATS)
def test_the_entrypoint_runs_with_its_arguments_once(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    image = opened(write(build(echoes(tmp_path)), tmp_path, kind))
    assert image.config.entrypoint == ("/bin/greet", "hello", "dear")
    assert run(capfd, image) == (0, "greeter\0hello\0dear\0")
    assert run(capfd, image, None, "you") == (0, "greeter\0hello\0dear\0you\0")


@pytest.mark.parametrize("kind", FORMATS)
def test_arguments_replace_those_of_the_image(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    built = build(echoes(tmp_path), entrypoint=("/usr/bin/plain", "first"), command=("second", "third"), cwd="/work")
    image = opened(write(built, tmp_path, kind))
    assert run(capfd, image) == (0, "/usr/bin/plain\0first\0second\0third\0")
    assert run(capfd, image, None, "other") == (0, "/usr/bin/plain\0first\0other\0")
    assert image.config.cwd == "/work"


def test_an_image_that_does_not_say_what_to_run(capfd: pytest.CaptureFixture[str]) -> None:
    image = build(coreutils())
    with pytest.raises(WpmError, match="does not say what to run: wpm rootfs run the image COMMAND"):
        run(capfd, image)


def test_a_command_that_is_not_there(images: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    image = opened(images["tar"])
    with pytest.raises(WpmError, match=r"no command gret in its PATH .*: did you mean greet"):
        run(capfd, image, "gret")
    with pytest.raises(WpmError, match="there is no file /bin/nothing"):
        run(capfd, image, "/bin/nothing")
    with pytest.raises(WpmError, match="neither a WebAssembly module"):
        run(capfd, image, "/work/note.txt")
    with pytest.raises(WpmError, match="Permission denied"):
        run(capfd, image, "/work")


def test_the_path_of_the_image_is_used(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write(build(echoes(tmp_path)), tmp_path, "dir")
    (folder / "opt").mkdir()
    (folder / "bin/greet").rename(folder / "opt/special")
    (folder / "usr/lib/wpm/image.json").write_text('{"env": {"PATH": "/opt"}}')
    assert run(capfd, opened(folder), "special", "x") == (0, "special\0x\0")
    with pytest.raises(WpmError, match="no command plain"):
        run(capfd, opened(folder), "plain")
    assert run(capfd, opened(folder), "plain", environ={"PATH": "/bin"}) == (0, "plain\0")


def test_packages_beside_the_image(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image = build(coreutils())
    uses = (str(tmp_path / "echoes.webc"),)
    echoes(tmp_path)
    for kind in ("tar", "dir"):
        folder = tmp_path / kind
        folder.mkdir()
        opened_image = opened(write(image, folder, kind))
        assert run(capfd, opened_image, "greet", "x", uses=uses) == (0, "greeter\0hello\0dear\0x\0")
        assert run(capfd, opened_image, "cat", "/work/note.txt", uses=uses) == (0, "a note\n")


def test_usr_merged_images(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write(build(echoes(tmp_path)), tmp_path, "dir")
    for path in sorted((folder / "bin").iterdir()):
        path.unlink()
    (folder / "bin").rmdir()
    (folder / "bin").symlink_to("usr/bin")
    assert run(capfd, opened(folder), "greet", "x") == (0, "greeter\0hello\0dear\0x\0")
    assert run(capfd, opened(folder), "/bin/greet", "x") == (0, "greeter\0hello\0dear\0x\0")


def test_the_upper_directory_is_beside_the_image(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write(build(coreutils()), tmp_path, "dir")
    for upper in (path, path / "below", tmp_path):
        with pytest.raises(WpmError, match="overlaps the image"):
            run(capfd, opened(path), "true", kind=RootKind.OVERLAY, upper=upper)
    assert not (path / "below").exists()
    for kind, place in (
        (RootKind.OVERLAY, None),
        (RootKind.SANDBOX, tmp_path / "x"),
        (RootKind.BACKING, tmp_path / "x"),
    ):
        with pytest.raises(WpmError, match="--upper DIR, which only it has"):
            run(capfd, opened(path), "true", kind=kind, upper=place)


@pytest.mark.parametrize("kind", ["tar.gz", "tar.zst", "oci"])
def test_nothing_is_decompressed_twice(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "store"))
    path = write(build(echoes(tmp_path)), tmp_path, kind)
    assert run(capfd, opened(path), "plain") == (0, "plain\0")
    before = {each: each.stat().st_ino for each in UnpackedLayers(store()).files()}
    assert before
    assert run(capfd, opened(path), "plain") == (0, "plain\0")
    assert {each: each.stat().st_ino for each in UnpackedLayers(store()).files()} == before
    # What was tampered with is not used.
    damaged = next(iter(before))
    damaged.chmod(0o600)
    with damaged.open("r+b") as file:
        file.write(b"damaged")
    assert run(capfd, opened(path), "plain") == (0, "plain\0")
