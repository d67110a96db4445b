"""Slots for people: by the clock that their schedule follows, and in UTC.

Must not know whether a slot is to come or what became of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from periodicbuild.cli.times import relative
from periodicbuild.core.lateness import spread_offset
from periodicbuild.core.zones import in_zone
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.schedules import Schedule

UTC_NAMES: Final = {"Etc/UTC", "UTC", "Etc/UCT", "UCT", "Etc/Zulu", "Zulu", "Etc/Universal", "Universal"}
"""What these clocks show need not be said twice."""


def local_text(slot: datetime, schedule: Schedule) -> str:
    """Write a slot as in `Tue 24 Nov 02:30 CET = 01:30 UTC`; empty for an interval, which follows no clock."""
    pattern = schedule.pattern
    if pattern is None:
        return ""
    return f"{slot:%a %d %b %H:%M} UTC" if pattern.zone.key in UTC_NAMES else in_zone(slot, pattern.zone)


def slot_text(slot: datetime, schedule: Schedule, now: datetime) -> str:
    """Name a slot in a sentence: as it can be copied, by its clock, and how far away it is."""
    local = local_text(slot, schedule)
    return f"{instant_text(slot)} ({', '.join(filter(None, (local, relative(slot, now))))})"


def start_offset_of(build: PeriodicBuild, schedule: Schedule) -> timedelta:
    """Return how long after its slots this object starts; only calendars and cron are spread (R8)."""
    return spread_offset(build.ref, build.spec.starting.spread) if schedule.interval is None else timedelta()
