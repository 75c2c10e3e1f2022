"""What several verbs say of a guest: the options that give it something, its arguments, and waiting for its end.

The guest has the standard streams of this process, and of the host only what the options give it. Its exit code is
ours; a trap is told with the guest's call stack and exits 134, a guest whose time is up exits 124, Ctrl-C 130.
"""

from __future__ import annotations

import os
import sys
import time

from pkgmgr.cli.bell import Bell
from pkgmgr.cli.options import path
from pkgmgr.errors import WpmError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from pkgmgr.running.program import RunOptions, Volume
    from pkgmgr.tools.record import GuestSettings
    from runtime.process import WasiProcess

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BY_SIGNAL = 128
"""What is added to the number of a signal in the exit code of whom it ended."""
_HUP, _INT, _KILL, _PIPE, _ALRM, _TERM = 1, 2, 9, 13, 14, 15
"""Signals that have these numbers everywhere; the module of signals takes a millisecond to import."""
_TOLD = (_TERM, _HUP)
_PASSED_ON = frozenset({_HUP, _INT, _KILL, _PIPE, _ALRM, _TERM})
_DEFAULT_HANDLER = 127
"""How a guest of wasix-libc exits that took a signal for which it has no handler."""
_SOON = 2.0
"""For how many seconds after a signal such an exit may come of it: a shell exits so for reasons of its own, too."""


def add_guest(parser: argparse.ArgumentParser) -> None:
    """Add what a guest is given: variables, directories, the network, limits."""
    parser.add_argument("--env", action="append", default=[], metavar="K=V", help="set a variable; K takes ours")
    parser.add_argument("--forward-host-env", action="store_true", help="give the guest all our variables")
    parser.add_argument(
        "-v", "--volume", action="append", default=[], metavar="HOST:GUEST[:ro]", help="show the guest a directory"
    )
    parser.add_argument(
        "--mapdir", action="append", default=[], metavar="GUEST:HOST", help="as --volume, the other way"
    )
    parser.add_argument("-w", "--cwd", metavar="DIR", help="the guest's working directory")
    parser.add_argument("--workdir", dest="cwd", help="==SUPPRESS==")
    parser.add_argument("--use", action="append", default=[], metavar="PKG", help="add a package's commands and files")
    parser.add_argument(
        "--net",
        metavar="RULES",
        help="let the guest use the network; --net=RULES: what these allow (loopback, allow:tcp:HOST:PORT, …)",
    )
    parser.add_argument("--timeout", type=seconds, metavar="TIME", help="end the guest after 10, 1.5s, 500ms, 2m …")
    parser.add_argument("--memory", type=size, metavar="SIZE", help="the most memory for a process: 64M, 1G …")


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add the guest's arguments; `parse_words` reads them."""
    parser.add_argument(
        "words", metavar="ARGS", nargs="*", default=[], help="arguments for the guest; those with a dash go behind --"
    )


def parse_words(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Tell our options from the guest's arguments: what comes behind the first `--` is the guest's, whatever it is."""
    cut = words.index("--") if "--" in words else len(words)
    # `--net` alone has no value, and must not take what follows for one.
    ours = ["--net=" if word == "--net" else word for word in words[:cut]]
    arguments, unknown = parser.parse_known_intermixed_args(ours)
    arguments.rest = words[cut + 1 :]
    if unknown:
        parser.error(f"{unknown[0]}: no option of {parser.prog}; arguments for the guest with a dash go behind --")
    return arguments


def run_options(arguments: argparse.Namespace, words: Iterable[str]) -> RunOptions:
    """What the guest is given, by the options of `add_guest`; `words` are its arguments.

    Raises:
        WpmError: An option is not as it should be, or a directory is not there.
    """
    from pkgmgr.running.program import RunOptions

    return RunOptions(
        arguments=tuple(words),
        environ=_environ(arguments),
        volumes=tuple(_volumes(arguments)),
        cwd=arguments.cwd,
        uses=tuple(arguments.use),
        memory=arguments.memory,
        seconds=arguments.timeout,
        network=arguments.net,
    )


def guest_settings(arguments: argparse.Namespace) -> GuestSettings:
    """What the options of `add_guest` say, to be kept for later runs or completed."""
    from pkgmgr.tools.record import GuestSettings

    return GuestSettings(
        tuple(arguments.volume),
        tuple(arguments.mapdir),
        tuple(arguments.env),
        arguments.forward_host_env,
        arguments.cwd,
        arguments.net,
        arguments.timeout,
        arguments.memory,
    )


def wait(process: WasiProcess, timeout: float | None, *, as_native: bool = False) -> int:
    """Wait for the guest; gives its exit code.

    Ctrl-C is the guest's if it handles signals; any other one, and the second, ends it at once.

    Args:
        process: The guest.
        timeout: The time that it was given, to be told.
        as_native: Whether to be to others as the guest's own process would be, as launchers are: it hears of `SIGTERM` and
            `SIGHUP` too, and of all that come, as a shell wants that somebody types into; and where a signal ended it,
            that signal ends us, so that whoever started us sees it.
    """
    told, told_at = 0, 0.0
    with Bell(process, (_INT, *_TOLD) if as_native else (_INT,)) as bell:
        while (number := bell.wait()) is not None:
            if process.signal_callback is None or (told and not as_native):
                process.terminate_all(_BY_SIGNAL + number)
            else:
                from runtime.signals import Signal

                # As a terminal does: everything in the foreground hears of it.
                for each in process.env.control.running():
                    each.raise_signal(Signal(number))
            told, told_at = number, time.monotonic()
    code = process.wait()
    if process.trap is not None:
        print(f"wpm: {process.name}: trap: {process.trap.reason}", file=sys.stderr)
        print(process.trap.backtrace(), file=sys.stderr)
    elif process.timed_out:
        print(f"wpm: {process.name}: ended after {timeout:g} s (--timeout)", file=sys.stderr)
    if told and code == _DEFAULT_HANDLER and time.monotonic() - told_at < _SOON:
        code = _BY_SIGNAL + told
    if as_native and (ended_by := told if code == _BY_SIGNAL + told else process.signal or 0) in _PASSED_ON:
        _end_by(ended_by)
    return code & 0xFF if code <= 0xFF else code & 0xFF or 1


def _end_by(number: int) -> None:
    """End this process by a signal, its terminal put in order and its output written."""
    import atexit
    import signal
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    atexit._run_exitfuncs()
    if number != _KILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _environ(arguments: argparse.Namespace) -> dict[str, str]:
    variables = dict(os.environ) if arguments.forward_host_env else {}
    for place in ("PWD", "OLDPWD"):
        # These are about the host's directories; the guest is elsewhere.
        variables.pop(place, None)
    for text in arguments.env:
        name, equals, value = text.partition("=")
        if not name:
            raise WpmError(f"--env {text}: expected NAME=VALUE, or NAME to pass ours on")
        if equals:
            variables[name] = value
        elif name in os.environ:
            variables[name] = os.environ[name]
    return variables


def _volumes(arguments: argparse.Namespace) -> list[Volume]:
    volumes = [volume(text) for text in arguments.volume]
    for text in arguments.mapdir:
        guest, colon, host = text.partition(":")
        if not colon or not guest or not host:
            raise WpmError(f"--mapdir {text}: expected GUEST:HOST")
        volumes.append(_checked(f"--mapdir {text}", host, guest))
    return volumes


def volume(text: str) -> Volume:
    """What `--volume` says; raises `WpmError` where it says nothing, or the directory is not there."""
    option = f"--volume {text}"
    parts = text.split(":")
    access = parts.pop() if len(parts) > 2 and parts[-1] in ("ro", "rw") else "rw"
    if len(parts) == 1 and text:
        # As wasmer does: one path is the same on both sides.
        return _checked(option, parts[0], str(path(parts[0]).absolute()), read_only=access == "ro")
    if len(parts) != 2 or not all(parts):
        raise WpmError(f"{option}: expected HOST:GUEST, HOST:GUEST:ro or a path that is the same on both sides")
    return _checked(option, *parts, read_only=access == "ro")


def _checked(option: str, host: str, guest: str, *, read_only: bool = False) -> Volume:
    from posixpath import normpath

    from pkgmgr.running.program import Volume

    if not os.path.isdir(host):
        raise WpmError(f"{option}: there is no directory {host}")
    place = normpath(f"/{guest}")
    if place.startswith("//"):
        place = place[1:]
    return Volume(path(host), place, read_only)


def size(text: str) -> int:
    """A number of bytes: `65536`, `64M`, `64MiB`, `1g`."""
    number = text.rstrip("BbIiKkMmGg")
    unit = text[len(number) :].lower().removesuffix("ib").removesuffix("b")
    try:
        count = int(float(number) * _UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        count = -1
    if count < 65536:
        from argparse import ArgumentTypeError

        raise ArgumentTypeError(f"{text}: expected a size of at least 64K, as 64M or 1G")
    return count


def seconds(text: str) -> float:
    """A time: `10`, `1.5s`, `500ms`, `2m`."""
    number = text.rstrip("msh")
    unit = text[len(number) :]
    try:
        time = float(number) * _SECONDS[unit]
    except (KeyError, ValueError):
        time = -1.0
    if not 0 < time < 1e9:
        from argparse import ArgumentTypeError

        raise ArgumentTypeError(f"{text}: expected a time, as 10, 1.5s, 500ms or 2m")
    return time
