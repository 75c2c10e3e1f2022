"""Send a package's file: whole or in ranges, and not again to whoever has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_file

from pkgmgr.errors import WpmError
from pkgmgr.registry.directory import SUFFIX
from pkgmgr.version import Version

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from pkgmgr.server.catalog import Catalog, Packaged

MIME_TYPE: Final = "application/webc"
_YEAR: Final = 365 * 24 * 3600


def send_package(request: Request, catalog: Catalog, namespace: str | None, name: str | None, file: str) -> Response:
    """Answer a download.

    Args:
        request: The request.
        catalog: The registry.
        namespace: The package's namespace; None where `file` is `HASH.webc`.
        name: Its name.
        file: `VERSION.webc`.

    Raises:
        NotFound: There is no such package.
    """
    entry = _find(catalog, namespace, name, file)
    if entry is None:
        raise NotFound("no such package")
    try:
        response = send_file(
            entry.path,
            request.environ,
            mimetype=MIME_TYPE,
            conditional=True,
            etag=entry.sha256,
            last_modified=entry.seconds,
            max_age=_YEAR,
        )
    except FileNotFoundError:
        raise NotFound("no such package") from None
    # A version never changes: who has it need not ask again.
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _find(catalog: Catalog, namespace: str | None, name: str | None, file: str) -> Packaged | None:
    if not file.endswith(SUFFIX):
        return None
    text = file.removesuffix(SUFFIX)
    if namespace is None or name is None:
        return catalog.by_hash(text)
    try:
        version = Version.parse(text)
    except WpmError:
        return None
    package = catalog.package(f"{namespace}/{name}")
    return None if package is None else package.version(version)
