"""Answers that the server keeps, and queries that it carries out by a plan: they are what it would have said anyway."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from graphql import execute_sync, parse
from talking import RESOLVER, ask, hash_of, post, refused

from pkgmgr.registry.queries import details, versions
from pkgmgr.registry.storing import yank
from pkgmgr.server import schema
from pkgmgr.server.app import RegistryApp
from pkgmgr.server.plans import make_plan
from pkgmgr.server.serve import RegistryServer
from pkgmgr.server.session import Session
from pkgmgr.version import Version

if TYPE_CHECKING:
    from pathlib import Path

    from make_packages import RegistryMaker

NAMES = ["acme/a", "acme/b", "acme/none"]


def grow_old(root: Path) -> None:
    """Let everything in a registry be of an hour ago: what was changed just now is never kept."""
    then = time.time() - 3600
    for path in [*root.rglob("*"), root]:
        os.utime(path, (then, then))


def listed(server: RegistryServer) -> Any:
    question = versions(NAMES[:2])
    return ask(server, question["query"], question["variables"])


def test_what_changes_is_said_at_once(
    server: RegistryServer, maker: RegistryMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES[:2]:
        maker.add(name, "1.0.0")
    grow_old(maker.root)
    carried_out: list[str] = []
    answer = schema.answer

    def counted(session: Session, query: str, *rest: Any, **more: Any) -> dict[str, Any]:
        carried_out.append(query)
        return answer(session, query, *rest, **more)

    monkeypatch.setattr("pkgmgr.server.app.answer", counted)
    first = listed(server)
    assert listed(server) == first and len(carried_out) == 1
    maker.add("acme/a", "1.1.0")
    assert [each["version"] for each in listed(server)["p0"]["versions"]] == ["1.1.0", "1.0.0"]
    yank(maker.root, "acme/b", Version.parse("1.0.0"))
    assert [each["isArchived"] for each in listed(server)["p1"]["versions"]] == [True]
    grow_old(maker.root)
    second = listed(server)
    # A file that is written over where it lies: not even its folder tells.
    path = maker.root / "packages/acme/a/1.1.0.webc"
    path.write_bytes((maker.root / "packages/acme/a/1.0.0.webc").read_bytes())
    assert [each["version"] for each in listed(server)["p0"]["versions"]] == ["1.0.0"]
    assert [each["version"] for each in second["p0"]["versions"]] == ["1.1.0", "1.0.0"]


def test_a_version_that_is_looked_at_again(server: RegistryServer, maker: RegistryMaker) -> None:
    path = maker.add("acme/a", "1.0.0")
    grow_old(maker.root)
    question = details([("acme/a", "1.0.0"), ("acme/a", "2.0.0")])
    for _ in range(2):
        found = ask(server, question["query"], question["variables"])
        assert found["d0"]["v3"]["piritaSha256Hash"] == hash_of(path) and found["d1"] is None
        assert found["d0"]["package"] == {"packageName": "a", "namespace": "acme"}
    maker.add("acme/a", "2.0.0")
    assert ask(server, question["query"], question["variables"])["d1"]["version"] == "2.0.0"


def test_an_answer_is_kept_for_the_url_that_it_speaks_of(server: RegistryServer, maker: RegistryMaker) -> None:
    maker.add("acme/a", "1.0.0")
    grow_old(maker.root)
    for host in ("one.example", "two.example", "one.example"):
        reply = post(server, RESOLVER.replace("$NAME", "acme/a"), headers={"Host": host})
        assert reply.json()["data"]["getPackage"]["versions"][0]["v3"]["piritaDownloadUrl"].startswith(
            f"http://{host}/"
        )


@pytest.mark.parametrize(
    ("query", "variables", "is_planned"),
    [
        (versions(NAMES)["query"], versions(NAMES)["variables"], True),
        (details([("acme/a", "1.0.0"), ("acme/none", "1")])["query"], None, True),
        (RESOLVER.replace("$NAME", "acme/a"), {}, True),
        ('{ getPackage(name: "acme/a") { owner { globalName } } }', {}, False),
        ('{ getPackage(name: "acme/a") { id @skip(if: true) displayName } }', {}, False),
        ('{ getPackage(name: "acme/a") { versions { version } versions { isArchived } } }', {}, False),
        ('{ getPackageVersion(name: "acme/a") { version __typename } }', {}, False),
        (
            'query($n: String = "acme/a") { getPackage(name: "acme/b") { alias } getUser(username: "x") { id } }',
            {},
            False,
        ),
    ],
)
def test_a_plan_gives_what_the_general_executor_gives(
    maker: RegistryMaker, query: str, variables: dict[str, str] | None, is_planned: bool
) -> None:
    maker.add("acme/a", "1.0.0", {"acme/b": "^1"})
    maker.add("acme/b", "1.0.0-rc.1")
    if variables is None:
        variables = details([("acme/a", "1.0.0"), ("acme/none", "1")])["variables"]
    with RegistryServer(maker.root) as server:
        plan = make_plan(schema.registry_schema(), parse(query))
        assert (plan is not None) == is_planned
        reply = post(server, query, variables).json()
        if plan is not None:
            app = RegistryApp(maker.root, {}, read_only=True, largest_upload=1, public_url=None)
            session = Session(app.catalog, app.uploads, app._accounts, None, False, server.base_url, True)
            wanted = execute_sync(
                schema.registry_schema(), parse(query), context_value=session, variable_values=variables
            )
            assert reply == {"data": wanted.data}


@pytest.mark.parametrize(
    "query",
    [
        "{ getPackage { id } }",
        '{ getPackage(name: "a", name: "b") { id } }',
        '{ getPackage(name: "a", nome: "b") { id } }',
        '{ getPackage(name: "a") }',
        '{ getPackage(name: "a") { packageName { id } } }',
        '{ getPackage(name: "a") { secret } }',
        "query($n: String) { getPackage(name: $n) { id } }",
        "{ getPackage(name: $n) { id } }",
        'query($n: String!) { getPackage(name: "a") { id } }',
        "query($n: String!, $n: String!) { getPackage(name: $n) { id } }",
        '{ getPackage(name: "a") { ...F } }',
        '{ getPackage(name: "a") { id } } fragment F on Package { id }',
        '{ getPackage(name: "a") { ...F } } fragment F on Package { id ...F }',
        '{ getPackage(name: "a") { ...F } } fragment F on User { id }',
        '{ getPackageVersion(name: "a", version: "1") { distribution(version: V9) { size } } }',
        '{ getPackageVersion(name: "a", version: "1") { distribution(version: "V3") { size } } }',
        'query($v: String!) { getPackageVersion(name: "a", version: $v) { distribution(version: $v) { size } } }',
        "{ getPackage(name: 7) { id } }",
        'query A { getPackage(name: "a") { id } } query A { getPackage(name: "a") { id } }',
    ],
)
def test_what_is_not_valid_has_no_plan(server: RegistryServer, query: str) -> None:
    assert make_plan(schema.registry_schema(), parse(query)) is None
    assert refused(server, query, {"n": "a", "v": "V3"})
