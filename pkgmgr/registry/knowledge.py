"""What a registry said of its packages: kept, asked for again when it is old, and used when nobody can be asked."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from pkgmgr.errors import Unreachable, WpmError
from pkgmgr.notices import notice
from pkgmgr.registry.batches import Asker, Batch, in_batches
from pkgmgr.registry.details import Details
from pkgmgr.registry.queries import release, versions
from pkgmgr.registry.replies import Distribution, Offer, read_package, read_release

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pkgmgr.http.cache import MetadataCache
    from pkgmgr.registry.endpoint import Answer, Endpoint
    from pkgmgr.registry.queries import Question
    from pkgmgr.version import Version

_T = TypeVar("_T")

FRESH_SECONDS: Final = 600.0
"""How long the versions of a package count as known where the registry does not say."""

_FOR_EVER: Final = 100 * 365 * 86400.0
_LONGEST_FRESH: Final = 86400.0


class KnownPackage(NamedTuple):
    """What is known of a package: its versions (None: there is no such package), and how old that is in seconds."""

    offers: dict[Version, Offer] | None
    age: float


class _Kept(NamedTuple):
    """What the cache has of a package; `etag` comes with the URL of who gave it."""

    package: KnownPackage
    etag: tuple[str, str] | None
    fresh: bool


class Knowledge:
    """The packages of one registry, as far as it said anything about them; any number of threads may use it.

    Args:
        url: The registry.
        endpoint: Who asks it, or its mirrors.
        cache: Where its answers are kept.
        offline: Whether the network must not be used.
        refresh: Whether to ask anew where what is known is still fresh.
        note: Told once where old answers are used; None is `notice`.

    Attributes:
        details: What it said of single versions.
    """

    def __init__(
        self,
        url: str,
        endpoint: Endpoint,
        cache: MetadataCache,
        *,
        offline: bool = False,
        refresh: bool = False,
        note: Callable[[str], object] | None = None,
    ) -> None:
        self.url = url
        self.offline = offline
        self._endpoint = endpoint
        self._cache = cache
        self._refresh = refresh
        self._note = note or notice
        self._old = False
        self._asker = Asker(endpoint)
        self.details = Details(
            url, endpoint, self._asker, cache, offline=offline, refresh=refresh, say_old=self._say_old
        )
        self._said: set[str] = set()
        self._lock = threading.Lock()
        self._packages: dict[str, KnownPackage] = {}
        self._read: dict[str, _Kept] = {}

    def package(self, name: str, *, anew: bool = False) -> KnownPackage:
        """What is known of a package, asked for where that is nothing, or not fresh.

        Args:
            name: The package.
            anew: Ask in any case.

        Raises:
            WpmError: Nothing is known, and the registry cannot be asked, or answers nonsense.
        """
        if not anew and (name in self._packages or self._from_cache(name)):
            return self._packages[name]
        kept = self._kept(name)
        try:
            self.check_online(name)
            self._ask_for(name, kept)
        except Unreachable as error:
            if kept is None:
                raise
            self._packages[name] = kept.package
            self._say_old(kept.package.age, error)
        return self._packages[name]

    def file(self, sha256: str) -> Distribution | None:
        """The file with a hash; None where the registry has none. What is behind a hash does not change.

        Raises:
            WpmError: Nothing is known, and the registry cannot be asked, or answers nonsense.
        """
        what = f"sha256:{sha256}"
        cached = self._cache.get(_key(self.url, what))
        known = None
        try:
            known = None if cached is None else read_release(cached.value["release"], sha256, cached.value["url"])
        except (WpmError, KeyError, TypeError):
            cached = None
        if known is not None and cached is not None and (cached.fresh or self.offline):
            return known
        self.check_online(what)
        try:
            answer = self._asked(what, lambda plain: release(sha256, plain=plain), brief=known is not None)
        except Unreachable as error:
            if known is None or cached is None:
                raise
            self._say_old(cached.age_seconds, error)
            return known
        value = told(self.url, what, lambda: answer.value("release"))
        found = told(self.url, what, lambda: read_release(value, sha256, answer.url))
        if found is not None:
            # A URL with a query may be signed for a while only.
            seconds = FRESH_SECONDS if "?" in found.url else _FOR_EVER
            self._cache.put(_key(self.url, what), {"url": answer.url, "release": value}, None, seconds)
        return found

    def prefetch(self, names: Collection[str]) -> None:
        """Ask for all that is not known in a few requests; what fails is asked for again by itself when it is needed."""
        unknown = [name for name in dict.fromkeys(names) if name not in self._packages and not self._from_cache(name)]
        if self.offline or not unknown:
            return
        self._ask_together(unknown)

    def prefetch_details(self, wanted: Collection[tuple[str, Version]]) -> None:
        """Ask for several versions of packages in a few requests, as far as their packages are known."""
        found = {}
        for name, version in wanted:
            offers = self._packages[name].offers if name in self._packages else None
            offer = (offers or {}).get(version)
            if offer is not None and not offer.distributions[0].is_detailed:
                found[name, version] = offer
        self.details.prefetch(found)

    def say(self, line: str) -> None:
        """Tell something, once."""
        with self._lock:
            if line in self._said:
                return
            self._said.add(line)
        self._note(line)

    def check_online(self, what: str) -> None:
        """Raise `WpmError` where the network must not be used."""
        if self.offline:
            raise WpmError(f"{what}: not known from {self.url}, and --offline forbids to ask it")

    def _from_cache(self, name: str) -> bool:
        """Whether the cache knows enough of a package, which is then taken from it."""
        if self._refresh and not self.offline:
            return False
        kept = self._kept(name)
        if kept is None or not (kept.fresh or self.offline):
            return False
        if not kept.fresh:
            self._say_old(kept.package.age, None)
        self._packages[name] = kept.package
        return True

    def _kept(self, name: str) -> _Kept | None:
        """What was kept of a package, where it can still be read."""
        if name in self._read:
            return self._read[name]
        cached = self._cache.get(_key(self.url, name))
        try:
            if cached is None or (offers := read_package(cached.value["package"], name, cached.value["url"])) is None:
                return None
            etag = (cached.etag, cached.value["url"]) if cached.etag else None
        except (WpmError, KeyError, TypeError):
            return None
        # Never quite new: a version that is missing may have come since.
        self._read[name] = _Kept(KnownPackage(offers, max(cached.age_seconds, 0.001)), etag, cached.fresh)
        return self._read[name]

    def _ask_for(self, name: str, kept: _Kept | None) -> None:
        """Ask for one package, or whether what was kept is still right."""
        answer = self._asked(
            name, lambda plain: versions([name], plain=plain), kept.etag if kept else None, brief=kept is not None
        )
        if answer.data is None and kept is not None:
            self._cache.renew(_key(self.url, name), _lifetime(answer))
            self._packages[name] = KnownPackage(kept.package.offers, 0.0)
            return
        value = told(self.url, name, lambda: answer.value("p0"))
        self._cache.put_all(self._noted(name, value, answer, answer.etag))

    def _asked(
        self,
        what: str,
        question: Callable[[bool], Question],
        etag: tuple[str, str] | None = None,
        *,
        brief: bool = False,
    ) -> Answer:
        try:
            return self._endpoint.ask(question, etag, brief=brief)
        except WpmError as error:
            raise type(error)(f"{what}: {error}") from None

    def _ask_together(self, names: Sequence[str]) -> None:
        """Ask for packages in a few requests; what goes wrong is left to those who need them."""
        batches: list[Batch[str]] = []
        kept: dict[str, _Kept] = {}
        for each in in_batches(names):
            # The same resolution asks for the same packages again: then whether all that is still right is one question.
            cached = self._cache.get(self._together(each))
            found = {name: known for name in each if (known := self._kept(name)) is not None} if cached else {}
            kept |= found
            is_known = cached is not None and cached.etag is not None and len(found) == len(each)
            tag = (cached.etag, cached.value) if is_known and cached and cached.etag else None
            batches.append(Batch(each, tag, all(self._kept(name) is not None for name in each)))
        entries: list[tuple[str, object, str | None, float | None]] = []
        renewed: dict[float, list[str]] = {}
        for batch, answer in self._asker.ask(batches, lambda names, plain: versions(names, plain=plain)):
            if answer.data is None:
                for name in batch:
                    self._packages[name] = KnownPackage(kept[name].package.offers, 0.0)
                renewed.setdefault(_lifetime(answer), []).extend(_key(self.url, name) for name in batch)
                continue
            for number, name in enumerate(batch):
                with suppress(WpmError):
                    alone = answer.etag if len(batch) == 1 else None
                    value = told(self.url, name, partial(answer.value, f"p{number}"))
                    entries += self._noted(name, value, answer, alone)
            if answer.etag is not None and not answer.errors:
                entries.append((self._together(batch), answer.url, answer.etag, 0.0))
        self._cache.put_all(entries)
        for lifetime, keys in renewed.items():
            self._cache.renew_all(keys, lifetime)

    def _together(self, names: Sequence[str]) -> str:
        """What the cache knows the ETag of an answer for several packages by."""
        return _key(self.url, f"together {' '.join(names)}")

    def _noted(
        self, name: str, value: Any, answer: Answer, etag: str | None
    ) -> list[tuple[str, object, str | None, float | None]]:
        """Note what an answer says of a package; gives what the cache is to keep."""
        offers = told(self.url, name, lambda: read_package(value, name, answer.url))
        self._packages[name] = KnownPackage(offers, 0.0)
        if offers is None:
            # That there is no such package is not kept: it may be published the next moment.
            return []
        return [(_key(self.url, name), {"url": answer.url, "package": value}, etag, _lifetime(answer))]

    def _say_old(self, age: float, error: Unreachable | None) -> None:
        reason = "--offline forbids to ask it"
        if error is not None:
            # The registry is named already.
            reason = f"it cannot be asked: {str(error).partition(f'{self.url}: ')[2] or error}"
        with self._lock:
            known, self._old = self._old, True
        if not known:
            self.say(f"{self.url}: using what it said {_how_long(age)} ago: {reason}")


def told(url: str, what: str, action: Callable[[], _T]) -> _T:
    """Do something with an answer, and say of what is wrong with it whose it is and what it is about."""
    try:
        return action()
    except Unreachable:
        raise
    except WpmError as error:
        raise type(error)(f"{url}: {what}: {error}") from None


def _key(url: str, what: str) -> str:
    """What the cache knows an answer by: the registry, the form of the question, and what was asked about."""
    return f"graphql 2 {url} {what}"


def _lifetime(answer: Answer) -> float:
    """For how long an answer counts as fresh."""
    # A server that forbids to keep what it says, but gives nothing to ask again with, would be asked for all of it each time.
    if answer.max_age is None or (answer.max_age <= 0 and answer.etag is None):
        return FRESH_SECONDS
    return min(answer.max_age, _LONGEST_FRESH)


def _how_long(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"
