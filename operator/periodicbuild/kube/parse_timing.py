"""One arm of `spec.schedule`: interval, calendar or cron (design 2.1).

Must not know which arm a schedule has, nor when anything is due.  Every mistake is a sentence that names field, value
and remedy.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Any, Final

from periodicbuild.core.calendars import EVERY_DAY, Calendar, Weekday
from periodicbuild.core.crons import Cron, CronError, normal_expression
from periodicbuild.core.durations import DurationError, parse_duration
from periodicbuild.core.intervals import parse_interval
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.schedules import Interval
from periodicbuild.kube.parse_values import member

DEFAULT_ZONE: Final = "Etc/UTC"
CLOCK: Final = re.compile("([01][0-9]|2[0-3]):([0-5][0-9])")


class UnreadableScheduleError(ValueError):
    """A schedule that cannot be used; its text names field, value and remedy."""


def fields_of(field: str, value: Any) -> dict[str, Any]:
    """Give the fields of an object; none at all for null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableScheduleError(f"{field}: {value!r} has no fields: write it as in {{interval: {{every: 24h}}}}")
    return value


def read_interval(fields: dict[str, Any]) -> Interval:
    """Read `interval`."""
    return Interval(every=_every(fields.get("every")), after_manual_run=_after_manual_run(fields.get("afterManualRun")))


def read_calendar(fields: dict[str, Any]) -> Calendar:
    """Read `calendar`; whether its zone exists is asked later, as only the zone may come and go with a version."""
    return Calendar(
        days=_days(fields.get("days")),
        time=_time(fields.get("time")),
        time_zone=_zone("spec.schedule.calendar.timeZone", fields.get("timeZone")),
    )


def read_cron(fields: dict[str, Any]) -> Cron:
    """Read `cron`; likewise."""
    field, expression = "spec.schedule.cron.expression", fields.get("expression")
    if not isinstance(expression, str):
        raise UnreadableScheduleError(f"{field}: {expression!r} is not a text: write it as in '30 2 * * 1-5'")
    try:
        normal = normal_expression(expression)
    except CronError as error:
        raise UnreadableScheduleError(f"{field}: {error}") from error
    return Cron(expression=normal, time_zone=_zone("spec.schedule.cron.timeZone", fields.get("timeZone")))


def read_duration(field: str, value: Any) -> timedelta | None:
    """Read a duration in Kubernetes' notation, None where it is left out."""
    if value is None:
        return None
    if not isinstance(value, str | int):
        raise UnreadableScheduleError(f"{field}: {value!r} is not a text: write it as in '6h'")
    try:
        return parse_duration(value)
    except DurationError as error:
        raise UnreadableScheduleError(f"{field}: {error}") from error


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


def _days(value: Any) -> frozenset[Weekday]:
    if value is None:
        return EVERY_DAY
    field, names = "spec.schedule.calendar.days", ", ".join(Weekday)
    if not isinstance(value, list) or not value:
        message = f"{field}: {value!r} has no day selected, so it would never be built: write some of {names}"
        raise UnreadableScheduleError(message)
    days = {day: member(Weekday, day) for day in map(str, value)}
    unknown = next((day for day, known in days.items() if known is None), None)
    if unknown is not None:
        raise UnreadableScheduleError(f"{field}: {unknown!r} is not a day: write some of {names}")
    return frozenset(day for day in days.values() if day is not None)


def _time(value: Any) -> time:
    clock = CLOCK.fullmatch(value) if isinstance(value, str) else None
    if clock is None:
        message = f"spec.schedule.calendar.time: {value!r} is not a time of day: write two digits each, as in '02:30'"
        raise UnreadableScheduleError(message)
    return time(int(clock[1]), int(clock[2]))


def _zone(field: str, value: Any) -> str:
    if value is None:
        return DEFAULT_ZONE
    if not isinstance(value, str):
        raise UnreadableScheduleError(f"{field}: {value!r} is not a text: write it as in 'Europe/Berlin'")
    return value
