"""A web server that does one thing after another wrong, and remembers what it was asked."""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl

Fault = Callable[["Conversation"], None]


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class FaultServer:
    """Serves `files` by path, with ETag and ranges, once the `faults` of the path are used up, one for each request."""

    def __init__(self, certificate: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.asked: list[Asked] = []
        self.put: dict[str, bytes] = {}
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (Conversation,), {"owner": self}))
        if certificate is not None:
            self._server.socket = certificate.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def requests(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are what these tests are about."""


class Conversation(BaseHTTPRequestHandler):
    """One request and what is done about it."""

    owner: FaultServer
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.owner.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        waiting = self.owner.faults.get(self.path)
        if waiting:
            waiting.pop(0)(self)
        elif self.path in self.owner.always:
            self.owner.always[self.path](self)
        elif self.command == "PUT":
            self.owner.put[self.path] = body
            self.reply(201, {"Content-Length": "0"})
        elif (data := self.owner.files.get(self.path)) is not None:
            self.serve(data)
        else:
            self.reply(404, {"Content-Length": "0"})

    do_POST = do_PUT = do_GET  # noqa: N815

    @property
    def data(self) -> bytes:
        """What would be served if all were well."""
        return self.owner.files[self.path]

    def reply(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def serve(self, data: bytes) -> None:
        """The file, or the range of it that is asked for."""
        tag = etag(data)
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if found and self.headers.get("If-Range", tag) == tag:
            start = int(found[1])
            if start >= len(data):
                return self.reply(416, {"Content-Length": "0", "Content-Range": f"bytes */{len(data)}"})
            headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}", "ETag": tag}
            return self.reply(206, headers | {"Content-Length": str(len(data) - start)}, data[start:])
        return self.reply(200, {"ETag": tag, "Content-Length": str(len(data))}, data)

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close so that the other side sees a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


def etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:16]}"'


@contextmanager
def serving(certificate: ssl.SSLContext | None = None) -> Iterator[FaultServer]:
    server = FaultServer(certificate)
    try:
        yield server
    finally:
        server.close()


def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# What can go wrong.


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Fault:
    def fault(talk: Conversation) -> None:
        talk.reply(code, {"Content-Length": str(len(body)), **(headers or {})}, body)

    return fault


def well(talk: Conversation) -> None:
    talk.serve(talk.data)


def json_reply(body: bytes, headers: Mapping[str, str] | None = None) -> Fault:
    return status(200, {"Content-Type": "application/json", **(headers or {})}, body)


def reset_at_once(talk: Conversation) -> None:
    talk.reset()


def hang_up_at_once(talk: Conversation) -> None:
    talk.hang_up()


def half(talk: Conversation, data: bytes | None = None) -> None:
    """The headers, and half of the body."""
    data = talk.data if data is None else data
    talk.send_response(200)
    talk.send_header("ETag", etag(data))
    talk.send_header("Content-Length", str(len(data)))
    talk.end_headers()
    talk.wfile.write(data[: len(data) // 2])


def reset_in_the_middle(talk: Conversation) -> None:
    half(talk)
    time.sleep(0.05)
    talk.reset()


def truncated(talk: Conversation) -> None:
    half(talk)
    talk.hang_up()


def truncated_chunks(talk: Conversation) -> None:
    data = talk.data
    talk.reply(200, {"Transfer-Encoding": "chunked"}, b"%x\r\n" % len(data) + data[: len(data) // 2])
    talk.hang_up()


def truncated_without_length(talk: Conversation) -> None:
    talk.reply(200, {"Connection": "close"}, talk.data[: len(talk.data) // 2])
    talk.hang_up()


def stalled(talk: Conversation) -> None:
    half(talk)
    talk.owner.ended.wait(20)
    talk.hang_up()


def silent(talk: Conversation) -> None:
    talk.owner.ended.wait(20)
    talk.hang_up()


def dripping(talk: Conversation) -> None:
    """A byte now and then, often enough for every timeout of a socket."""
    talk.reply(200, {"Content-Length": str(len(talk.data))})
    for _ in range(200):
        if talk.owner.ended.wait(0.05):
            break
        talk.wfile.write(b"x")
    talk.hang_up()


def other_bytes(talk: Conversation) -> None:
    talk.serve(bytes(byte ^ 1 for byte in talk.data))


def longer_length(talk: Conversation) -> None:
    talk.reply(200, {"Content-Length": str(len(talk.data) + 1000)}, talk.data)
    talk.hang_up()


def shorter_length(talk: Conversation) -> None:
    talk.reply(200, {"Content-Length": str(len(talk.data) // 2)}, talk.data)
    talk.hang_up()


def no_number_for_a_length(talk: Conversation) -> None:
    talk.reply(200, {"Content-Length": "many", "Connection": "close"}, talk.data)
    talk.hang_up()


def endless(talk: Conversation) -> None:
    talk.reply(200, {"Transfer-Encoding": "chunked"})
    with suppress(OSError):
        while not talk.owner.ended.is_set():
            talk.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    talk.hang_up()


def endless_json(talk: Conversation) -> None:
    """A gigabyte of one list, made while it is sent."""
    talk.reply(200, {"Content-Type": "application/json", "Content-Length": str(1 << 30)})
    piece = b"[" + b"1," * 32767 + b"1"
    with suppress(OSError):
        for _ in range(1 << 14):
            talk.wfile.write(piece)
            piece = b"," + b"1," * 32767 + b"1"
    talk.hang_up()


def json_bomb(talk: Conversation) -> None:
    """A gigabyte of JSON in a megabyte, packed while it is sent."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    talk.reply(200, {"Content-Type": "application/json", "Content-Encoding": "gzip", "Connection": "close"})
    with suppress(OSError):
        talk.wfile.write(packer.compress(b'"'))
        for _ in range(1 << 10):
            talk.wfile.write(packer.compress(b"a" * (1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH))
    talk.hang_up()


def redirect(target: str, code: int = 302) -> Fault:
    return status(code, {"Location": target})


def compressed(talk: Conversation) -> None:
    data = gzip.compress(talk.data)
    talk.reply(200, {"Content-Encoding": "gzip", "Content-Length": str(len(data)), "ETag": '"zip"'}, data)


def range_of_another(talk: Conversation) -> None:
    """Says that it goes on, with another file."""
    found = re.fullmatch(r"bytes=(\d+)-", talk.headers.get("Range", ""))
    if not found:
        return talk.serve(talk.data)
    start, data = int(found[1]), b"?" * len(talk.data)
    headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}", "Content-Length": str(len(data) - start)}
    return talk.reply(206, headers, data[start:])


def range_elsewhere(talk: Conversation) -> None:
    """Goes on somewhere else than it was asked to."""
    data = talk.data
    headers = {"Content-Range": f"bytes 1-{len(data) - 1}/{len(data)}", "Content-Length": str(len(data) - 1)}
    talk.reply(206, headers, data[1:])


def no_ranges(talk: Conversation) -> None:
    talk.reply(200, {"Content-Length": str(len(talk.data))}, talk.data)
