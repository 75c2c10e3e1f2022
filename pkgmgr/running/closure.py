"""From something a person names to the packages behind it, ready for the factory.

A project's packages are those of its lock. A package that is named on the command line is resolved too, and what came
of it is kept beside the store as a lock of its own, with what would show that it is out of date: the versions that the
registries had, and the files that answered. So the second `wpm run wpm/hello` resolves nothing.
"""

from __future__ import annotations

from contextlib import suppress

from binfactory.node import PackageNode
from pkgmgr.errors import WpmError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.source import PackageSource
    from pkgmgr.store import Store


def project_nodes(project: Project, store: Store, options: InstallOptions) -> dict[str, PackageNode]:
    """What a project depends on, by alias, installed where it is not.

    With a valid lock and all its packages in the store this asks no registry and opens no package.

    Raises:
        WpmError: The dependencies cannot be resolved or fetched.
    """
    from pkgmgr.installing.install import fetch_missing, plan
    from pkgmgr.locks.lockfile import write_lock
    from pkgmgr.locks.nodes import locked_nodes

    lock = plan(project, store, options)
    fetch_missing(lock, project, store, options)
    if lock is not project.lock and lock.packages:
        # Where the project cannot be written to it still runs, and resolves again the next time.
        with suppress(OSError):
            write_lock(project.lock_path, lock)
    nodes = locked_nodes(lock, store)
    return {alias: nodes[package] for alias, package in lock.roots.items()}


def package_node(source: PackageSource | str, store: Store, options: InstallOptions) -> PackageNode:
    """The package that somebody names, with all that it needs in the store.

    Args:
        source: A name, a hash, a URL, or the path of a package file; a directory is a project, not a package.
        store: Where packages are and go.
        options: The registry, and whether the network may be used.

    Raises:
        WpmError: It cannot be found, resolved or fetched.
    """
    from pathlib import Path

    from pkgmgr.locks.nodes import locked_nodes
    from pkgmgr.source import HashSource, PathSource, parse_source

    if isinstance(source, str):
        source = parse_source(source)
    if isinstance(source, PathSource):
        return file_node(source.below(Path.cwd()), store, options)
    from pkgmgr.installing.adhoc import adhoc_lock

    if isinstance(source, HashSource) and store.use(source.sha256):
        return file_node(store.path(source.sha256), store, options, sha256=source.sha256)
    lock = adhoc_lock({str(source): str(source)}, store, options)
    return locked_nodes(lock, store)[lock.roots[str(source)]]


def file_node(path: Path | str, store: Store, options: InstallOptions, sha256: str | None = None) -> PackageNode:
    """The package in a file, where it lies, with what it needs from the registries.

    Args:
        path: A `.webc`.
        store: Where its dependencies are and go.
        options: The registry, and whether the network may be used.
        sha256: The hash of the file where somebody vouches for it.

    Raises:
        WpmError: It is no package, or what it needs cannot be had.
    """
    from binfactory.known_digests import KnownDigests
    from binfactory.pinned import NotPinned, open_pinned
    from webc_parser import Container, WebcError

    try:
        container = Container.open(path) if sha256 is None else open_pinned(path, sha256)
        manifest = container.manifest
    except NotPinned:
        raise WpmError(f"{path}: its bytes have another sha256 than {sha256}: delete it") from None
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    except WebcError as error:
        raise WpmError(f"{path}: {error}") from None
    info = manifest.package
    return PackageNode(
        f"{info.name}@{info.version}" if info.name and info.version else f"sha256:{sha256}" if sha256 else str(path),
        path,
        container=container,
        dependencies=dependency_nodes({alias: each.spec for alias, each in manifest.use.items()}, store, options),
        sha256=sha256,
        digests=KnownDigests(store.modules_name),
    )


def dependency_nodes(specs: Mapping[str, str], store: Store, options: InstallOptions) -> dict[str, PackageNode]:
    """The packages that a container's manifest asks for, by alias.

    Args:
        specs: Alias to package source, as the manifest has it.
        store: Where packages are and go.
        options: The registry, and whether the network may be used.

    Raises:
        WpmError: They cannot be resolved or fetched, or one is a path of this machine.
    """
    if not specs:
        return {}
    from pkgmgr.locks.nodes import locked_nodes
    from pkgmgr.source import PathSource, parse_source

    for alias, spec in specs.items():
        if isinstance(parse_source(spec), PathSource):
            raise WpmError(
                f"the dependency {alias!r} is a path of this machine ({spec!r}): a package may not ask for one"
            )
    from pkgmgr.installing.adhoc import adhoc_lock

    lock = adhoc_lock(specs, store, options)
    nodes = locked_nodes(lock, store)
    return {alias: nodes[package] for alias, package in lock.roots.items()}
