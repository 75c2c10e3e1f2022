"""A server that answers each question in GraphQL with the next of the replies that it was given."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Reply(NamedTuple):
    """What is answered: a JSON value, or bytes as they are."""

    body: object
    headers: Mapping[str, str] = {}
    status: int = 200


class Asked(NamedTuple):
    """What was asked, of whom it came, and what it had seen before."""

    query: str
    variables: dict[str, Any]
    token: str | None
    etag: str | None


class ReplyServer:
    """The last reply is given for ever; `asked` is all that came."""

    def __init__(self, *replies: Reply | object) -> None:
        self.replies = [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies]
        self.asked: list[Asked] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append(
                    Asked(
                        body["query"],
                        body["variables"],
                        self.headers.get("Authorization"),
                        self.headers.get("If-None-Match"),
                    )
                )
                reply = owner.reply(owner.asked[-1])
                status, data = reply.status, reply.body if isinstance(reply.body, bytes) else _json(reply.body)
                if status == 200 and self.headers.get("If-None-Match", "") == reply.headers.get("ETag"):
                    status, data = 304, b""
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.base}/graphql"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def reply(self, _: Asked) -> Reply:
        """What is answered."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def names(self) -> list[str]:
        """Every text that it was ever given."""
        return [str(value) for asked in self.asked for value in asked.variables.values()]


@contextmanager
def replying(*replies: Reply | object) -> Iterator[ReplyServer]:
    server = ReplyServer(*replies)
    try:
        yield server
    finally:
        server.close()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def distribution(**changes: object) -> dict[str, object]:
    """A file of a version, in the words of the registry."""
    return {
        "piritaDownloadUrl": "/files/tool.webc",
        "piritaSha256Hash": "a" * 64,
        "piritaSize": 100,
        "webcVersion": "V3",
        "webcManifest": json.dumps({"package": {}, "use": {}, "commands": {}}),
        **changes,
    }


def package(name: str, *versions: str, **changes: object) -> dict[str, object]:
    """A package, in the words of the registry."""
    namespace, _, last = name.rpartition("/")
    return {
        "packageName": last,
        "namespace": namespace or "_",
        "versions": [
            {"version": version, "isArchived": False, "v2": None, "v3": distribution(**changes)} for version in versions
        ],
    }


def answer(*packages: object) -> dict[str, object]:
    """The answer to a question for several packages."""
    return {"data": {f"p{number}": each for number, each in enumerate(packages)}}
