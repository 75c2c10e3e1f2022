"""Waiting for clocks and descriptors at once. Source: WASI preview 1, `poll_oneoff`."""

from __future__ import annotations

import array
import fcntl
import termios
import time

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import ClockId, EventType, Rights
from runtime.abi.layouts import (
    EVENT,
    SUBSCRIPTION,
    SUBSCRIPTION_CLOCK,
    SUBSCRIPTION_FD,
    UNSTABLE_SUBSCRIPTION,
    UNSTABLE_SUBSCRIPTION_CLOCK,
)
from runtime.descriptors import Uses
from runtime.hostcalls import PREVIEW1, UNSTABLE, WASIX, syscall
from runtime.typed import NamedTuple
from runtime.waiting import FAILED, READABLE, WRITABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from struct import Struct

    from runtime.descriptors import Description
    from runtime.thread import GuestThread

_POLL = int(Rights.POLL_FD_READWRITE)
_HANGUP = 1
_ABSOLUTE = 1
_MAX_SUBSCRIPTIONS = 65536


class _Subscription(NamedTuple):
    """What a guest waits for: a deadline in nanoseconds of the monotonic clock, or a descriptor."""

    userdata: int
    kind: EventType
    deadline: int = 0
    description: Description | None = None
    error: Errno = Errno.SUCCESS


def _deadline(thread: GuestThread, clock: int, timeout: int, flags: int) -> int:
    """When a clock subscription fires, as nanoseconds of `time.monotonic_ns`."""
    now = time.monotonic_ns()
    match clock:
        case ClockId.MONOTONIC:
            return timeout if flags & _ABSOLUTE else now + timeout
        case ClockId.REALTIME:
            return now + timeout - (thread.env.clock.now() if flags & _ABSOLUTE else 0)
        case ClockId.PROCESS_CPUTIME | ClockId.THREAD_CPUTIME:
            raise GuestError(Errno.NOTSUP)
        case _:
            raise GuestError(Errno.INVAL)


def _subscription(
    thread: GuestThread, fields: tuple[int, int, bytes], clock_layout: Struct, uses: Uses
) -> _Subscription:
    userdata, tag, rest = fields
    if tag > EventType.FD_WRITE:
        raise GuestError(Errno.INVAL)
    kind = EventType(tag)
    try:
        if kind is EventType.CLOCK:
            clock, timeout, _precision, flags = clock_layout.unpack_from(rest)[-4:]
            return _Subscription(userdata, kind, _deadline(thread, clock, timeout, flags))
        description = thread.descriptors.use(SUBSCRIPTION_FD.unpack_from(rest)[0], _POLL)
        uses.keep(description)
        return _Subscription(userdata, kind, description=description)
    except GuestError as error:
        return _Subscription(userdata, kind, error=error.errno)


def _available(description: Description) -> int:
    """How many bytes could be read at once, as far as anybody knows."""
    file = description.file
    if file is None:
        return 0
    if file.seekable:
        return max(0, file.stat().size - description.position)
    descriptor = file.fileno()
    if descriptor is None:
        return 1
    count = array.array("i", [0])
    try:
        fcntl.ioctl(descriptor, termios.FIONREAD, count)
    except OSError:
        return 1
    return max(0, count[0])


def _event(subscription: _Subscription, events: int = 0) -> bytes:
    """The `event` (32 bytes) of a subscription that fired."""
    size, flags = 0, 0
    if subscription.description is not None:
        size = _available(subscription.description) if subscription.kind is EventType.FD_READ else 65536
        flags = _HANGUP if events & FAILED else 0
    return EVENT.pack(subscription.userdata, subscription.error, subscription.kind, size, flags)


def _waitable(description: Description, event: int) -> int | None:
    """The descriptor of the operating system to wait on; `None` for what never makes one wait."""
    file = description.file
    if file is None:
        return None
    return file.fileno() if event == READABLE else file.write_fileno()


def _poll(thread: GuestThread, wanted: list[_Subscription]) -> list[bytes]:
    """Wait until at least one subscription fires; their events."""
    interests: dict[int, int] = {}
    waiting: list[tuple[_Subscription, int, int]] = []
    fired: list[bytes] = []
    deadline: int | None = None
    for subscription in wanted:
        description = subscription.description
        if subscription.error:
            fired.append(_event(subscription))
        elif description is None:
            deadline = subscription.deadline if deadline is None else min(deadline, subscription.deadline)
        else:
            event = READABLE if subscription.kind is EventType.FD_READ else WRITABLE
            descriptor = _waitable(description, event)
            if descriptor is None:
                fired.append(_event(subscription))
                continue
            interests[descriptor] = interests.get(descriptor, 0) | event
            waiting.append((subscription, descriptor, event))
    if fired:
        deadline = 0
    ready = dict(thread.block(list(interests.items()), deadline)) if interests or not fired else {}
    for subscription, descriptor, event in waiting:
        if ready.get(descriptor, 0) & (event | FAILED):
            fired.append(_event(subscription, ready[descriptor]))
    now = time.monotonic_ns()
    clocks = (one for one in wanted if one.kind is EventType.CLOCK and not one.error)
    fired += [_event(one) for one in clocks if one.deadline <= now]
    return fired


def _oneoff(thread: GuestThread, layout: Struct, clock: Struct, array_: tuple[int, int, int], result: int) -> None:
    subscriptions, events, count = array_
    if count == 0 or count > _MAX_SUBSCRIPTIONS:
        raise GuestError(Errno.INVAL)
    memory = thread.memory
    memory.check(events, count * EVENT.size)
    raw = memory.read(subscriptions, count * layout.size)
    with Uses() as uses:
        # As in Linux, what another thread closes meanwhile is still waited for: an event or a deadline ends the wait.
        fired = _poll(thread, [_subscription(thread, fields, clock, uses) for fields in layout.iter_unpack(raw)])
    memory.write(events, b"".join(fired))
    memory.set_u32(result, len(fired))


@syscall("poll_oneoff", "iiii:i", PREVIEW1, WASIX)
def poll_oneoff(thread: GuestThread, subscriptions: int, events: int, count: int, result: int) -> None:
    """Wait until one of `count` subscriptions (48 bytes each) fires; writes events (32 bytes each) and their number, u32.

    Errors: `INVAL` for no subscription; what is wrong with a single one is in its event.
    """
    _oneoff(thread, SUBSCRIPTION, SUBSCRIPTION_CLOCK, (subscriptions, events, count), result)


@syscall("poll_oneoff", "iiii:i", UNSTABLE)
def poll_oneoff_unstable(thread: GuestThread, subscriptions: int, events: int, count: int, result: int) -> None:
    """As `poll_oneoff`, with the older structure of a subscription (56 bytes)."""
    layouts = UNSTABLE_SUBSCRIPTION, UNSTABLE_SUBSCRIPTION_CLOCK
    _oneoff(thread, *layouts, (subscriptions, events, count), result)
