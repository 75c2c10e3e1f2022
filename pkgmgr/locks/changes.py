"""What became different between two locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.locks.lockfile import LockedPackage, Lockfile


class LockChange(NamedTuple):
    """One package that came, went, or became another one.

    Attributes:
        name: Its name, or `sha256:HEX` of one that has none.
        before: Its version until now, None where it is new; empty for a package without a name.
        after: Its version now, None where it is gone. The same as before where other contents stand under it, or its
            place is another one.
    """

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        match self.before, self.after:
            case None, after:
                return f"+ {self.name} {after}".rstrip()
            case before, None:
                return f"- {self.name} {before}".rstrip()
            case before, after if before != after:
                return f"{self.name} {before} -> {after}"
            case before, _:
                return f"{self.name} {before} (another file)"


def lock_changes(before: Lockfile | None, after: Lockfile) -> list[LockChange]:
    """What changed, ordered by the packages' names.

    Args:
        before: The lock until now; None where there was none.
        after: The lock now.
    """
    old, new = _by_name(before.packages if before else {}), _by_name(after.packages)
    changes: list[LockChange] = []
    for name in sorted({*old, *new}):
        olds, news = old.get(name, {}), new.get(name, {})
        gone = [version for version in olds if version not in news]
        come = [version for version in news if version not in olds]
        # A package is there once, save for one that is asked for both by its name and by a path.
        paired = min(len(gone), len(come))
        changes += [LockChange(name, *pair) for pair in zip(gone[:paired], come[:paired], strict=True)]
        changes += [LockChange(name, version, None) for version in gone[paired:]]
        changes += [LockChange(name, None, version) for version in come[paired:]]
        changes += [
            LockChange(name, version, version)
            for version in news
            if version in olds and news[version].sha256 != olds[version].sha256
        ]
    return changes


def _by_name(packages: Mapping[str, LockedPackage]) -> dict[str, dict[str, LockedPackage]]:
    found: dict[str, dict[str, LockedPackage]] = {}
    for package in packages.values():
        found.setdefault(package.name or package.id, {})[package.version] = package
    return found
