"""Packing: what goes in, the same bytes every time, and one clear line for every mistake."""

import io
import os
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from pkgmgr.building.build import build_package
from pkgmgr.errors import WpmError
from webc_parser.container import Container
from webc_parser.tree import VolumeFile, VolumeSymlink
from webc_parser.version import Version

WASM = b"\0asm\1\0\0\0"
MANIFEST = """
[package]
name = "wpm/demo"
version = "1.2.3"
description = "A demo"
license-file = "LICENSE"
readme = "docs/README.md"

[dependencies]
"wpm/coreutils" = "1.0"
tools = "wpm/tools@>=2"

[fs]
"/data" = "data"
"same" = "data"

[[module]]
name = "main"
source = "main.wasm"
abi = "wasi"

[[module]]
name = "lib"
source = "lib.wasm"
bindings = { wai-version = "0.2.0", exports = "lib.wai" }

[[command]]
name = "one"
module = "main"
main_args = "-a  b"

[[command]]
name = "two"
module = "wpm/coreutils:coreutils"
runner = "wasi"
main_args = ["first"]
annotations = { wasi = { main-args = ["second"], env = ["A=B"] }, extra = { n = 1 } }

[[command]]
name = "three"
module = "main"
runner = "wcgi"
annotations = { file = "three.json", kind = "json" }
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    files = {
        "wasmer.toml": MANIFEST.encode(),
        "LICENSE": b"MIT",
        "docs/README.md": b"# Demo",
        "lib.wai": b"",
        "main.wasm": WASM,
        "lib.wasm": WASM + b"\0\1\0",
        "three.json": b'{"wcgi": {"dialect": "rfc-3875"}, "none": null}',
        "data/a.txt": b"a",
        "data/deep/b.txt": b"b",
        "data/.hidden": b"h",
        "data/.git/config": b"c",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def paths(container: Container, volume: str) -> list[str]:
    return [path for path, node in container.volumes[volume].walk() if isinstance(node, VolumeFile)]


@pytest.mark.parametrize("version", [Version.V2, Version.V3])
def test_the_whole_of_a_package(project: Path, tmp_path: Path, version: Version) -> None:
    built = build_package(project, tmp_path / "out" / "demo.webc", version=version)
    assert built.warnings == ()
    assert built.size == built.path.stat().st_size
    with Container.open(built.path) as container:
        container.verify()
        assert (container.version, container.sha256()) == (version, built.sha256)
        manifest = container.manifest
        info = manifest.package
        assert (info.name, info.version, info.description) == ("wpm/demo", "1.2.3", "A demo")
        assert info.readme is not None and (info.readme.volume, info.readme.path) == ("metadata", "/docs/README.md")
        assert info.license_file is not None and info.license_file.path == "/LICENSE"
        assert {alias: dependency.spec for alias, dependency in manifest.use.items()} == {
            "wpm/coreutils": "wpm/coreutils@^1.0",
            "tools": "wpm/tools@>=2",
        }
        assert {name: bytes(atom) for name, atom in container.atoms.items()} == {"main": WASM, "lib": WASM + b"\0\1\0"}
        assert {atom.kind for atom in manifest.atoms.values()} == {"https://webc.org/kind/wasm"}
        assert all(atom.signature.startswith("sha256:") for atom in manifest.atoms.values())
        assert manifest.commands["one"].runner == "https://webc.org/runner/wasi"
        assert manifest.commands["one"].annotations == {
            "atom": {"name": "main"},
            "wasi": {"atom": "main", "main-args": ["-a", "b"]},
        }
        assert manifest.commands["two"].annotations == {
            "atom": {"name": "coreutils", "dependency": "wpm/coreutils"},
            "wasi": {"atom": "wpm/coreutils:coreutils", "main-args": ["first", "second"], "env": ["A=B"]},
            "extra": {"n": 1},
        }
        assert manifest.commands["three"].runner == "https://webc.org/runner/wcgi"
        assert manifest.commands["three"].annotations["wcgi"] == {"dialect": "rfc-3875"}
        assert manifest.entrypoint is None
        assert [(m.volume_name, m.mount_path) for m in manifest.filesystem] == [("/data", "/data"), ("/data", "/same")]
        assert [(b.name, b.kind, b.annotations) for b in manifest.bindings] == [
            (
                "library-bindings",
                "wai@0.2.0",
                {"wai": {"module": "lib", "exports": "metadata://lib.wai", "imports": []}},
            )
        ]
        assert set(container.volumes) == {"metadata", "/data"}
        assert paths(container, "metadata") == ["/LICENSE", "/docs/README.md", "/lib.wai"]
        assert paths(container, "/data") == ["/.hidden", "/a.txt", "/deep/b.txt"]


def test_the_same_bytes_whatever_the_times_modes_and_place(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_package(project, tmp_path / "1.webc")
    copy = tmp_path / "elsewhere"
    for path in sorted(project.rglob("*"), reverse=True):
        target = copy / path.relative_to(project)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o600)
            os.utime(target, (1, 1))
    before = os.umask(0o077)
    try:
        second = build_package(copy, tmp_path / "2.webc")
    finally:
        os.umask(before)
    assert first.sha256 == second.sha256
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = build_package(project, tmp_path / "3.webc")
    assert dated.sha256 != first.sha256
    with Container.open(dated.path) as container:
        node = container.volumes["/data"].get("/a.txt")
        assert isinstance(node, VolumeFile) and node.modified_ns == 1_700_000_000_000_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(WpmError, match="SOURCE_DATE_EPOCH"):
        build_package(project, tmp_path / "4.webc")


def test_where_the_package_goes(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert build_package(project).path == Path("wpm-demo-1.2.3.webc")
    assert build_package(project, tmp_path).path == tmp_path / "wpm-demo-1.2.3.webc"
    (project / "wasmer.toml").write_text("[package]\nname='wpm/demo'")
    built = build_package(project)
    assert built.path == Path(f"wpm-demo-{built.sha256}.webc")
    (project / "wasmer.toml").write_text("")
    built = build_package(project / "wasmer.toml")
    assert built.path == Path(f"{built.sha256}.webc")
    assert len(list(here.iterdir())) == 3
    with pytest.raises(WpmError, match="not a regular file"):
        build_package(project, Path("/dev/null"))


def test_the_only_command_becomes_the_entrypoint(tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(WASM)
    (tmp_path / "wapm.toml").write_text("module=[{name='m',source='m.wasm'}]\ncommand=[{name='c',module='m'}]")
    with Container.open(build_package(tmp_path, tmp_path / "x.webc").path) as container:
        assert container.manifest.entrypoint == "c"
        assert "wapm" not in container.manifest.package.annotations


def test_a_mapped_package_directory_leaves_out_the_package_that_is_being_written(tmp_path: Path) -> None:
    (tmp_path / "wasmer.toml").write_text("[fs]\n'/all'='.'")
    first = build_package(tmp_path, tmp_path / "x.webc")
    assert build_package(tmp_path, tmp_path / "x.webc").sha256 == first.sha256
    with Container.open(first.path) as container:
        assert paths(container, "/") == ["/wasmer.toml"]


def test_a_mapped_file_is_a_volume_with_that_file(tmp_path: Path) -> None:
    (tmp_path / "wasmer.toml").write_text("[fs]\n'/etc'='conf/app.ini'")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "app.ini").write_text("x")
    with Container.open(build_package(tmp_path, tmp_path / "x.webc").path) as container:
        assert paths(container, "/conf/app.ini") == ["/app.ini"]


def test_ignore_files(project: Path, tmp_path: Path) -> None:
    (project / ".wasmerignore").write_text("*.txt\n!/data/deep/*\n")
    (project / "data" / "deep" / ".wasmerignore").write_text("b.*\n")
    (project / "data" / "deep" / "c.txt").touch()
    with Container.open(build_package(project, tmp_path / "x.webc").path) as container:
        # With an ignore file, .git is up to it; the ignore files themselves are packed, as upstream does.
        assert paths(container, "/data") == ["/.git/config", "/.hidden", "/deep/.wasmerignore", "/deep/c.txt"]


class TestLinks:
    def test_a_link_inside_the_mapped_directory_stays_a_link(self, project: Path, tmp_path: Path) -> None:
        for name, target in (("link", "a.txt"), ("dangling", "nowhere"), ("deep/up", "../a.txt"), ("loop", "loop")):
            (project / "data" / name).symlink_to(target)
        with Container.open(build_package(project, tmp_path / "x.webc").path) as container:
            links = {p: n.target for p, n in container.volumes["/data"].walk() if isinstance(n, VolumeSymlink)}
        assert links == {"/link": "a.txt", "/dangling": "nowhere", "/deep/up": "../a.txt", "/loop": "loop"}

    def test_version_2_has_no_links(self, project: Path, tmp_path: Path) -> None:
        (project / "data" / "link").symlink_to("a.txt")
        with Container.open(build_package(project, tmp_path / "x.webc", version=Version.V2).path) as container:
            assert "/link" in paths(container, "/data")

    def test_others_inside_the_package_are_packed_as_what_they_point_to(self, project: Path, tmp_path: Path) -> None:
        (project / "data" / "link.txt").symlink_to("../LICENSE")
        (project / "data" / "absolute.txt").symlink_to(project.resolve() / "LICENSE")
        (project / "data" / "more").symlink_to("../docs")
        (project / "docs" / "same.md").symlink_to("README.md")
        (project / "main.wasm").rename(project / "real.wasm")
        (project / "main.wasm").symlink_to("real.wasm")
        with Container.open(build_package(project, tmp_path / "x.webc").path) as container:
            found = set(paths(container, "/data"))
        assert {"/link.txt", "/absolute.txt", "/more/README.md", "/more/same.md"} <= found

    @pytest.mark.parametrize("version", [Version.V2, Version.V3])
    @pytest.mark.parametrize(
        ("target", "part"),
        [
            ("/etc/passwd", "is a link out of the package"),
            ("../../outside", "is a link out of the package"),
            ("../nowhere", "there is no"),
            ("../data", "a directory that it lies in"),
            ("../project-loop", "cannot"),
        ],
    )
    def test_the_rest_is_refused(self, project: Path, tmp_path: Path, target: str, part: str, version: Version) -> None:
        (tmp_path / "outside").touch()
        (project / "project-loop").symlink_to("project-loop")
        (project / "data" / "link").symlink_to(target)
        with pytest.raises(WpmError, match=part) as caught:
            build_package(project, tmp_path / "x.webc", version=version)
        assert "data/link" in str(caught.value)
        assert not (tmp_path / "x.webc").exists()

    @pytest.mark.parametrize("name", ["main.wasm", "LICENSE", "data", "three.json"])
    def test_what_the_manifest_names_must_not_lead_out(self, project: Path, tmp_path: Path, name: str) -> None:
        (project / name).rename(tmp_path / "moved")
        (project / name).symlink_to(tmp_path / "moved")
        with pytest.raises(WpmError, match="is a link out of the package's directory"):
            build_package(project, tmp_path / "x.webc")


@pytest.mark.parametrize(
    ("change", "place", "part"),
    [
        (lambda p: (p / "main.wasm").unlink(), "module[0].source", 'there is no "main.wasm"'),
        (lambda p: (p / "main.wasm").write_bytes(b"(module)"), "module[0].source", "convert it with wat2wasm"),
        (lambda p: (p / "main.wasm").write_bytes(b""), "module[0].source", "is not a WebAssembly binary"),
        (lambda p: (p / "main.wasm").write_bytes(b"\0asm\x0d\0\1\0"), "module[0].source", "not a component"),
        (lambda p: os.truncate(p / "main.wasm", (1 << 30) + 1), "module[0].source", "no engine loads more"),
        (lambda p: shutil.rmtree(p / "data"), 'fs."/data"', 'there is no "data"'),
        (lambda p: (p / "LICENSE").unlink(), "package.license-file", "there is no"),
        (lambda p: (p / "lib.wai").unlink(), "module[1].bindings", "there is no"),
        (lambda p: os.mkfifo(p / "data" / "pipe"), "", "is a device, socket or pipe"),
        (lambda p: (p / "three.json").write_text("[]"), "command[2].annotations.file", "expected a table"),
        (lambda p: (p / "three.json").write_text("{"), "command[2].annotations.file", "not valid JSON"),
        (lambda p: (p / "three.json").write_text('{"a":' * 5000), "command[2].annotations.file", "not valid JSON"),
        (lambda p: (p / "three.json").write_text('{"a":' * 50 + "1" + "}" * 50), "command[2]", "nested deeper"),
        (lambda p: (p / "three.json").write_text('{"wasi":{"atom":"x"}}'), "annotations.wasi.atom", "contradicts"),
        (lambda p: (p / "three.json").write_text('{"wasi":{"env":["A"]}}'), "annotations.file", "wasi.env[0]"),
    ],
)
def test_every_mistake_is_one_line(project: Path, tmp_path: Path, change: object, place: str, part: str) -> None:
    assert callable(change)
    change(project)
    with pytest.raises(WpmError) as caught:
        build_package(project, tmp_path / "out" / "x.webc")
    message = str(caught.value)
    assert part in message and place in message and str(project) in message and "\n" not in message
    assert not (tmp_path / "out" / "x.webc").exists()


def test_annotations_in_yaml(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "three.json").write_text("wcgi:\n  dialect: cgi\nwhen: 2020-01-01\n")
    (project / "wasmer.toml").write_text(MANIFEST.replace('kind = "json"', 'kind = "yaml"'))
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "yaml", None)
        with pytest.raises(WpmError, match="pip install pyyaml"):
            build_package(project, tmp_path / "x.webc")
    pytest.importorskip("yaml")
    with Container.open(build_package(project, tmp_path / "x.webc").path) as container:
        annotations = container.manifest.commands["three"].annotations
        assert (annotations["wcgi"], annotations["when"]) == ({"dialect": "cgi"}, "2020-01-01")
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text, part in ((bomb, "more than 10000 values"), ("a: [", "is not valid YAML"), ("1: 2", "have to be strings")):
        (project / "three.json").write_text(text)
        with pytest.raises(WpmError, match=part):
            build_package(project, tmp_path / "x.webc")


def test_a_package_is_not_built_from_a_package(project: Path, tmp_path: Path) -> None:
    built = build_package(project, tmp_path / "x.webc")
    with pytest.raises(WpmError, match="is a package already"):
        build_package(built.path)


def test_a_dependency_by_path_is_packed_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "wasmer.toml").write_text("[dependencies]\n'wpm/x' = './x'")
    built = build_package(tmp_path, tmp_path / "x.webc")
    assert len(built.warnings) == 1 and "publish the dependency" in built.warnings[0]


class TestTarballs:
    @staticmethod
    def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
        with tarfile.open(path, "w:gz") as tar:
            for member, content in members:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    def test_the_same_package_as_from_the_directory(self, project: Path, tmp_path: Path) -> None:
        shutil.rmtree(project / "data" / ".git")
        with tarfile.open(tmp_path / "demo.tar.gz", "w:gz") as tar:
            tar.add(project, ".")
        from_archive = build_package(tmp_path / "demo.tar.gz", tmp_path / "1.webc")
        assert from_archive.sha256 == build_package(project, tmp_path / "2.webc").sha256

    @pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped-by-a-test", "a/../../escaped"])
    def test_no_member_leaves_the_folder(self, tmp_path: Path, name: str) -> None:
        path = self.archive(tmp_path / "x.tar.gz", (tarfile.TarInfo("wasmer.toml"), b""), (tarfile.TarInfo(name), b"x"))
        if name.startswith("/"):
            build_package(path, tmp_path / "x.webc")  # an absolute name is taken as a relative one
        else:
            with pytest.raises(WpmError, match="would leave the folder"):
                build_package(path, tmp_path / "x.webc")
        assert not (tmp_path.parent / "escaped").exists() and not Path("/tmp/escaped-by-a-test").exists()

    def test_links_that_lead_out_and_devices(self, tmp_path: Path) -> None:
        for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../x"), (tarfile.CHRTYPE, "")):
            member = tarfile.TarInfo("link")
            member.type, member.linkname = kind, target
            with pytest.raises(WpmError, match=r"x\.tar\.gz"):
                build_package(self.archive(tmp_path / "x.tar.gz", (member, b"")), tmp_path / "x.webc")

    def test_nothing_is_written_through_a_link(self, tmp_path: Path) -> None:
        inner, outer, through = (tarfile.TarInfo(name) for name in ("a/b", "a/c", "a/c/../escaped"))
        inner.type, inner.linkname = tarfile.SYMTYPE, "."
        outer.type, outer.linkname = tarfile.SYMTYPE, "b/.."
        for name in ("a/c/escaped", "a/c"):
            through.name = name
            path = self.archive(tmp_path / "x.tar.gz", (inner, b""), (outer, b""), (through, b"x"))
            with pytest.raises(WpmError, match="would leave the folder"):
                build_package(path, tmp_path / "x.webc")

    def test_links_within_it_and_files_that_come_twice(self, project: Path, tmp_path: Path) -> None:
        shutil.rmtree(project / "data" / ".git")
        with tarfile.open(tmp_path / "demo.tar.gz", "w:gz") as tar:
            tar.add(project, ".")
            tar.add(project / "wasmer.toml", "wasmer.toml")
            for kind, target in ((tarfile.SYMTYPE, "../wasmer.toml"), (tarfile.LNKTYPE, "wasmer.toml")):
                member = tarfile.TarInfo(f"data/{kind.decode()}")
                member.type, member.linkname = kind, target
                tar.addfile(member)
        shutil.copy(project / "wasmer.toml", project / "data" / "1")
        (project / "data" / "2").symlink_to("../wasmer.toml")
        from_archive = build_package(tmp_path / "demo.tar.gz", tmp_path / "1.webc")
        assert from_archive.sha256 == build_package(project, tmp_path / "2.webc").sha256

    def test_headers_and_sizes_are_not_believed(self, tmp_path: Path) -> None:
        huge = tarfile.TarInfo("x")
        huge.type = tarfile.XHDTYPE
        member = huge.tobuf()[:124] + b"77777777777\0" + huge.tobuf()[136:]
        fixed = bytearray(member)
        fixed[148:156] = b"%06o\0 " % (sum(fixed) - sum(fixed[148:156]) + 8 * 32)
        import gzip

        (tmp_path / "x.tar.gz").write_bytes(gzip.compress(bytes(fixed)))
        with pytest.raises(WpmError, match="cannot be unpacked"):
            build_package(tmp_path / "x.tar.gz")

    def test_what_is_no_archive_of_a_package(self, tmp_path: Path) -> None:
        empty = self.archive(tmp_path / "empty.tar.gz")
        with pytest.raises(WpmError, match=r"has no wasmer\.toml or wapm\.toml at its top"):
            build_package(empty)
        whole = self.archive(tmp_path / "x.tar.gz", (tarfile.TarInfo("wasmer.toml"), os.urandom(5000)))
        data = whole.read_bytes()
        whole.write_bytes(data[: len(data) // 2])
        with pytest.raises(WpmError, match="cannot be unpacked"):
            build_package(whole)
        whole.write_bytes(b"\x1f\x8bnonsense")
        with pytest.raises(WpmError, match="cannot be unpacked"):
            build_package(whole)

    def test_errors_name_the_archive(self, tmp_path: Path) -> None:
        path = self.archive(tmp_path / "x.tar.gz", (tarfile.TarInfo("wapm.toml"), b"package = 1"))
        with pytest.raises(WpmError, match=r"x\.tar\.gz/wapm\.toml: package: expected a table"):
            build_package(path)

    def test_published_packages(self, conformance: Path, tmp_path: Path) -> None:
        built = build_package(conformance / "legacy" / "coreutils-1.0.11.tar.gz", tmp_path)
        assert built.path.name == "sharrattj-coreutils-1.0.11.webc"
        with Container.open(built.path) as container:
            container.verify()
            assert len(container.manifest.commands) == 101
            assert paths(container, "/usr") == ["/coreutils/README.md"]
