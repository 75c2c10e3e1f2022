"""Asking a registry over the network: itself or its mirrors, and what it answers when it does not answer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import Unreachable, WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pkgmgr.http.client import HttpClient
    from pkgmgr.registry.queries import Question

_UNKNOWN_FIELD: Final = ("Cannot query field", "Unknown argument", "Unknown type", "Unknown fragment")


class Answer(NamedTuple):
    """An answer.

    Attributes:
        url: Who answered: the registry, or one of its mirrors.
        data: What was asked for, by its alias; None where what is known is still right.
        errors: What the registry says that went wrong, one line each.
        failed: The aliases whose errors these are, where the registry says so.
        etag: The ETag of the whole answer.
        max_age: The seconds for which the registry says that it stays right.
    """

    url: str
    data: Mapping[str, Any] | None
    errors: Sequence[str] = ()
    failed: Mapping[str, str] = {}
    etag: str | None = None
    max_age: float | None = None

    def value(self, alias: str) -> Any:
        """One of the values; raises `WpmError` where there is an error instead."""
        found = (self.data or {}).get(alias)
        if found is None and self.errors and (alias in self.failed or not self.failed):
            raise WpmError(f"the registry says: {self.failed.get(alias) or self.errors[0]}")
        return found


class Endpoint:
    """A registry and its mirrors. Who could not be reached once is not asked again by this process.

    Args:
        urls: Who is asked, in this order, the next one where one cannot be reached.
        client: Who asks.
    """

    def __init__(self, urls: Sequence[str], client: HttpClient) -> None:
        self._urls = urls
        self._client = client
        self._lock = threading.Lock()
        self._silent: dict[str, Unreachable] = {}
        self._plain: set[str] = set()

    def ask(
        self, question: Callable[[bool], Question], etag: tuple[str, str] | None = None, *, brief: bool = False
    ) -> Answer:
        """Ask.

        Args:
            question: The question; it is given whether it must be the plain form.
            etag: The ETag of what is known, and the URL that gave it.
            brief: Whether there is an older answer, so that nobody needs to wait long for who is not there.

        Raises:
            Unreachable: None of them can be asked.
            WpmError: It says no, or answers something that is no answer.
        """
        failure: Unreachable | None = None
        for url in self._urls:
            with self._lock:
                known = self._silent.get(url)
            if known is not None:
                failure = failure or known
                continue
            tag = etag[0] if etag is not None and etag[1] == url else None
            try:
                return self._ask(url, question, tag, brief)
            except Unreachable as error:
                failure = failure or error
                with self._lock:
                    self._silent.setdefault(url, error)
        raise failure or Unreachable("there is nobody to ask")

    def _ask(self, url: str, question: Callable[[bool], Question], etag: str | None, brief: bool) -> Answer:
        answer = self._post(url, question(url in self._plain), etag, brief)
        if answer.data is None and url not in self._plain and any(_is_of_schema(text) for text in answer.errors):
            with self._lock:
                self._plain.add(url)
            answer = self._post(url, question(True), etag, brief)
        if answer.data is None and answer.errors:
            raise WpmError(f"{url}: the registry says: {answer.errors[0]}")
        return answer

    def _post(self, url: str, question: Question, etag: str | None, brief: bool) -> Answer:
        from pkgmgr.errors import Refused
        from pkgmgr.registry.replies import error_texts

        try:
            reply = self._client.post_json(url, question, etag=etag, brief=brief)
        except Refused as error:
            # Some servers say with 400 that they do not know a field.
            if error.status == 400 and _is_of_schema(str(error)) and url not in self._plain:
                return Answer(url, None, (str(error),))
            raise
        if reply.status == 304:
            return Answer(url, None, etag=reply.etag, max_age=reply.max_age)
        value = reply.value
        if not isinstance(value, dict) or not ("data" in value or "errors" in value):
            raise WpmError(f"{url}: the answer is not one of GraphQL: is this the URL of a registry?")
        data = value.get("data")
        if data is not None and not isinstance(data, dict):
            raise WpmError(f"{url}: the answer is not one of GraphQL: its data is {type(data).__name__}")
        errors = error_texts(value.get("errors"))
        if data is None and not errors:
            raise WpmError(f"{url}: the answer is empty: is this the URL of a registry?")
        return Answer(url, data, errors, _failed(value.get("errors")), reply.etag, reply.max_age)


def _failed(errors: object) -> dict[str, str]:
    """The messages by the alias that their path starts with."""
    from pkgmgr.registry.replies import error_texts

    found: dict[str, str] = {}
    for error in errors[:1000] if isinstance(errors, list) else ():
        path = error.get("path") if isinstance(error, dict) else None
        if isinstance(path, list) and path and isinstance(path[0], str) and (texts := error_texts([error])):
            found.setdefault(path[0], texts[0])
    return found


def _is_of_schema(text: str) -> bool:
    return any(phrase in text for phrase in _UNKNOWN_FIELD)
