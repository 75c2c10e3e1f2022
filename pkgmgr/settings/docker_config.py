"""What `docker login` and `podman login` have kept: read, and never written.

The files are looked at in this order, and the first that knows the registry is believed: `$REGISTRY_AUTH_FILE`,
`$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`, `$DOCKER_CONFIG/config.json` (or
`~/.docker/config.json`). In a file a helper for the registry (`credHelpers`) wins over `auths`, and `auths` over the helper
for everything (`credsStore`).

Sources: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md,
https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pkgmgr.errors import WpmError
from pkgmgr.files.reading import read_small_file
from pkgmgr.settings.login import Login, check_secret, check_username

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_HUB: Final = "docker.io"
_HUB_KEY: Final = "https://index.docker.io/v1/"
_LARGEST: Final = 4 << 20
_LARGEST_ANSWER: Final = 1 << 20
_HELPER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_HELPER_SECONDS: Final = 60.0
_IDENTITY: Final = "<token>"


def find_login(host: str, name: str, warn: Callable[[str], object]) -> Login | None:
    """What Docker or Podman know for a registry.

    Args:
        host: The registry (`parse_host`).
        name: The repository: Podman keeps logins for parts of a registry, too. Empty for none.
        warn: Told what cannot be used, one line each, without a secret in it.
    """
    for path in config_files():
        try:
            document = json.loads(read_small_file(path, _LARGEST))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            warn(f"{path}: cannot be read: {error.strerror or error}")
            continue
        except (ValueError, RecursionError):
            warn(f"{path}: not JSON, and passed over")
            continue
        if isinstance(document, dict):
            try:
                login = _in_document(document, host, name, path)
            except WpmError as error:
                warn(str(error))
                continue
            if login is not None:
                return login
    return None


def config_files() -> Iterator[Path]:
    """Where logins may be kept, in the order in which they are believed."""
    if named := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "containers", "auth.json")
    with suppress(RuntimeError):
        yield Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser(), "containers", "auth.json")
    with suppress(RuntimeError):
        yield Path(os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser(), "config.json")


def _in_document(document: Mapping[str, Any], host: str, name: str, path: Path) -> Login | None:
    server = _HUB_KEY if host == _HUB else host
    helpers = document.get("credHelpers")
    if isinstance(helpers, dict):
        for key in (server, host):
            if isinstance(helper := helpers.get(key), str) and helper:
                return _ask_helper(helper, server, path)
    auths = document.get("auths")
    if isinstance(auths, dict):
        known = {_one_form(key): entry for key, entry in reversed(auths.items())}
        for key in _keys(host, name):
            login = _of_entry(known.get(key), f"{path}: auths: {key}", str(path))
            if login is not None:
                return login
    if isinstance(helper := document.get("credsStore"), str) and helper:
        return _ask_helper(helper, server, path)
    return None


def _keys(host: str, name: str) -> Iterator[str]:
    """What a login for a repository may stand under: the repository, what it is in, and the registry."""
    parts = name.split("/") if name else []
    for count in range(len(parts), -1, -1):
        yield "/".join((host, *parts[:count]))


def _one_form(key: str) -> str:
    """A key of `auths`: Docker writes hosts, URLs of hosts, and those of a version of the protocol."""
    if "://" in key:
        host, _, rest = key.partition("://")[2].partition("/")
        key = host if rest.strip("/") in ("", "v1", "v2") else f"{host}/{rest}"
    host, slash, rest = key.partition("/")
    host = host.lower()
    return (_HUB if host in ("index.docker.io", "registry-1.docker.io") else host) + slash + rest


def _of_entry(entry: object, where: str, place: str) -> Login | None:
    """The login of an entry; None for an empty one, which says only that a helper has it."""
    if not isinstance(entry, dict):
        return None
    token, auth = entry.get("identitytoken"), entry.get("auth")
    if isinstance(token, str) and token:
        return Login("", check_secret(token, where), place, is_identity=True)
    username, password = entry.get("username"), entry.get("password")
    if isinstance(auth, str) and auth:
        import base64

        try:
            username, _, password = base64.b64decode(auth, validate=True).decode().rstrip("\0").partition(":")
        except ValueError:
            raise WpmError(f"{where}: not a login, and passed over") from None
    if not isinstance(username, str) or not isinstance(password, str) or not username:
        return None
    return Login(check_username(username, where), check_secret(password, where), place)


def _ask_helper(helper: str, server: str, path: Path) -> Login | None:
    """Ask `docker-credential-HELPER get`; None where it has nothing. What it prints is shown to nobody."""
    import subprocess

    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise WpmError(f"{path}: {helper[:60]!r} is not the name of a credential helper")
    try:
        done = subprocess.run(
            [program, "get"],
            input=f"{server}\n".encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise WpmError(f"{path}: it wants {program}, which is not installed") from None
    except (OSError, subprocess.TimeoutExpired):
        raise WpmError(f"{path}: {program} cannot be asked") from None
    if done.returncode:
        # "credentials not found" has no code of its own.
        if b"not found" in done.stdout[:_LARGEST_ANSWER].lower():
            return None
        raise WpmError(f"{path}: {program} failed with exit code {done.returncode}")
    try:
        answer = json.loads(done.stdout[:_LARGEST_ANSWER])
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WpmError(f"{path}: what {program} answered is no login") from None
    if not isinstance(username, str) or not isinstance(secret, str) or not secret:
        return None
    if username == _IDENTITY:
        return Login("", check_secret(secret, program), program, is_identity=True)
    return Login(check_username(username, program), check_secret(secret, program), program)
