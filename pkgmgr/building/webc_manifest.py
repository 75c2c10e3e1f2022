"""From a `wasmer.toml` to the manifest of a WEBC, as `wasmer package build` makes it.

The keys are those of the `webc` crate's `metadata::Manifest` and `metadata::annotations`. In one thing this differs
from current Wasmer: the package's name, version and description are kept, so that a file says what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkgmgr.errors import WpmError
from pkgmgr.manifest import AnnotationsFile
from pkgmgr.manifest.annotations import AnnotationError, check_wasi, plain
from pkgmgr.manifest.names import shown
from pkgmgr.source import NamedSource, PathSource, parse_dependency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkgmgr.manifest import Bindings, Command, FsMapping, ProjectManifest

METADATA_VOLUME = "metadata"
"""The volume with the readme, the license file and the interface definitions, at their paths in the package."""

KIND_BASE = "https://webc.org/kind/"
RUNNER_BASE = "https://webc.org/runner/"
WASI_RUNNER = RUNNER_BASE + "wasi"

_ANNOTATED_RUNNERS = ("wasi", "wcgi")
_SHORT_RUNNERS = {"wasi@unstable_": "wasi", "generic": "wasi", "none": "wasi"}


def runner_uri(name: str) -> str:
    """The URI of a runner: a URL stays as it is, a short name is one of webc.org's."""
    return name if "://" in name else RUNNER_BASE + _SHORT_RUNNERS.get(name, name)


def runner_kind(uri: str) -> str:
    """`wasi`, `wcgi` and so on for the URI of a runner, older forms such as `wasi/command@unstable_` included."""
    return uri.removeprefix(RUNNER_BASE).partition("/")[0].partition("@")[0]


def volume_name(host: str) -> str:
    """The name of the volume with the files of a mapped path."""
    return "/" + host


def webc_manifest(manifest: ProjectManifest, read: Callable[[str, str], bytes], warnings: list[str]) -> dict[str, Any]:
    """The WEBC manifest of a package, but for the atoms' signatures, which are made when they are written.

    Args:
        manifest: What `wasmer.toml` says.
        read: Reads a file of the package, given its path and the manifest's file and key for errors.
        warnings: Gets what is odd and yet can be packed.

    Raises:
        WpmError: A file of annotations cannot be read, or annotations contradict the command.
    """
    made: dict[str, Any] = {
        "atoms": {
            module.name: {"kind": _kind(module.kind)} | _hints(module.pass_params) for module in manifest.modules
        },
        "commands": {
            command.name: _command(manifest, command, f"{manifest.path}: command[{index}]", read, warnings)
            for index, command in enumerate(manifest.commands)
        },
        "package": _package(manifest),
    }
    if manifest.dependencies:
        made["use"] = dict(_dependencies(manifest, warnings))
    bindings = [_binding(module.name, module.bindings) for module in manifest.modules if module.bindings]
    if bindings:
        made["bindings"] = bindings
    if manifest.default_command is not None:
        made["entrypoint"] = manifest.default_command
    return made


def _kind(kind: str | None) -> str:
    return kind if kind is not None and "://" in kind else KIND_BASE + (kind or "wasm")


def _hints(pass_params: bool | None) -> dict[str, Any]:
    if pass_params is None:
        return {}
    return {"annotations": {"suggested_compiler_optimizations": {"pass_params": pass_params}}}


def _package(manifest: ProjectManifest) -> dict[str, Any]:
    package: dict[str, Any] = {}
    if manifest.has_package:
        wapm: dict[str, Any] = {
            key: value
            for key in ("name", "version", "description", "license", "repository", "homepage")
            if (value := getattr(manifest, key)) is not None
        }
        for key, path in (("license-file", manifest.license_file), ("readme", manifest.readme)):
            if path is not None:
                wapm[key] = {"volume": METADATA_VOLUME, "path": f"/{path}"}
        if manifest.private:
            wapm["private"] = True
        package["wapm"] = wapm
    if manifest.fs:
        package["fs"] = [_mapping(mapping) for mapping in manifest.fs]
    return package


def _mapping(mapping: FsMapping) -> dict[str, Any]:
    volume = mapping.volume if mapping.host is None else volume_name(mapping.host)
    made = {"from": mapping.source, "volume_name": volume, "mount_path": mapping.guest}
    return made if mapping.subpath is None else made | {"host_path": mapping.subpath}


def _dependencies(manifest: ProjectManifest, warnings: list[str]) -> Iterable[tuple[str, str]]:
    for name, text in manifest.dependencies.items():
        source = parse_dependency(name, text)
        if isinstance(source, PathSource):
            warnings.append(
                f"{manifest.path}: dependencies.{shown(name)}: the package will look for {shown(text)} wherever it is "
                "used: publish the dependency and ask for a version of it"
            )
        if isinstance(source, NamedSource) and source.registry is None:
            yield name, f"{source.name}@{source.requirement}"
        else:
            yield name, str(source)


def _binding(module: str, bindings: Bindings) -> dict[str, Any]:
    described: dict[str, Any] = {"module": module}
    if bindings.exports is not None:
        described["exports"] = _metadata_uri(bindings.exports)
    if bindings.kind == "wai":
        described["imports"] = [_metadata_uri(path) for path in bindings.imports]
    return {
        "name": "library-bindings",
        "kind": f"{bindings.kind}@{bindings.version}",
        "annotations": {bindings.kind: described},
    }


def _metadata_uri(path: str) -> str:
    return f"{METADATA_VOLUME}://{path}"


def _command(
    manifest: ProjectManifest,
    command: Command,
    where: str,
    read: Callable[[str, str], bytes],
    warnings: list[str],
) -> dict[str, Any]:
    own = {module.name: module for module in manifest.modules}
    if command.runner is not None:
        runner = runner_uri(command.runner)
    elif command.module.dependency is None:
        runner = runner_uri(own[command.module.module].abi)
    else:
        runner = WASI_RUNNER  # the dependency's ABI is not known here; the short form of a command is always WASI's
    atom = {"name": command.module.module}
    if command.module.dependency is not None:
        atom["dependency"] = command.module.dependency
    annotations: dict[str, Any] = {"atom": atom}
    if runner_kind(runner) in _ANNOTATED_RUNNERS:
        wasi: dict[str, Any] = {"atom": str(command.module)}
        if command.main_args:
            wasi["main-args"] = list(command.main_args)
        if command.package is not None:
            wasi["package"] = command.package
        annotations["wasi"] = wasi
    elif command.main_args:
        warnings.append(f"{where}.main_args: only the runners wasi and wcgi read it; {shown(runner)} does not")
    custom = command.annotations
    if isinstance(custom, AnnotationsFile):
        custom = _from_file(custom, f"{where}.annotations.file", read)
    for key, value in custom.items():
        annotations[key] = _merged(annotations.get(key), value, f"{where}.annotations.{key}")
    return {"runner": runner, "annotations": annotations}


def _merged(ours: Any, theirs: Any, where: str) -> Any:
    """Two annotations as one, by the rules of `wasmer package build`: tables unite, arrays are joined."""
    match ours, theirs:
        case None, _:
            return theirs
        case _, None:
            return ours
        case dict(), dict():
            united = dict(ours)
            for key, value in theirs.items():
                united[key] = _merged(united.get(key), value, f"{where}.{key}")
            return united
        case list(), list():
            return [*ours, *theirs]
        case _ if type(ours) is type(theirs) and ours == theirs:
            return ours
    raise WpmError(f"{where}: {shown(theirs)} contradicts {shown(ours)}, which the command says already: remove it")


def _from_file(file: AnnotationsFile, where: str, read: Callable[[str, str], bytes]) -> dict[str, Any]:
    data = read(file.file, where)
    try:
        value = _parse_json(data) if file.kind == "json" else _parse_yaml(data, where)
        annotations = plain(value)
        check_wasi(annotations)
    except AnnotationError as error:
        place = f"{error.key}: " if error.key else ""
        raise WpmError(f"{where}: {shown(file.file)}: {place}{error.problem}") from None
    except (ValueError, RecursionError) as error:
        reason = shown(str(error))[1:-1]
        raise WpmError(f"{where}: {shown(file.file)} is not valid {file.kind.upper()}: {reason}") from None
    return annotations


def _parse_json(data: bytes) -> object:
    import json

    return json.loads(data)


def _parse_yaml(data: bytes, where: str) -> object:
    from importlib import import_module

    try:
        yaml = import_module("yaml")
    except ImportError:
        raise WpmError(
            f"{where}: reading YAML needs PyYAML: run pip install pyyaml, or write the file as JSON"
        ) from None
    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
