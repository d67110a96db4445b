"""What became of slots is counted from the minutes themselves, whoever says what of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.contest.script import Ending, Script
from tests.contest.slots import Child, Lag, Slots, cron_expression, explained_by_count, minutes_from

TEN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
ONE_PAST = datetime(2026, 12, 1, 10, 1, tzinfo=UTC)
SLOTS = Slots(["a", "b"], [TEN, ONE_PAST])


def a_child(schedule: str, slot: datetime, seconds: float = 1.0, uid: str = "") -> Child:
    return Child(schedule, slot, uid or f"{schedule}-{slot:%H%M}", slot + timedelta(seconds=seconds))


ALL = [a_child("a", TEN), a_child("b", TEN), a_child("a", ONE_PAST), a_child("b", ONE_PAST)]


def test_every_schedule_is_due_in_every_minute() -> None:
    assert SLOTS.due == 4


def test_minutes_over_the_hour_are_one_expression() -> None:
    minutes = minutes_from(datetime(2026, 12, 1, 9, 58, tzinfo=UTC), 4)

    assert cron_expression(minutes) == "58,59,0,1 * * * *"


def test_a_slot_with_a_child_has_started() -> None:
    assert len(SLOTS.started(ALL)) == 4
    assert SLOTS.missing(ALL) == {}


def test_a_slot_without_one_is_missing_under_its_schedule() -> None:
    assert SLOTS.missing(ALL[:3]) == {"b": {ONE_PAST}}


def test_two_children_of_one_slot_are_one_start_and_one_double() -> None:
    children = [*ALL, a_child("a", TEN, seconds=0.5, uid="another")]

    assert SLOTS.doubled(children) == 1
    assert [child.uid for child in SLOTS.started(children) if (child.schedule, child.slot) == ("a", TEN)] == ["another"]


def test_a_child_that_is_seen_twice_is_one() -> None:
    assert SLOTS.doubled([*ALL, ALL[0]]) == 0


@pytest.mark.parametrize(
    "child",
    [a_child("a", TEN - timedelta(minutes=1)), a_child("idle", TEN)],
    ids=["of the minute to warm up", "of a schedule that does not count"],
)
def test_what_does_not_count_is_neither_started_nor_doubled(child: Child) -> None:
    assert SLOTS.started([child]) == []
    assert SLOTS.doubled([child, child]) == 0


def test_the_lag_of_each_minute_stands_for_itself() -> None:
    children = [a_child("a", TEN, 1.0), a_child("b", TEN, 2.0), a_child("a", ONE_PAST, 4.0)]

    assert SLOTS.lag_by_minute(children) == [Lag(p50=1.0, p99=2.0, max=2.0), Lag(p50=4.0, p99=4.0, max=4.0)]


def test_where_nothing_has_started_there_is_no_lag() -> None:
    assert SLOTS.lag_by_minute(ALL[:2])[1] is None


@pytest.mark.parametrize(
    ("told", "explained"),
    [({}, 0), ({"a": 1}, 1), ({"a": 5}, 2), ({"a": 1, "b": 1}, 2), ({"another": 9}, 0)],
    ids=["nothing is told", "one of two", "more than there are", "two schedules", "of another schedule"],
)
def test_a_record_without_an_instant_explains_one_slot_of_its_schedule(told: dict[str, int], explained: int) -> None:
    assert explained_by_count({"a": {TEN, ONE_PAST}, "b": {TEN}}, told) == explained


def test_the_same_slot_has_the_same_fate_for_both() -> None:
    fates = [Script(round=1, hangs=0.1, fails=0.1).fate(f"build-{number}", 3) for number in range(1000)]

    assert fates == [Script(round=1, hangs=0.1, fails=0.1).fate(f"build-{number}", 3) for number in range(1000)]
    assert {fate.ending for fate in fates} == set(Ending)
    assert all(4 <= fate.after_seconds <= 6 for fate in fates)


def test_as_many_hang_as_the_scenario_says() -> None:
    script = Script(round=1, hangs=0.05)

    hanging = sum(script.fate(f"build-{number}", 0).ending is Ending.HANGS for number in range(10_000))

    assert 400 < hanging < 600
