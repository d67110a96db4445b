"""The recount and the planner go different ways to the same numbers, in any zone and across any change of its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given
from tests.builders import a_schedule, a_schedule_status
from tests.builders.strategies import clocks

from periodicbuild.core.calendars import Calendar, Weekday
from periodicbuild.core.crons import Cron
from periodicbuild.core.recount import expected_slots
from periodicbuild.core.schedules import due_slots
from periodicbuild.core.zones import zone_names

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
SECONDS_OF_20_YEARS = 20 * 365 * 86_400

zones = st.sampled_from(sorted(zone_names()))
minutes = st.sampled_from(["*", "*/7", "0", "15,45", "30-34"])
hours = st.sampled_from(["*", "*/5", "0", "2", "1-3", "23", "0,12"])
days = st.sampled_from(["*", "1", "25-31", "*/2"])
months = st.sampled_from(["*", "3,10", "4-9"])
weekdays = st.sampled_from(["*", "0", "SUN", "6,7", "1-5"])
expressions = st.tuples(minutes, hours, days, months, weekdays).map(" ".join)
timings = st.builds(Cron, expression=expressions, time_zone=zones) | st.builds(
    Calendar, days=st.sets(st.sampled_from(Weekday), min_size=1).map(frozenset), time=clocks, time_zone=zones
)
instants = st.integers(0, SECONDS_OF_20_YEARS).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
spans = st.integers(1, 2 * 86_400) | st.integers(1, 400 * 86_400)


@given(timings, instants, spans)
def test_both_count_the_same_slots(timing: Calendar | Cron, since: datetime, seconds: int) -> None:
    schedule = a_schedule_status(in_force=a_schedule(timing=timing), since=since)
    until = since + timedelta(seconds=seconds)
    due = due_slots(schedule, until)
    assert expected_slots(schedule, timing, until) == (due.count if due is not None else 0)
