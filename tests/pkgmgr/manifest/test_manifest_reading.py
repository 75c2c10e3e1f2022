"""Manifests as people write them, and what they mean."""

from pathlib import Path

import pytest

from pkgmgr.errors import WpmError
from pkgmgr.manifest import (
    AnnotationsFile,
    Bindings,
    FsMapping,
    ModuleReference,
    ProjectManifest,
    load_manifest,
    parse_manifest,
)

WHOLE = (Path(__file__).parent / "whole.toml").read_text()


def parsed(text: str) -> ProjectManifest:
    return parse_manifest(text, Path("/project/wasmer.toml"))


def test_everything_that_a_manifest_can_say() -> None:
    manifest = parsed(WHOLE)
    assert manifest.warnings == ()
    assert manifest.directory == Path("/project")
    assert (manifest.name, manifest.version) == ("wpm/demo", "1.2.3-rc.1+build.5")
    assert (manifest.license, manifest.license_file, manifest.readme) == ("MIT", "LICENSE", "README.md")
    assert (manifest.repository, manifest.homepage) == ("https://example.com/repo", "https://example.com")
    assert manifest.wasmer_extra_flags == "--enable-threads"
    assert manifest.disable_command_rename and manifest.rename_commands_to_raw_command_name and manifest.private
    assert manifest.entrypoint == manifest.default_command == "two"
    assert dict(manifest.dependencies) == {"wpm/coreutils": "^1.0", "wpm/data": "*", "quickjs": ">=0.1, <0.3"}
    assert manifest.fs == (
        FsMapping("/usr/share", host="share"),
        FsMapping("/etc", host="etc"),
        FsMapping("/lib", source="wpm/data", volume="/lib", subpath="sub"),
    )
    main, lib, wit = manifest.modules
    assert (main.name, main.source, main.abi, main.kind) == ("main", "target/main.wasm", "wasi", "wasm")
    assert dict(main.interfaces) == {"wasi": "0.1.0-unstable"}
    assert main.pass_params is True and lib.pass_params is None
    assert lib.bindings == Bindings("wai", "0.2.0", "lib.wai", ("host.wai",))
    assert wit.bindings == Bindings("wit", "0.1.0", "wit/exports.wit")
    one, two, three = manifest.commands
    assert (one.runner, one.main_args, one.package) == (None, ("--first", "second"), "wpm/other")
    assert two.module == ModuleReference("coreutils", "wpm/coreutils")
    assert str(two.module) == "wpm/coreutils:coreutils"
    assert two.annotations == {"wasi": {"env": ["A=B"], "main-args": ["x y"]}, "when": "1979-05-27T07:32:00Z"}
    assert three.main_args == ("a b", "c")
    assert three.annotations == AnnotationsFile("notes.json", "json")


def test_a_package_need_not_have_a_name() -> None:
    bare = parsed("")
    assert (bare.has_package, bare.name, bare.commands, bare.default_command) == (False, None, (), None)
    assert parsed("[package]\ndescription = 'x'").has_package


def test_the_only_command_is_the_default() -> None:
    assert parsed("[[module]]\nname='m'\nsource='m'\n[[command]]\nname='c'\nmodule='m'").default_command == "c"


def test_the_array_form_of_fs() -> None:
    assert parsed("[[fs]]\nguest='/a'\nhost='b'").fs == (FsMapping("/a", host="b"),)


def test_the_package_directory_itself_can_be_mapped() -> None:
    assert parsed("[fs]\n'/' = '.'").fs == (FsMapping("/", host=""),)


def test_unknown_keys_are_warnings_that_guess_what_was_meant() -> None:
    manifest = parsed("[package]\nlicence-file='x'\nlicense_file='LICENSE'\n[env]\nA='b'\n[[modules]]\nname='x'")
    assert manifest.warnings == (
        "/project/wasmer.toml: package.licence-file: unknown key, ignored: did you mean license-file?",
        "/project/wasmer.toml: package.license_file: unknown key, ignored: did you mean license-file?",
        "/project/wasmer.toml: env: unknown key, ignored",
        "/project/wasmer.toml: modules: unknown key, ignored: did you mean module?",
    )


MODULE = "[[module]]\nname='m'\nsource='m.wasm'\n"


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("[package", "wasmer.toml", "not valid TOML"),
        ("a = " + "[" * 3000, "wasmer.toml", "nested too deep"),
        ("a = " + "9" * 5000, "wasmer.toml", "not valid TOML"),
        ("package = 3", "package", "expected a table, found an integer"),
        ("[package]\nname='a b/c'", "package.name", "not a package name"),
        ("[package]\nname=3", "package.name", "expected a string, found an integer"),
        ("[package]\nversion='1.0'", "package.version", "not a version"),
        ("[package]\nprivate='yes'", "package.private", "expected true or false"),
        ("[package]\nreadme='../README.md'", "package.readme", "outside of the package"),
        ("[package]\nlicense-file='/etc/passwd'", "package.license-file", "outside of the package"),
        ("[package]\nreadme='.'", "package.readme", "names the package's directory"),
        ("[package]\nentrypoint='x'", "package.entrypoint", "is not a command: use one of none"),
        ("[dependencies]\n'a/b'='one'", 'dependencies."a/b"', "not a version requirement"),
        ("[dependencies]\n'a/b'=1", 'dependencies."a/b"', "expected a string"),
        ("[dependencies]\n'a b'='1'", 'dependencies."a b"', "not a package name"),
        ("[package]\nname='a/b'\n[dependencies]\n'a/b'='1'", 'dependencies."a/b"', "depends on itself"),
        ("[fs]\n'/a'='../b'", 'fs."/a"', "outside of the package"),
        ("[fs]\n'/a'='C:\\b'", 'fs."/a"', "outside of the package"),
        ("[fs]\n'../a'='b'", 'fs."../a"', "is not a guest path"),
        ("[fs]\n'/a'=3", 'fs."/a"', "expected a string, found an integer"),
        ("[fs]\na='b'\n'/a/'='c'", "fs", "is there twice"),
        ("[fs]\n'/a'={from='x/y',volume='/v'}", 'fs."/a".from', "is not a dependency"),
        ("[[fs]]\nhost='b'", "fs[0].guest", "is missing"),
        ("fs = 3", "fs", "expected a table, found an integer"),
        ("[module]\nname='m'", "module", "write [[module]]"),
        ("module = [3]", "module[0]", "expected a table"),
        ("[[module]]\nsource='m'", "module[0].name", "is missing"),
        ("[[module]]\nname='m'", "module[0].source", "is missing"),
        ("[[module]]\nname='a/b'\nsource='m'", "module[0].name", "is not a module name"),
        ("[[module]]\nname='m'\nsource='a/../../m'", "module[0].source", "outside of the package"),
        (MODULE + MODULE, "module[1].name", "is there twice"),
        (MODULE + "abi='wasix'", "module[0].abi", "is unknown: use one of"),
        (MODULE + "kind='elf'", "module[0].kind", "is unknown"),
        (MODULE + "interfaces={wasi=1}", "module[0].interfaces.wasi", "expected a string"),
        (MODULE + "bindings={}", "module[0].bindings", "expected one of wit-bindgen and wai-version"),
        (MODULE + "bindings={wit-bindgen='1.0.0'}", "module[0].bindings.wit-exports", "is missing"),
        (MODULE + "bindings={wai-version='1',exports='x'}", "module[0].bindings.wai-version", "not a version"),
        (MODULE + "[[command]]\nmodule='m'", "command[0].name", "is missing"),
        (MODULE + "[[command]]\nname='c'", "command[0].module", "is missing"),
        (MODULE + "[[command]]\nname=''\nmodule='m'", "command[0].name", "is empty"),
        (MODULE + "[[command]]\nname='..'\nmodule='m'", "command[0].name", "is not a command name"),
        (MODULE + "[[command]]\nname='c'\nmodule='x'", "command[0].module", 'no [[module]] here: use one of "m"'),
        (MODULE + "[[command]]\nname='c'\nmodule='a/b:x'", "command[0].module", "not a dependency"),
        (MODULE + "[[command]]\nname='c'\nmodule='a/b:x:y'", "command[0].module", "is not a module"),
        (MODULE + "[[command]]\nname='c'\nmodule='m'\n" * 2, "command[1].name", "is there twice"),
        (MODULE + "[[command]]\nname='c'\nmodule='m'\nrunner='a b'", "command[0].runner", "is not a runner"),
        (MODULE + "[[command]]\nname='c'\nmodule='m'\nannotations={a=1}", "command[0].runner", "is missing"),
        (MODULE + "[[command]]\nname='c'\nmodule='m'\nmain_args=3", "command[0].main_args", "expected a string"),
        (MODULE + "[[command]]\nname='c'\nmodule='m'\nmain_args=[3]", "command[0].main_args[0]", "expected a string"),
        (
            MODULE + "[[command]]\nname='c'\nmodule='m'\nrunner='wasi'\nannotations={wasi={env=['A']}}",
            "command[0].annotations",
            'wasi.env[0]: expected "NAME=value"',
        ),
        (
            MODULE + "[[command]]\nname='c'\nmodule='m'\nrunner='wasi'\nannotations={wasi={cwd=3}}",
            "command[0].annotations",
            "wasi.cwd: expected a string",
        ),
        (
            MODULE + "[[command]]\nname='c'\nmodule='m'\nrunner='wasi'\nannotations={a=99999999999999999999}",
            "command[0].annotations",
            "a: the integer does not fit",
        ),
        (
            MODULE + "[[command]]\nname='c'\nmodule='m'\nrunner='wasi'\nannotations={file='../x',kind='json'}",
            "command[0].annotations.file",
            "outside of the package",
        ),
    ],
)
def test_every_mistake_is_one_line_that_names_the_file_and_the_key(text: str, place: str, part: str) -> None:
    with pytest.raises(WpmError) as caught:
        parsed(text)
    message = str(caught.value)
    where = "/project/wasmer.toml" + ("" if place == "wasmer.toml" else f": {place}") + ": "
    assert message.startswith(where)
    assert part in message
    assert "\n" not in message


class TestFiles:
    def test_wasmer_toml_comes_before_wapm_toml(self, tmp_path: Path) -> None:
        (tmp_path / "wapm.toml").write_text("[package]\nname='old'\nversion='1.0.0'")
        assert load_manifest(tmp_path).name == "old"
        (tmp_path / "wasmer.toml").write_text("[package]\nname='new'")
        assert load_manifest(tmp_path).name == "new"
        assert load_manifest(tmp_path / "wapm.toml").name == "old"

    def test_no_manifest(self, tmp_path: Path) -> None:
        with pytest.raises(WpmError, match="there is no wasmer"):
            load_manifest(tmp_path)
        with pytest.raises(WpmError, match="cannot read the manifest: No such file"):
            load_manifest(tmp_path / "wasmer.toml")

    def test_what_is_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "wasmer.toml"
        path.write_bytes(b"[package]\nname='\xff'")
        with pytest.raises(WpmError, match="byte 16 is not UTF-8"):
            load_manifest(path)
        path.write_bytes(b"#" * (1 << 20) + b"\n")
        with pytest.raises(WpmError, match="larger than 1048576 bytes"):
            load_manifest(path)
        with pytest.raises(WpmError, match="not a regular file"):
            load_manifest(Path("/dev/zero"))

    def test_the_byte_order_mark_of_windows_editors(self, tmp_path: Path) -> None:
        (tmp_path / "wasmer.toml").write_bytes(b"\xef\xbb\xbf[package]\nname='a/b'")
        assert load_manifest(tmp_path).name == "a/b"

    @pytest.mark.parametrize(
        ("package", "name", "commands"),
        [("coreutils-1.0.11", "sharrattj/coreutils", 101), ("cowsay-0.3.0", "wiqar/cowsay", 2)],
    )
    def test_published_packages(self, conformance: Path, package: str, name: str, commands: int) -> None:
        import tarfile

        with tarfile.open(conformance / "legacy" / f"{package}.tar.gz") as archive:
            member = archive.extractfile("wapm.toml")
            assert member is not None
            manifest = parse_manifest(member.read().decode(), Path("wapm.toml"))
        assert (manifest.name, len(manifest.commands), manifest.warnings) == (name, commands, ())
