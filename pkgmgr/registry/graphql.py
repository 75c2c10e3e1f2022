"""A registry that is asked over the network, as Wasmer's is: https://registry.wasmer.io/graphql.

What it says is kept in the metadata cache: for as long as the registry says, or ten minutes, then it is asked whether that
is still right. What is known by a hash stays right for ever. Where the registry cannot be reached, or `--offline` forbids
it, what it said last serves, however old, and a line on standard error says so once.

Of the two files that a version may have there, containers of version 3 are preferred to those of version 2, as Wasmer does.
What resolution needs is mostly in the manifest that the registry sends along; where it is not (an old package without
an `fs` table, a registry that tells no sizes) the file itself is fetched into the store, where it is needed anyway.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import BY_HASH, NETWORK
from pkgmgr.registry.endpoint import Endpoint
from pkgmgr.registry.knowledge import Knowledge, told
from pkgmgr.registry.queries import about, search
from pkgmgr.registry.replies import V3, Distribution, Offer, read_found, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from pkgmgr.http.cache import MetadataCache
    from pkgmgr.http.client import HttpClient
    from pkgmgr.registry.listing import FoundPackage, PackageAbout, Release
    from pkgmgr.store import Store
    from pkgmgr.summary import Location, PackageSummary
    from pkgmgr.version import Version

_MOST_SIMILAR: Final = 50


class GraphqlRegistry:
    """A registry that is asked over the network; any number of threads may use it.

    Args:
        url: Its GraphQL endpoint, in its one form (`parse_url`).
        client: Who asks.
        cache: Where its answers are kept.
        store: Where the files go that have to be looked into.
        mirrors: The URLs that are asked instead, in this order; empty asks the registry itself.
        offline: Whether the network must not be used.
        refresh: Whether to ask anew where what is known is still fresh.
        note: Told once where old answers are used; None prints it on standard error.
    """

    needs_network = True

    def __init__(
        self,
        url: str,
        client: HttpClient,
        cache: MetadataCache,
        store: Store,
        *,
        mirrors: Sequence[str] = (),
        offline: bool = False,
        refresh: bool = False,
        note: Callable[[str], object] | None = None,
    ) -> None:
        self.url = url
        self.title = url
        self.offline = offline
        self._client = client
        self._endpoint = Endpoint(tuple(mirrors) or (url,), client)
        self._known = Knowledge(url, self._endpoint, cache, offline=offline, refresh=refresh, note=note)
        self._store = store
        self._summaries: dict[tuple[str, Version], PackageSummary] = {}

    def versions(self, name: str) -> Sequence[Version]:
        """The versions of which the registry has a file that can be checked."""
        return list(self._offers(name))

    def yanked(self, name: str) -> Collection[Version]:
        """Those that are archived there; without the network also those that could not be fetched, if others are stored.

        So what is locked stays, and what is newly chosen can be installed.
        """
        offers = self._offers(name)
        withdrawn = {offer.version for offer in offers.values() if offer.archived}
        if not self.offline:
            return withdrawn
        unknown = {
            version for version, offer in offers.items() if not self._known.details.knows((name, version), offer)
        }
        missing = {version for version, offer in offers.items() if not self._is_stored(offer.distributions[0])}
        if len(missing) == len(offers):
            missing = set()
        elif missing:
            self._known.say(f"offline, {self.url}: only versions that are in the store are newly chosen")
        return withdrawn | missing | unknown

    def prefetch(self, names: Collection[str]) -> None:
        """Ask for all that is not known in a few requests."""
        self._known.prefetch(names)

    def prefetch_summaries(self, wanted: Collection[tuple[str, Version]]) -> None:
        """Ask for the manifests that are not known in a few requests."""
        self._known.prefetch_details([each for each in wanted if each not in self._summaries])

    def summary(self, name: str, version: Version) -> PackageSummary:
        """What the registry's manifest of a version says, or its file where the manifest does not say enough."""
        if (name, version) not in self._summaries:
            offer = self._offer(name, version)
            source = NETWORK + self.url
            self._summaries[name, version] = told(
                self.url, f"{name} {version}", lambda: self._summarize(offer.distributions[0], source, name, version)
            )
        return self._summaries[name, version]

    def similar(self, name: str) -> Sequence[str]:
        """Names that are spelled nearly so, among those that searches for parts of this one find."""
        from difflib import get_close_matches

        namespace, _, last = name.rpartition("/")
        for text in dict.fromkeys((last, last[: max(3, len(last) // 2)], namespace)):
            try:
                found = [each.name for each in self.search(text, _MOST_SIMILAR)] if text else []
            except WpmError:
                return ()
            if near := get_close_matches(name, found, 3, 0.75):
                return near
        return ()

    def search(self, text: str, most: int) -> Sequence[FoundPackage]:
        """What the registry's own search finds; never from the cache."""
        from pkgmgr.registry.listing import FoundPackage

        if self.offline:
            raise WpmError(f"{self.url}: a search asks the registry itself, and --offline forbids to ask it")
        answer = self._endpoint.ask(lambda _: search(text, most), brief=True)
        found = told(self.url, "search", lambda: read_found(answer.value("search")))
        return [FoundPackage(*each) for each in found[:most]]

    def about(self, name: str) -> PackageAbout | None:
        """What the registry says of a package and of its newest version that is not archived."""
        from pkgmgr.registry.listing import PackageAbout, Release

        listed = sorted(self._offers(name).values(), key=lambda offer: offer.version, reverse=True)
        if not listed:
            return None
        self._known.prefetch_details([(name, offer.version) for offer in listed])
        offers = [self._detailed(name, offer, needed=False) for offer in listed]
        releases = tuple(
            Release(offer.version, offer.archived, offer.distributions[0].sha256, offer.distributions[0].size)
            for offer in offers
        )
        speaker = self._detailed(name, next((offer for offer in offers if not offer.archived), offers[0]))
        said = told(self.url, name, lambda: self._about(speaker.distributions[0], name, releases))
        return PackageAbout(**{**said._asdict(), **self._texts(name)})

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """The package whose file has this hash; its source is the hash, whatever it is called."""
        file = self._known.file(sha256)
        if file is None:
            return None
        return told(self.url, f"sha256:{sha256}", lambda: self._summarize(file, BY_HASH))

    def location(self, name: str, version: Version) -> Location:
        """The URL of a version's file, as the registry gives it."""
        return self.locate(name, version).url

    def locate(self, name: str, version: Version, sha256: str | None = None) -> Distribution:
        """The file of a version.

        Args:
            name: The package.
            version: Its version; the registry is asked anew where it is not among those that are known.
            sha256: The hash of the file that is wanted, where several are there; a hash that none has is passed over.

        Raises:
            WpmError: There is no such version.
        """
        listed = self._listed(name, version)
        is_detailed = listed.distributions[0].is_detailed
        age = self._known.package(name).age if is_detailed else 0.0
        if not is_detailed:
            listed, age, _ = self._known.details.get((name, version), listed)
        wanted = _chosen(listed, sha256)
        if wanted.expires is not None and age >= wanted.expires / 2 and not self.offline:
            # The registry signs its URLs for a while: an old one would be refused.
            if is_detailed:
                self._known.package(name, anew=True)
                return _chosen(self._offer(name, version), sha256)
            return _chosen(self._known.details.get((name, version), listed, anew=True).offer, sha256)
        return wanted

    def _offers(self, name: str) -> dict[Version, Offer]:
        return self._known.package(name).offers or {}

    def _offer(self, name: str, version: Version) -> Offer:
        """One version, with all that is known of its files."""
        return self._detailed(name, self._listed(name, version))

    def _detailed(self, name: str, listed: Offer, *, needed: bool = True) -> Offer:
        """A version that is listed with all that is known of its files; `needed` is whether the registry may be asked."""
        if listed.distributions[0].is_detailed:
            return listed
        if not needed and not self._known.details.knows((name, listed.version), listed):
            return listed
        # Whether it is archived now only the list says.
        return self._known.details.get((name, listed.version), listed).offer._replace(archived=listed.archived)

    def _listed(self, name: str, version: Version) -> Offer:
        """One version as the list has it; a version that is new since the answer was kept is found, too."""
        offers = self._offers(name)
        if version not in offers and self._known.package(name).age > 0 and not self.offline:
            offers = self._known.package(name, anew=True).offers or {}
        if version not in offers:
            raise WpmError(f"{name} {version}: {self.url} has no such version" + self._offline_hint())
        return offers[version]

    def _summarize(
        self, file: Distribution, source: str, name: str = "", version: Version | None = None
    ) -> PackageSummary:
        """The summary of a file, from its manifest where that says everything."""
        from pkgmgr.summary import summarize, summarize_manifest
        from webc_parser import WebcError

        try:
            manifest = read_manifest(file.manifest)
            known = manifest is not None and (file.format == V3 or "fs" in manifest.package.annotations)
            if manifest is not None and known and file.size is not None:
                summary = summarize_manifest(manifest, source, file.url, name=name, version=version)
                return replace(summary, sha256=file.sha256, size=file.size)
        except WebcError as error:
            raise WpmError(f"its manifest: {error}") from None
        summary = summarize(self._fetched(file), source)
        return replace(summary, location=file.url, name=name or summary.name, version=version or summary.version)

    def _about(self, file: Distribution, name: str, releases: Sequence[Release]) -> PackageAbout:
        from pkgmgr.registry.listing import about_file, about_manifest

        if file.manifest is None:
            return about_file(self._fetched(file), name, releases)
        text = file.manifest
        if not isinstance(text, str):
            import json

            text = json.dumps(text)
        return about_manifest(text, name, releases)

    def _fetched(self, file: Distribution) -> Path:
        """The path of a file in the store, where it is brought if it is not there."""
        if not self._is_stored(file):
            self._known.check_online(f"sha256:{file.sha256}")
            self._client.download(file.url, self._store, file.sha256, file.size)
        return self._store.path(file.sha256)

    def _is_stored(self, file: Distribution) -> bool:
        return self._store.has(file.sha256, file.size)

    def _texts(self, name: str) -> dict[str, str]:
        """What the registry itself says of a package, which need not be in its manifest; nothing where it cannot be asked."""
        from pkgmgr.plain_text import one_line

        if self.offline:
            return {}
        try:
            answer = self._endpoint.ask(lambda _: about(name), brief=True)
        except WpmError:
            return {}
        match answer.data:
            case {"getPackage": {"lastVersion": dict(said)}}:
                return {key: one_line(said[key]) for key in _TEXTS if said.get(key) and isinstance(said[key], str)}
        return {}

    def _offline_hint(self) -> str:
        return " as far as is known without the network, which --offline forbids" if self.offline else ""


_TEXTS: Final = ("description", "license", "homepage", "repository")


def _chosen(offer: Offer, sha256: str | None) -> Distribution:
    """The file of a version that has a hash; the one that is preferred where none has."""
    return next((each for each in offer.distributions if each.sha256 == sha256), offer.distributions[0])
