"""The schedule of a spec: the one part that admission cannot check completely, and whose mistakes become sentences.

Must not know when anything is due.

The one idea a newcomer would miss: a schedule we do not understand must never look like none at all, as that means
daily.  A kind of schedule that only a newer operator knows is therefore a mistake like any other.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec

from periodicbuild.core.durations import DurationError
from periodicbuild.core.intervals import parse_interval
from periodicbuild.core.reasons import AfterManualRun
from periodicbuild.core.schedules import DEFAULT_INTERVAL, Interval, Schedule, whole_second_up
from periodicbuild.kube.parse_values import LATEST, UNREADABLE, utc
from periodicbuild.kube.wire_status import Instant

MOST_SHARED: Final = 4_096
"""Texts whose value is kept."""

KNOWN: Final = {"interval", "notBefore"}


class UnreadableScheduleError(ValueError):
    """A schedule that cannot be used; its text names field, value and remedy."""


@lru_cache(maxsize=MOST_SHARED)
def read_schedule(text: bytes, *, enabled: bool) -> tuple[Schedule, str | None]:
    """Read `spec.schedule`; with a mistake, a schedule that spawns nothing, and the sentence for `Ready=False`."""
    try:
        fields = _object("spec.schedule", msgspec.json.decode(text))
        _refuse_unknown(fields)
        interval = _interval(fields.get("interval"))
        return Schedule(enabled=enabled, interval=interval, not_before=_not_before(fields.get("notBefore"))), None
    except UNREADABLE as error:
        return Schedule(enabled=enabled, interval=None), str(error)


def _object(field: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableScheduleError(f"{field}: {value!r} has no fields: write it as in {{interval: {{every: 24h}}}}")
    return value


def _refuse_unknown(fields: dict[str, Any]) -> None:
    unknown = sorted(fields.keys() - KNOWN)
    if unknown:
        message = (
            f"spec.schedule.{unknown[0]} is not known to this version of the operator:"
            " update the operator, or use spec.schedule.interval"
        )
        raise UnreadableScheduleError(message)


def _interval(value: Any) -> Interval:
    if value is None:
        return DEFAULT_INTERVAL
    fields = _object("spec.schedule.interval", value)
    return Interval(every=_every(fields.get("every")), after_manual_run=_after_manual_run(fields.get("afterManualRun")))


def _every(value: Any) -> timedelta:
    if not isinstance(value, str | int):
        message = f"spec.schedule.interval.every: {value!r} is not a text: write it as in '24h'"
        raise UnreadableScheduleError(message)
    try:
        return parse_interval(value)
    except DurationError as error:
        raise UnreadableScheduleError(f"spec.schedule.interval.every: {error}") from error


def _after_manual_run(value: Any) -> AfterManualRun:
    if value is None:
        return AfterManualRun.RESTART
    try:
        return AfterManualRun(value)
    except ValueError as error:
        message = f"spec.schedule.interval.afterManualRun: {value!r} is not known: write Restart or Keep"
        raise UnreadableScheduleError(message) from error


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
