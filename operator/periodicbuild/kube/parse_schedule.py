"""The schedule of a spec: the one part that admission cannot check completely, and whose mistakes become sentences.

Must not know when anything is due.

The one idea a newcomer would miss: a schedule we do not understand must never look like none at all, as that means
daily.  A kind of schedule that only a newer operator knows is therefore a mistake like any other.  A zone is another
matter: a newer tzdata may drop it under a schedule that nobody has edited, so the schedule stays what it is, with no
slots until the zone is known again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec

from periodicbuild.core.durations import format_duration
from periodicbuild.core.facts import Starting
from periodicbuild.core.schedules import DEFAULT_INTERVAL, Interval, Schedule, Timing, whole_second_up
from periodicbuild.core.zones import ZoneError, check_zone
from periodicbuild.kube.parse_timing import (
    UnreadableScheduleError,
    fields_of,
    read_calendar,
    read_cron,
    read_duration,
    read_interval,
)
from periodicbuild.kube.parse_values import LATEST, UNREADABLE, utc
from periodicbuild.kube.wire_parts import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MOST_SHARED: Final = 4_096
"""Texts whose value is kept."""

ARMS: Final[Mapping[str, Callable[[dict[str, Any]], Timing]]] = {
    "interval": read_interval,
    "calendar": read_calendar,
    "cron": read_cron,
}
KNOWN: Final = {*ARMS, "notBefore"}
DISTANCES_FROM: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A spread is measured against the slots after this, so that it is not too long today and short enough later."""
DISTANCES: Final = 100


@lru_cache(maxsize=MOST_SHARED)
def read_schedule(text: bytes, *, enabled: bool) -> tuple[Schedule, Starting, str | None]:
    """Read `spec.schedule`; with a mistake, a schedule that spawns nothing, and the sentence for `Ready=False`."""
    nothing = Schedule(enabled=enabled, timing=None)
    try:
        fields = fields_of("spec.schedule", msgspec.json.decode(text))
        _refuse_unknown(fields)
        kind, arm = _arm(fields)
        timing = ARMS[kind](arm) if kind else DEFAULT_INTERVAL
        schedule = Schedule(enabled=enabled, timing=timing, not_before=_not_before(fields.get("notBefore")))
        starting = _starting(kind, arm)
        _refuse_long_spread(kind, schedule, starting.spread)
    except UNREADABLE as error:
        return nothing, Starting(), str(error)
    return schedule, starting, _zone_error(kind, timing)


def _refuse_unknown(fields: dict[str, Any]) -> None:
    unknown = sorted(fields.keys() - KNOWN)
    if unknown:
        message = (
            f"spec.schedule.{unknown[0]} is not known to this version of the operator:"
            f" update the operator, or use one of {', '.join(ARMS)}"
        )
        raise UnreadableScheduleError(message)


def _arm(fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give the one arm and its fields; none = an interval of one day (design 2.1)."""
    kinds = [kind for kind in ARMS if fields.get(kind) is not None]
    if len(kinds) > 1:
        message = f"spec.schedule: {' and '.join(kinds)} are both set: keep one, and set the other to null"
        raise UnreadableScheduleError(message)
    return (kinds[0], fields_of(f"spec.schedule.{kinds[0]}", fields[kinds[0]])) if kinds else ("", {})


def _starting(kind: str, arm: dict[str, Any]) -> Starting:
    field = f"spec.schedule.{kind}"
    return Starting(
        deadline=read_duration(f"{field}.startingDeadline", arm.get("startingDeadline")),
        spread=read_duration(f"{field}.spread", arm.get("spread")) or timedelta(),
    )


def _refuse_long_spread(kind: str, schedule: Schedule, spread: timedelta) -> None:
    """Refuse a spread that would let a slot start after the next one is due (design 2.1)."""
    shortest = min(_distances(schedule), default=None) if spread else None
    if shortest is not None and spread >= shortest:
        message = (
            f"spec.schedule.{kind}.spread: {format_duration(spread)} is not shorter than {format_duration(shortest)},"
            f" the shortest time between two slots of {schedule.text()}: write less"
        )
        raise UnreadableScheduleError(message)


def _distances(schedule: Schedule) -> Iterator[timedelta]:
    pattern = schedule.pattern
    slots: list[datetime] = []
    slot = pattern.first_after(DISTANCES_FROM) if pattern is not None else None
    while pattern is not None and slot is not None and len(slots) <= DISTANCES:
        slots.append(slot)
        slot = pattern.first_after(slot)
    return (later - earlier for earlier, later in pairwise(slots))


def _zone_error(kind: str, timing: Timing) -> str | None:
    if isinstance(timing, Interval):
        return None
    try:
        check_zone(timing.time_zone)
    except ZoneError as error:
        return f"spec.schedule.{kind}.timeZone: {error}"
    return None


def _not_before(value: Any) -> datetime | None:
    """Round up to a whole second: status stores no fractions, and must not look like an older schedule for ever."""
    if value is None:
        return None
    try:
        instant = msgspec.convert(value, Instant)
    except msgspec.ValidationError as error:
        message = (
            f"spec.schedule.notBefore: {value!r} is no instant: write date, time and zone as in '2026-12-01T00:00:00Z'"
        )
        raise UnreadableScheduleError(message) from error
    return utc(whole_second_up(instant)) if instant < LATEST else LATEST
