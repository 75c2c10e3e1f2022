"""Serve the application over HTTP: waitress, with limits for those who want to keep it busy.

Waitress reads requests as they come in and gives them to its threads when they are whole, so that a slow client keeps no
thread. What it does not limit is done here: how long a request may take to come in, and how large it may be by its path.
"""

from __future__ import annotations

import logging
import threading
import time
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from pkgmgr.errors import WpmError
from pkgmgr.oci.registry import LARGEST_MANIFEST
from pkgmgr.server.app import LARGEST_UPLOAD, make_app
from pkgmgr.server.images.api import PREFIX as IMAGES
from pkgmgr.server.images.api import is_upload
from pkgmgr.server.limits import LARGEST_BODY
from pkgmgr.server.uploads import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from pkgmgr.server.accounts import Account

THREADS: Final = 8
MOST_CONNECTIONS: Final = 1000
LARGEST_HEADER: Final = 64 << 10
REQUEST_SECONDS: Final = 30.0
"""The first bytes of a request and its last header may be so far apart; its body must come at `_SLOWEST` at least."""

STALLED_SECONDS: Final = 60.0
"""A client that takes nothing of its answer for so long is left."""

_IDLE_SECONDS: Final = 60

_SLOWEST: Final = 4 << 10
_CLEANUP_SECONDS: Final = 5


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Large bodies are for uploads: everything else is a query."""

    adj: Adjustments

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        # What strangers send is not even kept until it is whole.
        pushes = is_upload(self.path) and self.adj.is_known(self.headers.get("AUTHORIZATION", ""))
        if not self.path.startswith(PREFIX) and not pushes:
            most = LARGEST_MANIFEST if self.path.startswith(IMAGES) else LARGEST_BODY
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = min(self.adj.max_request_body_size, most + 1)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when a request has been coming in, and since when no answer has been going out.

    Attributes:
        since: The time of a request's first bytes, while it is not whole.
        unmoved: The time of the last movement while something was to be sent, and when that was seen first.
    """

    parser_class = _Parser
    since: float | None = None
    unmoved: tuple[float, float] | None = None

    def received(self, data: bytes) -> bool:
        done = bool(super().received(data))
        if self.request is None:
            self.since = None
        elif self.since is None:
            self.since = time.time()
        return done

    def is_too_slow(self, now: float) -> bool:
        """Whether the request should have come by now."""
        if self.since is None or self.request is None:
            return False
        return bool(now - self.since > REQUEST_SECONDS + self.request.body_bytes_received / _SLOWEST)

    def is_stalled(self, now: float) -> bool:
        """Whether the client takes nothing of its answer any more: a thread may be waiting for it."""
        if not self.total_outbufs_len:
            self.unmoved = None
            return False
        if self.unmoved is None or self.unmoved[0] != self.last_activity:
            self.unmoved = (self.last_activity, now)
        return now - self.unmoved[1] > STALLED_SECONDS


class _Server(TcpWSGIServer):  # type: ignore[misc]
    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.is_too_slow(now):
                channel.will_close = True
            elif channel.is_stalled(now):
                # At once: there is no end of sending to wait for.
                channel.handle_close()


class RegistryServer:
    """A directory registry, served from a thread of its own while the context lasts.

    Args:
        root: The registry's directory; `packages` is in it.
        host: The address to listen at.
        port: The port; 0 takes one that is free.
        tokens: Who may write: each user by their token. Without any nobody may.
        read_only: Whether nobody may, tokens or not.
        largest_upload: No package with more bytes is taken.
        public_url: The server's URL as clients see it, where that is not what they send as `Host`.

    Attributes:
        url: The URL for queries.
        base_url: The server's own, without a slash at its end.

    Raises:
        WpmError: The directory is no registry, or nothing can listen there.
    """

    def __init__(
        self,
        root: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tokens: Mapping[str, str | Account] = {},
        read_only: bool = False,
        largest_upload: int = LARGEST_UPLOAD,
        public_url: str | None = None,
    ) -> None:
        app = make_app(root, tokens=tokens, read_only=read_only, largest_upload=largest_upload, public_url=public_url)
        self._map: dict[int, Any] = {}
        self._stopping = self._closed = False
        # Held again by the thread that has it, where a signal comes amid the end.
        self._ending = threading.RLock()
        self._thread: threading.Thread | None = None
        logging.getLogger("waitress").setLevel(logging.ERROR)
        self._server = _listen(app, host, port, self._map, largest_upload)
        shown = f"[{host}]" if ":" in host else host
        self.base_url = public_url.rstrip("/") if public_url else f"http://{shown}:{self._server.effective_port}"
        self.url = f"{self.base_url}/graphql"

    def __enter__(self) -> RegistryServer:
        self._thread = threading.Thread(target=self.run, name="wpm registry", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def run(self) -> None:
        """Serve until `stop` is called; what is being answered then is answered."""
        try:
            while not self._stopping:
                wasyncore.loop(timeout=1.0, use_poll=True, map=self._map, count=1)
        finally:
            self._server.task_dispatcher.shutdown(timeout=5)
            with self._ending:
                self._closed = True
                wasyncore.close_all(self._map, ignore_all=True)

    def stop(self) -> None:
        """End `run`, from any thread or from a signal."""
        self._stopping = True
        with self._ending:
            if not self._closed:
                self._server.pull_trigger()


def _listen(app: Any, host: str, port: int, channels: dict[int, Any], largest: int) -> _Server:
    """A server that listens already."""
    try:
        adjustments = Adjustments(
            host=host,
            port=port,
            threads=THREADS,
            connection_limit=MOST_CONNECTIONS,
            max_request_header_size=LARGEST_HEADER,
            max_request_body_size=largest + 1,
            channel_timeout=_IDLE_SECONDS,
            cleanup_interval=_CLEANUP_SECONDS,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            ident=None,
        )
        adjustments.is_known = app.is_known
        dispatcher = ThreadedTaskDispatcher()
        made = _Server(app, channels, dispatcher=dispatcher, adj=adjustments, sockinfo=adjustments.listen[0])
    except (OSError, ValueError, OverflowError) as error:
        raise WpmError(f"{host}:{port}: cannot listen there: {getattr(error, 'strerror', None) or error}") from None
    dispatcher.set_thread_count(adjustments.threads)
    return made
