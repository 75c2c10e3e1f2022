"""Versions that are looked at: what was not in the list is asked for then, together, and once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from make_packages import RegistryMaker
from reply_server import Reply, replying

from pkgmgr.errors import WpmError
from pkgmgr.registry import DirectoryRegistry
from pkgmgr.server.serve import RegistryServer
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pkgmgr.registry.graphql import GraphqlRegistry

    ClientFor = Callable[..., GraphqlRegistry]

ONE, TWO = Version.parse("1.0.0"), Version.parse("2.0.0")
LISTED = {
    "packageName": "tool",
    "namespace": "acme",
    "versions": [{"version": "1.0.0", "v3": {"piritaSha256Hash": "a" * 64}}],
}


def counting(registry: GraphqlRegistry) -> list[int]:
    """Counts the questions of a registry from now on, in the list that it gives."""
    questions: list[int] = []
    ask = registry._endpoint.ask

    def counted(*arguments: object, **options: bool) -> object:
        questions.append(1)
        return ask(*arguments, **options)  # type: ignore[arg-type]

    registry._endpoint.ask = counted  # type: ignore[method-assign, assignment]
    return questions


def test_old_versions_are_asked_for_together_and_never_again(client_for: ClientFor, tmp_path: Path) -> None:
    maker = RegistryMaker(tmp_path / "many")
    names = [f"acme/p{number}" for number in range(120)]
    for name in names:
        for text in ("1.0.0", "2.0.0"):
            maker.add(name, text, {"acme/p0": f"^{text}"})
    directory = DirectoryRegistry(maker.root, "registry", "")
    with RegistryServer(maker.root) as server:
        for expected in (3, 0):
            registry = client_for(server.url)
            registry.prefetch(names)
            questions = counting(registry)
            registry.prefetch_summaries([(name, version) for name in names for version in (ONE, TWO)])
            for name in names:
                for version in (ONE, TWO):
                    here, there = directory.summary(name, version), registry.summary(name, version)
                    assert replace(there, source=here.source, location=here.location) == here
            # Three batches of old versions; the newest ones came with the list.
            assert len(questions) == expected
    offline = client_for(server.url, offline=True)
    assert offline.summary(names[7], ONE).sha256 == directory.summary(names[7], ONE).sha256


def test_offline_only_versions_that_were_looked_at_are_chosen(client_for: ClientFor, tmp_path: Path) -> None:
    maker = RegistryMaker(tmp_path / "many")
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        maker.add("acme/tool", version)
    with RegistryServer(maker.root) as server:
        client_for(server.url).summary("acme/tool", ONE)
    offline = client_for(server.url, offline=True)
    assert set(offline.yanked("acme/tool")) == {Version.parse("1.1.0")}
    with pytest.raises(WpmError, match="--offline"):
        offline.summary("acme/tool", Version.parse("1.1.0"))


def test_another_file_behind_a_version_is_looked_at_anew(client_for: ClientFor, tmp_path: Path) -> None:
    maker = RegistryMaker(tmp_path / "one")
    maker.add("acme/tool", "2.0.0")
    path = maker.add("acme/tool", "1.0.0")
    with RegistryServer(maker.root) as server:
        before = client_for(server.url).summary("acme/tool", ONE)
        shutil.rmtree(path.parent)
        maker.add("acme/tool", "2.0.0")
        maker.add("acme/tool", "1.0.0", {"acme/other": "^1"})
        after = client_for(server.url).summary("acme/tool", ONE)
        assert not before.dependencies and list(after.dependencies) == ["acme/other"]


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (None, "not an object"),
        ({"version": "1.0.0", "v3": None}, "no file"),
        ({"version": "2.0.0", "v3": {"piritaSha256Hash": "a" * 64}, "package": {"packageName": "x"}}, "about x 2.0.0"),
        ({"version": "1.0.0", "v3": {"piritaSha256Hash": "a" * 64}, "package": 7}, "not an object"),
        (
            {
                "version": "1.0.0",
                "v3": {"piritaSha256Hash": "a" * 64},
                "package": {"packageName": "tool", "namespace": "acme"},
            },
            "without a URL",
        ),
    ],
)
def test_what_is_said_of_a_version_may_be_nonsense(client_for: ClientFor, detail: object, words: str) -> None:
    listed, said = Reply({"data": {"p0": LISTED}}), Reply({"data": {"d0": detail}})
    with replying(listed, said) as server:
        registry = client_for(server.url)
        assert registry.versions("acme/tool") == [ONE]
        registry.prefetch_summaries([("acme/tool", ONE), ("acme/tool", TWO), ("acme/else", ONE)])
        with pytest.raises(WpmError) as caught:
            registry.summary("acme/tool", ONE)
        message = str(caught.value)
        assert words in message and "acme/tool 1.0.0" in message and server.url in message and "\n" not in message
