"""Questions to a registry, sent as its clients send them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from pathlib import Path

    from pkgmgr.server.serve import RegistryServer

ALICE = "token-of-alice"
BOB = "token-of-bob"

RESOLVER = """{
    getPackage(name: "$NAME") {
        packageName
        namespace
        versions {
          version
          isArchived
          v2: distribution(version: V2) {
            piritaDownloadUrl
            piritaSha256Hash
            webcManifest
          }
          v3: distribution(version: V3) {
            piritaDownloadUrl
            piritaSha256Hash
            webcManifest
          }
        }
    }
    info {
        defaultFrontend
    }
}"""
"""The selection of Wasmer's resolver (wasmerio/wasmer, lib/wasix/src/runtime/resolver/backend_source.rs)."""


def post(
    server: RegistryServer,
    query: str,
    variables: dict[str, Any] | None = None,
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    return requests.post(server.url, json={"query": query, "variables": variables}, headers=sent, timeout=60)


def ask(server: RegistryServer, query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> Any:
    """The data of an answer without errors."""
    reply = post(server, query, variables, token)
    assert reply.status_code == 200, reply.text
    value = reply.json()
    assert "errors" not in value, value
    return value["data"]


def refused(
    server: RegistryServer, query: str, variables: dict[str, Any] | None = None, token: str | None = None
) -> str:
    """The first error of an answer."""
    return str(post(server, query, variables, token).json()["errors"][0]["message"])


def resolved(server: RegistryServer, name: str) -> Any:
    return ask(server, RESOLVER.replace("$NAME", name))["getPackage"]


def hash_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
