"""The questions that a registry of Wasmer's kind is asked, in GraphQL.

Each is one document with variables, whatever the names are, so that no name can be more than a name. The fields are those
of the public schema (`wasmerio/wasmer`, lib/backend-api/schema.graphql). A registry that is older than some of them is
asked the `plain` form, which has the fields that Wasmer's own client needs (lib/wasix, `backend_source`) and no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

Question = dict[str, Any]
"""What is posted: the `query` and its `variables`."""

_PLAIN: Final = "piritaDownloadUrl piritaSha256Hash webcManifest"
_FULL: Final = f"{_PLAIN} piritaSize piritaExpiresInSeconds webcVersion"

_FILES: Final = (
    "version isArchived v2: distribution(version: V2) { %(fields)s } v3: distribution(version: V3) { %(fields)s }"
)
_EVERYTHING: Final = f"""
fragment Offered on Package {{
  packageName namespace
  versions {{ {_FILES % {"fields": _PLAIN}} }}
}}"""
_LISTED: Final = f"""
fragment Offered on Package {{
  packageName namespace
  versions {{ {_FILES % {"fields": "piritaSha256Hash"}} }}
  lastVersion {{ {_FILES % {"fields": _FULL}} }}
}}"""
_DETAILED: Final = f"""
fragment Detailed on PackageVersion {{
  package {{ packageName namespace }}
  {_FILES}
}}"""

_RELEASE: Final = "query Release($hash: String!) { release: getPackageRelease(hash: $hash) { %(fields)s } }"
_IMAGE: Final = "{ version fileSize webcSha256 webcUrl }"
_RELEASE_PLAIN: Final = "piritaManifest isArchived webcUrl"
_RELEASE_FULL: Final = f"{_RELEASE_PLAIN} v2: webc {_IMAGE} v3: webcV3 {_IMAGE}"

_SEARCH: Final = """query Search($text: String!, $most: Int!, $filter: PackagesFilter) {
  search(query: $text, first: $most, packages: $filter) {
    edges { node { __typename ... on PackageVersion {
      version description isArchived package { packageName namespace }
    } } }
  }
}"""

_ABOUT: Final = """query About($name: String!) {
  getPackage(name: $name) { lastVersion { description license homepage repository } }
}"""

VIEWER: Final[Question] = {"query": "query Viewer { viewer { username } }", "variables": {}}
"""Whose token it is that goes with the question."""


def versions(names: Sequence[str], *, plain: bool = False) -> Question:
    """What there is of packages: those of `names` are the answer's `p0`, `p1`, ….

    Of most versions only the hashes of their files are asked for, as nobody looks at them; the newest mostly is the one.
    The `plain` form asks for all there is of all of them.
    """
    numbers = range(len(names))
    declared = ", ".join(f"$n{number}: String!" for number in numbers)
    asked = " ".join(f"p{number}: getPackage(name: $n{number}) {{ ...Offered }}" for number in numbers)
    return {
        "query": f"query Versions({declared}) {{ {asked} }}{_EVERYTHING if plain else _LISTED}",
        "variables": {f"n{number}": name for number, name in enumerate(names)},
    }


def details(wanted: Sequence[tuple[str, str]], *, plain: bool = False) -> Question:
    """The files of versions, with their manifests: those of `wanted`, names and versions, are the answer's `d0`, `d1`, …."""
    numbers = range(len(wanted))
    declared = ", ".join(f"$n{number}: String!, $v{number}: String!" for number in numbers)
    asked = " ".join(
        f"d{number}: getPackageVersion(name: $n{number}, version: $v{number}) {{ ...Detailed }}" for number in numbers
    )
    fragment = _DETAILED % {"fields": _PLAIN if plain else _FULL}
    names = {f"n{number}": name for number, (name, _) in enumerate(wanted)}
    versions = {f"v{number}": version for number, (_, version) in enumerate(wanted)}
    return {"query": f"query Details({declared}) {{ {asked} }}{fragment}", "variables": names | versions}


def release(sha256: str, *, plain: bool = False) -> Question:
    """The package whose file has this hash: the answer's `release`."""
    query = _RELEASE % {"fields": _RELEASE_PLAIN if plain else _RELEASE_FULL}
    return {"query": query, "variables": {"hash": f"sha256:{sha256}"}}


def search(text: str, most: int) -> Question:
    """At most so many packages for a text: the answer's `search`."""
    return {"query": _SEARCH, "variables": {"text": text, "most": most, "filter": {"count": most}}}


def about(name: str) -> Question:
    """What people are told of a package: the answer's `getPackage`."""
    return {"query": _ABOUT, "variables": {"name": name}}
