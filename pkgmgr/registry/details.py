"""What a registry said of single versions: their files and manifests, asked for when somebody looks at them.

It is kept by the hash of the file: what is in a file with a hash does not change, and is not asked for again, unless its
URL is good for a while only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import Unreachable, WpmError
from pkgmgr.registry.batches import Batch, in_batches
from pkgmgr.registry.queries import details
from pkgmgr.registry.replies import Offer, read_detail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pkgmgr.http.cache import MetadataCache
    from pkgmgr.registry.batches import Asker
    from pkgmgr.registry.endpoint import Answer, Endpoint
    from pkgmgr.version import Version

_FOR_EVER = 100 * 365 * 86400.0
_FRESH_SECONDS = 600.0

Wanted = tuple[str, "Version"]


class Detail(NamedTuple):
    """A version with all that was asked of its files, and how old that is in seconds."""

    offer: Offer
    age: float
    fresh: bool = True


class Details:
    """The versions of one registry that somebody looked at; any number of threads may use it.

    Args:
        url: The registry.
        endpoint: Who asks it, or its mirrors.
        asker: Asks for many.
        cache: Where its answers are kept.
        offline: Whether the network must not be used.
        refresh: Whether to ask anew where what is known is still right.
        say_old: Told where an answer is used that is too old: its age, and why it was not asked for again.
    """

    def __init__(
        self,
        url: str,
        endpoint: Endpoint,
        asker: Asker,
        cache: MetadataCache,
        *,
        offline: bool,
        refresh: bool,
        say_old: Callable[[float, Unreachable | None], None],
    ) -> None:
        self.url = url
        self.offline = offline
        self._endpoint = endpoint
        self._asker = asker
        self._cache = cache
        self._refresh = refresh
        self._say_old = say_old
        self._known: dict[Wanted, Detail] = {}

    def get(self, wanted: Wanted, listed: Offer, *, anew: bool = False) -> Detail:
        """One version.

        Args:
            wanted: Its name and version.
            listed: What is known of it: at least the hashes of its files.
            anew: Ask in any case.

        Raises:
            WpmError: It is not known, and the registry cannot be asked, or answers nonsense.
        """
        what = f"{wanted[0]} {wanted[1]}"
        if not anew and (known := self._usable(wanted, listed)) is not None:
            return known
        kept = self._kept(wanted, listed)
        if self.offline:
            raise WpmError(f"{what}: not known from {self.url}, and --offline forbids to ask it")
        try:
            answer = self._endpoint.ask(lambda plain: _question([wanted], plain))
        except Unreachable as error:
            if kept is None:
                raise type(error)(f"{what}: {error}") from None
            self._say_old(kept.age, error)
            self._known[wanted] = kept
            return kept
        except WpmError as error:
            raise type(error)(f"{what}: {error}") from None
        try:
            entry = self._read(wanted, 0, answer)
        except WpmError as error:
            raise type(error)(f"{self.url}: {what}: {error}") from None
        self._cache.put_all([entry])
        return self._known[wanted]

    def prefetch(self, wanted: Mapping[Wanted, Offer]) -> None:
        """Ask for several versions together; what fails is asked for again by itself when it is needed."""
        unknown = [each for each, listed in wanted.items() if self._usable(each, listed) is None]
        if self.offline or not unknown:
            return
        entries = []
        for batch, answer in self._asker.ask([Batch(each) for each in in_batches(unknown)], _question):
            for number, each in enumerate(batch):
                try:
                    entries.append(self._read(each, number, answer))
                except WpmError:
                    continue
        self._cache.put_all(entries)

    def knows(self, wanted: Wanted, listed: Offer) -> bool:
        """Whether the registry need not be asked for a version."""
        return listed.distributions[0].is_detailed or self._usable(wanted, listed) is not None

    def _usable(self, wanted: Wanted, listed: Offer) -> Detail | None:
        known = self._known.get(wanted)
        if known is not None:
            return known
        if self._refresh and not self.offline:
            return None
        kept = self._kept(wanted, listed)
        if kept is None or not (kept.fresh or self.offline):
            return None
        self._known[wanted] = kept
        return kept

    def _kept(self, wanted: Wanted, listed: Offer) -> Detail | None:
        """What the cache has of a version whose file is the one that is listed."""
        cached = self._cache.get(self._key(wanted, listed))
        if cached is None:
            return None
        try:
            offer = read_detail(cached.value["version"], *wanted, cached.value["url"])
        except (WpmError, KeyError, TypeError):
            return None
        return Detail(offer, max(cached.age_seconds, 0.001), cached.fresh)

    def _read(self, wanted: Wanted, number: int, answer: Answer) -> tuple[str, object, None, float]:
        """Note what an answer says of a version; gives what the cache is to keep."""
        value = answer.value(f"d{number}")
        offer = read_detail(value, *wanted, answer.url)
        self._known[wanted] = Detail(offer, 0.0)
        return self._key(wanted, offer), {"url": answer.url, "version": value}, None, _lifetime(offer)

    def _key(self, wanted: Wanted, offer: Offer) -> str:
        return f"graphql 2 {self.url} {wanted[0]}@{wanted[1]} {offer.distributions[0].sha256}"


def _question(wanted: Sequence[Wanted], plain: bool) -> dict[str, object]:
    return details([(name, str(version)) for name, version in wanted], plain=plain)


def _lifetime(offer: Offer) -> float:
    """For how many seconds it may be used: its URLs may be signed for a while only."""
    limits = [each.expires / 2 for each in offer.distributions if each.expires is not None]
    if any("?" in each.url for each in offer.distributions):
        limits.append(_FRESH_SECONDS)
    return min(limits, default=_FOR_EVER)
