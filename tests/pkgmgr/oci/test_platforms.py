"""Images for several platforms: what is built, what is chosen of it, and that registries and other programs see all of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from image_samples import an_image

from pkgmgr.errors import WpmError
from pkgmgr.oci.layout import ImageLayout
from pkgmgr.oci.platforms import Platform, parse_platform, parse_platforms
from pkgmgr.rootfs.read_oci import read_oci
from pkgmgr.rootfs.write_oci import write_oci

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from small_registry import Done

SEVERAL = "wasi/wasm,linux/amd64,linux/arm64"


def test_platforms_as_they_are_typed() -> None:
    assert parse_platform("WASI/Wasm") == Platform("wasi", "wasm")
    assert parse_platforms(["linux/x86_64,linux/arm64", "linux/amd64", "linux/arm/v7"]) == (
        Platform("linux", "amd64"),
        Platform("linux", "arm64"),
        Platform("linux", "arm", "v7"),
    )
    assert parse_platforms([]) == ()


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "/wasm", "a/b/c/d", "linux/amd64,", "li nux/x", "linux/\n", "é/b"]
)
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(WpmError, match=r"no platform: write OS/ARCH") as caught:
        parse_platforms([text])
    assert "\n" not in str(caught.value)


def test_one_platform_is_a_manifest_and_several_are_an_index_of_the_same_layers(tmp_path: Path) -> None:
    one = write_oci(an_image(), tmp_path / "one", "t", platforms=parse_platforms(["linux/amd64"]))
    several = write_oci(an_image(), tmp_path / "several", "t", platforms=parse_platforms([SEVERAL]))
    alone, _ = ImageLayout(tmp_path / "one").manifest("t")
    assert (alone.digest, alone.platform) == (one, "linux/amd64")
    layout = ImageLayout(tmp_path / "several")
    found = layout.find("t")
    assert (found.digest, found.media_type) == (several, "application/vnd.oci.image.index.v1+json")
    index = json.loads(layout.blobs.read(found, 1 << 20))
    assert [f"{each['platform']['os']}/{each['platform']['architecture']}" for each in index["manifests"]] == (
        SEVERAL.split(",")
    )
    manifests = {name: layout.manifest("t", name) for name in SEVERAL.split(",")}
    assert manifests["linux/amd64"][0].digest == one
    assert len({tuple(layer.digest for layer in manifest.layers) for _, manifest in manifests.values()}) == 1
    assert len({manifest.config.digest for _, manifest in manifests.values()}) == 3
    assert layout.manifest("t")[0].platform == "wasi/wasm"
    assert read_oci(tmp_path / "several", "t", platform="linux/arm64").config == an_image().config
    with pytest.raises(WpmError, match=r"nothing for 'linux/riscv64': there is linux/amd64, linux/arm64, wasi/wasm"):
        layout.manifest("t", "linux/riscv64")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where there is a directory `files`, and the layout `image` with it for several platforms."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "text").write_text("of the image\n")
    write_oci(an_image(), tmp_path / "image", "t", platforms=parse_platforms([SEVERAL]))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "out.tar", "--platform", "wasi/wasm"], "--platform: only OCI images have one: add --format oci"),
        (["-o", "-", "--platform", "wasi/wasm"], "--platform: only OCI images have one"),
        (["-o", "out", "--format", "oci", "--platform", "wasm"], "'wasm': no platform: write OS/ARCH"),
    ],
)
def test_platforms_that_cannot_be_built(folder: Path, wpm: Callable[..., Done], options: list[str], words: str) -> None:
    done = wpm("rootfs", "build", "--copy", "files:/srv", *options)
    assert (done.code, done.out) == (1, "")
    assert words in done.err and done.err.count("\n") == 1
    assert not (folder / "out").exists()


@pytest.mark.usefixtures("folder")
def test_each_verb_takes_a_platform(wpm: Callable[..., Done]) -> None:
    assert "tool" in wpm("rootfs", "ls", "image:t", "bin", "--platform", "linux/amd64").out
    done = wpm("rootfs", "ls", "image:t", "--platform", "linux/mips")
    assert done.code == 1 and "there is nothing for 'linux/mips'" in done.err
    assert wpm("rootfs", "diff", "image:t", "image:t", "--platform", "linux/arm64").code == 0
    assert "'linux/mips'" in wpm("rootfs", "run", "--platform", "linux/mips", "image:t").err


def test_all_of_it_goes_to_registries_and_comes_back(folder: Path, host: str, wpm: Callable[..., Done]) -> None:
    digest = ImageLayout(folder / "image").find("t").digest
    assert json.loads(wpm("rootfs", "push", "image:t", f"{host}/acme/x:1", "--json").out)["digest"] == digest
    # To another repository, as it is, and one of its platforms alone.
    assert (
        json.loads(wpm("rootfs", "push", f"oci://{host}/acme/x:1", f"{host}/acme/y:1", "--json").out)["digest"]
        == digest
    )
    alone = ["rootfs", "push", f"oci://{host}/acme/x:1", f"{host}/acme/y:amd64", "--platform", "linux/amd64", "--json"]
    assert json.loads(wpm(*alone).out)["digest"] == ImageLayout(folder / "image").manifest("t", "linux/amd64")[0].digest
    same = ["rootfs", "push", "image:t", f"{host}/acme/z:1", "--platform", "linux/amd64", "--json"]
    assert json.loads(wpm(*same).out)["digest"] == json.loads(wpm(*alone).out)["digest"]

    done = wpm("rootfs", "pull", f"{host}/acme/y:1", "-o", "all", "--format", "oci", "--platform", "all")
    assert (done.code, digest in done.out) == (0, True), done
    assert ImageLayout(folder / "all").find("1").digest == digest
    assert sorted(os.listdir(folder / "all" / "blobs" / "sha256")) == sorted(
        os.listdir(folder / "image" / "blobs" / "sha256")
    )
    done = wpm("rootfs", "pull", f"{host}/acme/y:amd64", "-o", "one", "--format", "oci", "--platform", "all", "--json")
    assert json.loads(done.out)["digest"] == json.loads(wpm(*alone).out)["digest"]
    done = wpm("rootfs", "pull", f"{host}/acme/x:1", "-o", "arm", "--format", "oci", "--platform", "linux/arm64")
    assert ImageLayout(folder / "arm").manifest()[0].platform == "linux/arm64"
    assert "--platform all: only an OCI layout" in wpm("rootfs", "pull", "x/y", "-o", "d", "--platform", "all").err


@pytest.fixture
def containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs programs of containers/image with a store of their own, where they are installed."""
    (tmp_path / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\nrunroot = "{tmp_path}/run"\ngraphroot = "{tmp_path}/graph"\n'
    )
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(tmp_path / "storage.conf"))
    monkeypatch.delenv("DOCKER_CONFIG")

    def run(*command: str | Path) -> str:
        if shutil.which(str(command[0])) is None:
            pytest.skip(f"{command[0]} is not installed")
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if command[1] in ("info", "version") and done.returncode:
            pytest.skip(f"{command[0]} does not run here: {done.stderr.strip()[-200:]}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("platform", ["linux/wasm", "wasi/wasm", SEVERAL])
def test_podman_and_buildah_take_it(folder: Path, debian: str, containers: Callable[..., str], platform: str) -> None:
    containers("podman", "info")
    platforms = platform.split(",")
    wanted = platforms[0]
    write_oci(an_image(), folder / "image", "p", platforms=parse_platforms([platform]))
    containers("skopeo", "copy", "-q", "--all", "--dest-tls-verify=false", "oci:image:p", f"docker://{debian}/acme/x:1")
    name = f"docker://{debian}/acme/x:1"
    containers("podman", "pull", "-q", "--tls-verify=false", "--platform", wanted, name)
    found = json.loads(containers("podman", "image", "inspect", f"{debian}/acme/x:1"))[0]
    assert f"{found['Os']}/{found['Architecture']}" == wanted
    assert found["Annotations"] == {"module.wasm.image/variant": "compat"}
    assert found["Config"]["Entrypoint"] == ["/bin/tool", "--fast"]
    if shutil.which("buildah"):
        words = ["buildah", "from", "--os", wanted.partition("/")[0], "--arch", wanted.partition("/")[2], "oci:image:p"]
        assert containers(*words).strip()
    if len(platforms) > 1:
        assert containers("skopeo", "inspect", "--raw", "oci:image:p").count('"platform"') == 3
        chosen = ["skopeo", "--override-os", "wasi", "--override-arch", "wasm", "inspect", "oci:image:p"]
        assert json.loads(containers(*chosen))["Os"] == "wasi"
