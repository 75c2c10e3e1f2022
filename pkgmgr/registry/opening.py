"""Opening the registries of a run: what the command line, the environment and the configuration name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import EMBEDDED, REGISTRY
from pkgmgr.notices import notice
from pkgmgr.registry.directory import DirectoryRegistry
from pkgmgr.registry.place import DEFAULT_URL, EVERYTHING, is_network, parse_place
from pkgmgr.registry.registries import VARIABLE, Registries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkgmgr.registry.protocol import Registry
    from pkgmgr.settings.config import Configuration
    from pkgmgr.store import Store


def open_registries(
    configured: str | None = None,
    *,
    offline: bool = False,
    include: Sequence[Path] = (),
    store: Store | None = None,
    refresh: bool = False,
) -> Registries:
    """The registries of this run.

    Args:
        configured: What the command line names as the registry for every name without a line of its own: a directory,
            its `file://` URL, or an http(s) URL; None asks `WPM_REGISTRY`, and then the configuration.
        offline: Whether the network must not be used.
        include: Package files that answer for their names before any registry.
        store: Where answers of registries are kept, and files that have to be looked into; None is the user's.
        refresh: Whether to ask anew where what a registry said is still fresh.

    Raises:
        WpmError: The registry that is named is none, the configuration is wrong, or an included file is no package.
    """
    import registry_fixtures
    from pkgmgr.settings.config import Configuration

    configuration = Configuration.load()
    for warning in configuration.warnings:
        _note_once(warning)
    embedded = DirectoryRegistry(registry_fixtures.ROOT, EMBEDDED, "the embedded registry")
    included = None
    if include:
        from pkgmgr.registry.included import IncludedPackages

        included = IncludedPackages(include)
    everything = default_place(configuration, configured)

    def opener(place: str) -> Registry:
        if not is_network(place):
            return _open_directory(place)
        return _open_network(place, everything, configuration, store, offline=offline, refresh=refresh)

    registries = Registries(
        embedded,
        offline=offline,
        included=included,
        places={**configuration.registries, EVERYTHING: everything},
        opener=opener,
    )
    if not is_network(everything):
        # What somebody just typed is wrong now, not when it is first needed.
        _ = registries.configured
    return registries


def default_place(configuration: Configuration, configured: str | None = None) -> str:
    """The place of the registry for every name without a line of its own, in its one form.

    Args:
        configuration: The user's configuration.
        configured: What the command line names.

    Raises:
        WpmError: It is not a place.
    """
    text = configured or os.environ.get(VARIABLE)
    if text:
        return parse_place(text, Path.cwd())
    return configuration.registries.get(EVERYTHING, DEFAULT_URL)


def _open_directory(place: str) -> Registry:
    root = Path(place)
    if not (root / "packages").is_dir():
        hint = (
            "make one to begin a registry"
            if root.exists()
            else f"a registry of the network is written as {DEFAULT_URL}"
        )
        raise WpmError(f"{root}: not a registry: there is no directory 'packages' in it ({hint})")
    return DirectoryRegistry(root, REGISTRY, place)


def _open_network(
    place: str, everything: str, configuration: Configuration, store: Store | None, *, offline: bool, refresh: bool
) -> Registry:
    from pkgmgr.http.cache import MetadataCache
    from pkgmgr.http.origin import origin_of
    from pkgmgr.http.shared import shared_client
    from pkgmgr.registry.graphql import GraphqlRegistry
    from pkgmgr.settings.credentials import Credentials
    from pkgmgr.store import Store

    store = store or Store.default()
    credentials = Credentials(default_origin=origin_of(everything) if is_network(everything) else None)
    return GraphqlRegistry(
        place,
        shared_client(credentials.token),
        MetadataCache(store.root / "metadata"),
        store,
        mirrors=configuration.mirrors.get(place, ()),
        offline=offline,
        refresh=refresh,
        note=_note_once,
    )


_noted: Final[set[str]] = set()


def _note_once(line: str) -> None:
    """Say something once in this process, however many times registries are opened in it."""
    about = line.partition(": ")[0]
    if about not in _noted:
        _noted.add(about)
        notice(line)
