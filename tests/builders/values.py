"""Values inside of facts: instants, schedules, policies."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from periodicbuild.core.calendars import Calendar, Weekday
from periodicbuild.core.crons import Cron
from periodicbuild.core.durations import parse_duration
from periodicbuild.core.facts import Now, Retries, TemplateJson, Timeouts
from periodicbuild.core.intervals import parse_interval
from periodicbuild.core.notices import ObjectRef
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.reasons import FailureClass
from periodicbuild.core.schedules import Interval, Schedule, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable

Instant = datetime | str
"""A text is read by `at`."""

NAMESPACE = "team-a"
CREATED = "2026-11-20T00:00:00"
SLOT = "2026-11-24T02:30:00"
A_TEMPLATE = TemplateJson(b'{"spec":{"containers":[{"image":"debian:12","name":"main"}]}}')
RETRIED = frozenset({FailureClass.BUILD, FailureClass.INFRASTRUCTURE, FailureClass.TIMEOUT})
DERIVED = "derived"
"""Default of a field that follows from the others: the run id from slot or token, the controller from `of`."""


def at(instant: Instant) -> datetime:
    """Give an aware instant; a text without a zone is UTC."""
    parsed = instant if isinstance(instant, datetime) else datetime.fromisoformat(instant)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def at_if_any(instant: Instant | None) -> datetime | None:
    """Give an optional instant."""
    return None if instant is None else at(instant)


def a_now(wall: Instant, *, steady: Instant | None = None) -> Now:
    """Read both clocks; they agree unless told otherwise."""
    return Now(wall=at(wall), steady=at(wall if steady is None else steady))


def a_ref(kind: str, name: str, *, namespace: str = NAMESPACE, uid: str | None = None) -> ObjectRef:
    """Point at an object; its uid is `uid-<name>` unless told otherwise."""
    api_version = "v1" if kind == "Pod" else "periodicbuild.dev/v1alpha1"
    return ObjectRef(
        api_version=api_version, kind=kind, namespace=namespace, name=name, uid=f"uid-{name}" if uid is None else uid
    )


def a_schedule(
    *,
    every: str | None = "24h",
    timing: Timing | None = None,
    enabled: bool = True,
    after_manual_run: AfterManualRun = AfterManualRun.RESTART,
    not_before: Instant | None = None,
) -> Schedule:
    """Give a schedule: an interval unless `timing` is given; `every=None` is one that cannot be understood."""
    if timing is None and every is not None:
        timing = Interval(every=parse_interval(every), after_manual_run=after_manual_run)
    return Schedule(enabled=enabled, timing=timing, not_before=at_if_any(not_before))


def a_calendar(clock: str = "02:30", *, days: str = "Mon Tue Wed Thu Fri Sat Sun", zone: str = "Etc/UTC") -> Calendar:
    """Give a calendar; days are separated by spaces."""
    return Calendar(days=frozenset(map(Weekday, days.split())), time=time.fromisoformat(clock), time_zone=zone)


def a_cron(expression: str = "30 2 * * *", *, zone: str = "Etc/UTC") -> Cron:
    """Give a cron expression."""
    return Cron(expression=expression, time_zone=zone)


def some_retries(
    *,
    limit: int = 0,
    delay: str = "10s",
    max_delay: str = "10m",
    retry_on: Iterable[FailureClass] = RETRIED,
    disruption_limit: int = 3,
) -> Retries:
    """Give a policy of retries."""
    return Retries(
        limit=limit,
        delay=parse_duration(delay),
        max_delay=parse_duration(max_delay),
        retry_on=frozenset(retry_on),
        disruption_limit=disruption_limit,
    )


def some_timeouts(*, waiting: str = "1h", configuring: str = "2h30m", run: str | None = None) -> Timeouts:
    """Give time-outs; no bound on the whole run unless told otherwise."""
    return Timeouts(
        waiting=parse_duration(waiting),
        configuring=parse_duration(configuring),
        run=None if run is None else parse_duration(run),
    )
