"""A registry that speaks the OCI distribution protocol, in memory, that can be told to do one thing after another wrong."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

Fault = Callable[["Talk"], None]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
TOKEN = "wap_ada"
"""A token of our own server."""

LAYER = "application/vnd.oci.image.layer.v1.tar"


class Done(NamedTuple):
    """What a command line did: its exit code, and what it printed."""

    code: int
    out: str
    err: str


class Asked(NamedTuple):
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    size: int


class SmallRegistry:
    """Everything is by repository; `faults` are used up one for each request whose `METHOD path` a pattern fits."""

    def __init__(self) -> None:
        self.blobs: dict[str, dict[str, bytes]] = {}
        self.manifests: dict[str, dict[str, tuple[str, bytes]]] = {}
        self.uploads: dict[str, bytes] = {}
        self.keys = itertools.count(100)
        self.faults: list[tuple[str, Fault]] = []
        self.asked: list[Asked] = []
        self.challenge: Callable[[Talk], str | None] = lambda _: None
        self.token_reply: Callable[[Talk], tuple[int, object]] = lambda _: (404, {})
        self.mounts = True
        self._server = _Server(("127.0.0.1", 0), type("Handler", (Talk,), {"owner": self}))
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def put_blob(self, name: str, data: bytes) -> dict[str, object]:
        self.blobs.setdefault(name, {})[digest(data)] = data
        return {"digest": digest(data), "size": len(data), "mediaType": "application/octet-stream"}

    def put(self, name: str, tag: str, document: object, media_type: str = MANIFEST) -> str:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        known = self.manifests.setdefault(name, {})
        known[tag] = known[digest(data)] = (media_type, data)
        return digest(data)

    def put_image(self, name: str, tag: str, layers: list[bytes], layer_type: str = LAYER) -> str:
        config = {**self.put_blob(name, b"{}"), "mediaType": "application/vnd.oci.image.config.v1+json"}
        described = [{**self.put_blob(name, each), "mediaType": layer_type} for each in layers]
        return self.put(name, tag, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": described})

    def requests(self, pattern: str) -> list[Asked]:
        return [each for each in self.asked if re.fullmatch(pattern, f"{each.method} {each.path}")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        pass


class Talk(BaseHTTPRequestHandler):
    owner: SmallRegistry
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def do_GET(self) -> None:
        self.parts = urlsplit(self.path)
        self.query = parse_qs(self.parts.query)
        length = int(self.headers.get("Content-Length") or 0)
        line = f"{self.command} {self.parts.path}"
        self.owner.asked.append(Asked(self.command, self.parts.path, self.query, dict(self.headers), length))
        for number, (pattern, fault) in enumerate(self.owner.faults):
            if re.fullmatch(pattern, line):
                del self.owner.faults[number]
                fault(self)
                return
        self.body = self.rfile.read(length)
        self.well()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def well(self) -> None:
        if self.parts.path == "/token":
            status, value = self.owner.token_reply(self)
            return self.json(status, value)
        if (challenge := self.owner.challenge(self)) is not None:
            return self.json(401, errors("UNAUTHORIZED", "who is it?"), {"WWW-Authenticate": challenge})
        found = re.fullmatch(r"/v2/(?:(.+)/(manifests|blobs|tags)/(.*))?", self.parts.path)
        if found is None:
            return self.json(404, errors("NAME_UNKNOWN", "nothing here"))
        match found[2]:
            case None:
                return self.json(200, {})
            case "tags":
                known = self.owner.manifests.get(found[1], {})
                return self.json(200, {"name": found[1], "tags": [tag for tag in known if ":" not in tag]})
            case "manifests":
                return self.manifest(found[1], found[3])
        if found[3].startswith("uploads/"):
            return self.upload(found[1], found[3].removeprefix("uploads/"))
        data = self.owner.blobs.get(found[1], {}).get(found[3])
        return self.json(404, errors("BLOB_UNKNOWN", "no blob")) if data is None else self.serve(data)

    def manifest(self, name: str, target: str) -> None:
        known = self.owner.manifests.setdefault(name, {})
        if self.command == "PUT":
            known[target] = known[digest(self.body)] = (self.headers["Content-Type"], self.body)
            return self.reply(201, {"Docker-Content-Digest": digest(self.body)})
        if target not in known:
            return self.json(404, errors("MANIFEST_UNKNOWN", "no manifest"))
        media_type, data = known[target]
        return self.reply(200, {"Content-Type": media_type, "Docker-Content-Digest": digest(data)}, data)

    def upload(self, name: str, key: str) -> None:
        owner = self.owner
        if self.command == "POST":
            mounted, source = self.query.get("mount", [""])[0], self.query.get("from", [""])[0]
            if owner.mounts and mounted in owner.blobs.get(source, {}):
                owner.put_blob(name, owner.blobs[source][mounted])
                return self.reply(201, {"Location": f"/v2/{name}/blobs/{mounted}"})
            key = f"{next(owner.keys)}"
            owner.uploads[key] = b""
            return self.reply(202, {"Location": f"/v2/{name}/blobs/uploads/{key}?state=a"})
        if key not in owner.uploads:
            return self.json(404, errors("BLOB_UPLOAD_UNKNOWN", "no upload"))
        here = {"Location": f"{self.owner.url}/v2/{name}/blobs/uploads/{key}?state=b"}
        if self.command == "DELETE":
            del owner.uploads[key]
            return self.reply(204, {})
        if self.command == "GET":
            return self.reply(204, {**here, "Range": f"0-{max(0, len(owner.uploads[key]) - 1)}"})
        owner.uploads[key] += self.body
        if self.command == "PATCH":
            return self.reply(202, {**here, "Range": f"0-{len(owner.uploads[key]) - 1}"})
        data = owner.uploads.pop(key)
        if digest(data) != self.query["digest"][0]:
            return self.json(400, errors("DIGEST_INVALID", "other bytes"))
        owner.put_blob(name, data)
        return self.reply(201, {"Docker-Content-Digest": digest(data)})

    def serve(self, data: bytes) -> None:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if found:
            start = int(found[1])
            return self.reply(206, {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}, data[start:])
        return self.reply(200, {"Accept-Ranges": "bytes"}, data)

    def json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self.reply(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode())

    def reply(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def errors(code: str, message: str) -> object:
    return {"errors": [{"code": code, "message": message}]}


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@contextmanager
def small_registry() -> Iterator[SmallRegistry]:
    registry = SmallRegistry()
    try:
        yield registry
    finally:
        registry.close()


# What can go wrong.


def reset_half_way(talk: Talk) -> None:
    """Take half of the body, and break the connection."""
    length = int(talk.headers.get("Content-Length") or 0)
    talk.body = talk.rfile.read(length // 2)
    with suppress(KeyError):
        key = talk.parts.path.rpartition("/")[2]
        talk.owner.uploads[key] = talk.owner.uploads.get(key, b"") + talk.body
    talk.reset()


def half(talk: Talk) -> None:
    """Send half of a blob, and break the connection."""
    name, _, wanted = talk.parts.path.removeprefix("/v2/").partition("/blobs/")
    data = talk.owner.blobs[name][wanted]
    talk.send_response(200)
    talk.send_header("Content-Length", str(len(data)))
    talk.end_headers()
    talk.wfile.write(data[: len(data) // 2])
    time.sleep(0.05)
    talk.reset()


def endless(talk: Talk) -> None:
    """A body that has no end, and says nothing of its length."""
    talk.send_response(200)
    talk.send_header("Transfer-Encoding", "chunked")
    talk.end_headers()
    with suppress(OSError):
        for _ in range(1 << 14):
            talk.wfile.write(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
    talk.close_connection = True


def other_bytes(talk: Talk) -> None:
    """As many bytes as there should be, but others."""
    name, _, wanted = talk.parts.path.removeprefix("/v2/").partition("/blobs/")
    talk.reply(200, {}, b"x" * len(talk.owner.blobs[name][wanted]))


def redirect(where: str, status: int = 307) -> Fault:
    def fault(talk: Talk) -> None:
        talk.body = talk.rfile.read(int(talk.headers.get("Content-Length") or 0))
        talk.reply(status, {"Location": where})

    return fault


def refuse(status: int, code: str = "DENIED", headers: Mapping[str, str] | None = None) -> Fault:
    def fault(talk: Talk) -> None:
        talk.body = talk.rfile.read(int(talk.headers.get("Content-Length") or 0))
        talk.json(status, errors(code, "it does not want to"), headers)

    return fault
