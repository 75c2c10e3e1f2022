"""The login for a repository: what `wpm login` has kept, else what Docker and Podman have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkgmgr.notices import notice

if TYPE_CHECKING:
    from pkgmgr.settings.login import Login

_told: Final[set[str]] = set()


def login_for(host: str, name: str = "") -> Login | None:
    """The login for a repository, or for a registry where no repository is named; None where there is none.

    Raises:
        WpmError: The user's credentials cannot be read.
    """
    from pkgmgr.settings.credentials import Credentials
    from pkgmgr.settings.docker_config import find_login

    return Credentials().login(host) or find_login(host, name, _warn)


def _warn(line: str) -> None:
    if line not in _told:
        _told.add(line)
        notice(line)
