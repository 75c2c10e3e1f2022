"""What a registry said: how long it serves, how it is asked again, and what serves when nobody can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reply_server import Asked, Reply, ReplyServer, answer, distribution, package, replying

from pkgmgr.errors import Unreachable, WpmError
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.registry.graphql import GraphqlRegistry

    ClientFor = Callable[..., GraphqlRegistry]

ONE, TWO = Version.parse("1.0.0"), Version.parse("2.0.0")
TOOL = answer(package("acme/tool", "1.0.0"))


def test_it_serves_for_ten_minutes_without_being_asked_again(client_for: ClientFor) -> None:
    with replying(TOOL) as server:
        for _ in range(3):
            assert client_for(server.url).versions("acme/tool") == [ONE]
        assert len(server.asked) == 1
        # Unless somebody wants to know.
        assert client_for(server.url, refresh=True).versions("acme/tool") == [ONE]
        assert len(server.asked) == 2


def test_it_is_asked_whether_it_is_still_right(client_for: ClientFor, notes: list[str]) -> None:
    headers = {"ETag": '"x"', "Cache-Control": "no-cache"}
    newer = answer(package("acme/tool", "1.0.0", "2.0.0"))
    with replying(Reply(TOOL, headers), Reply(TOOL, headers), Reply(newer, {"ETag": '"y"'})) as server:
        assert client_for(server.url).versions("acme/tool") == [ONE]
        assert client_for(server.url).versions("acme/tool") == [ONE]
        assert client_for(server.url).versions("acme/tool") == [ONE, TWO]
        assert [asked.etag for asked in server.asked] == [None, '"x"', '"x"']
    assert notes == []


def test_what_was_asked_for_together_is_asked_for_once_more_together(client_for: ClientFor) -> None:
    both = answer(package("acme/a", "1.0.0"), package("acme/b", "1.0.0"))
    with replying(Reply(both, {"ETag": '"x"', "Cache-Control": "no-cache"})) as server:
        for _ in range(2):
            registry = client_for(server.url)
            registry.prefetch(["acme/a", "acme/b"])
            assert registry.versions("acme/a") == registry.versions("acme/b") == [ONE]
        assert [asked.etag for asked in server.asked] == [None, '"x"']


def test_old_answers_serve_where_nobody_can_be_asked(client_for: ClientFor, notes: list[str]) -> None:
    with replying(Reply(TOOL, {"ETag": '"x"', "Cache-Control": "no-cache"})) as server:
        assert client_for(server.url).versions("acme/tool") == [ONE]
    for options in ({}, {"offline": True}):
        registry = client_for(server.url, **options)
        assert registry.versions("acme/tool") == [ONE]
        assert registry.summary("acme/tool", ONE).sha256 == "a" * 64
        assert registry.location("acme/tool", ONE) == f"{server.base}/files/tool.webc"
        assert len(notes) == 1 and server.url in notes[0] and "\n" not in notes[0]
        with pytest.raises(WpmError, match=r"acme/other.*127\.0\.0\.1") as caught:
            registry.versions("acme/other")
        assert isinstance(caught.value, Unreachable) != bool(options)
        with pytest.raises(WpmError):
            registry.by_hash("a" * 64)
        notes.clear()


def test_what_a_hash_means_is_known_for_ever(client_for: ClientFor) -> None:
    manifest = distribution()["webcManifest"]
    image = {"version": "V3", "fileSize": "100", "webcSha256": "a" * 64, "webcUrl": "/files/x.webc"}
    release = {"piritaManifest": manifest, "isArchived": True, "webcUrl": "/x", "v3": image, "v2": None}
    with replying(Reply({"data": {"release": release}}, {"Cache-Control": "no-cache"})) as server:
        found = client_for(server.url).by_hash("a" * 64)
        assert found is not None and found.size == 100 and found.location == f"{server.base}/files/x.webc"
        assert server.names == [f"sha256:{'a' * 64}"]
    assert client_for(server.url).by_hash("a" * 64) == found
    assert client_for(server.url, offline=True).by_hash("a" * 64) == found


def test_a_url_that_is_signed_for_a_while_is_asked_for_again(client_for: ClientFor) -> None:
    def signed(signature: str) -> object:
        return answer(package("acme/tool", "1.0.0", piritaDownloadUrl=f"/x?{signature}", piritaExpiresInSeconds=0))

    with replying(signed("1"), signed("2")) as server:
        assert client_for(server.url).versions("acme/tool") == [ONE]
        assert client_for(server.url).location("acme/tool", ONE) == f"{server.base}/x?2"


def test_mirrors_are_asked_instead_one_after_another(client_for: ClientFor) -> None:
    with replying(TOOL) as origin, replying(TOOL) as gone, replying(TOOL) as mirror:
        gone.close()
        registry = client_for(origin.url, mirrors=(gone.url, mirror.url))
        summary = registry.summary("acme/tool", ONE)
        # The lock names the registry, whoever answered for it.
        assert summary.source == f"registry+{origin.url}"
        assert summary.location == f"{mirror.base}/files/tool.webc"
        assert origin.asked == [] and len(mirror.asked) == 1
        only = client_for(origin.url, mirrors=(gone.url,), refresh=True)
        with pytest.raises(Unreachable):
            only.versions("acme/else")
        assert origin.asked == []
        last = client_for(origin.url, mirrors=(gone.url, origin.url), refresh=True)
        assert last.versions("acme/tool") == [ONE]
        assert len(origin.asked) == 1


def test_a_registry_that_is_older_than_a_field_is_asked_for_less(client_for: ClientFor) -> None:
    unknown = {"errors": [{"message": "Cannot query field 'piritaSize' on type 'PackageDistribution'."}]}
    for reply in (Reply(unknown), Reply(unknown, status=400), Reply({"data": None, **unknown})):
        with replying(reply, TOOL) as server:
            registry = client_for(server.url)
            assert registry.versions("acme/tool") == [ONE]
            assert registry.versions("acme/tool") == [ONE]
            assert ["piritaSize" in asked.query for asked in server.asked] == [True, False]


def test_a_registry_that_answers_only_so_much_is_asked_for_less_at_a_time(client_for: ClientFor) -> None:
    names = [f"acme/p{number}" for number in range(50)]

    class Picky(ReplyServer):
        most = 10

        def reply(self, asked: Asked) -> Reply:
            if len(asked.variables) > self.most:
                return Reply({"errors": [{"message": "too complex"}]}, status=400)
            return Reply(answer(*(package(str(name), "1.0.0") for name in asked.variables.values())))

    server = Picky({})
    try:
        registry = client_for(server.url)
        registry.prefetch(names)
        assert [len(asked.variables) for asked in server.asked if len(asked.variables) <= 10] == [6, 6, 6, 7] * 2
        before = len(server.asked)
        assert all(registry.versions(name) == [ONE] for name in names)
        assert len(server.asked) == before
        Picky.most = 0
        other = client_for(server.url)
        other.prefetch([f"acme/q{number}" for number in range(500)])
        # One that says no to everything is left alone soon.
        assert len(server.asked) - before < 20
    finally:
        server.close()
