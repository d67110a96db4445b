"""The clock of every machine steps, or the process sleeps: never a burst, never a slot twice, all recorded (R9, R13).

The auditor of the histories is there, too: it fails on any slot that is ruled of twice.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.builders import a_calendar, a_cron, a_schedule, a_spec
from tests.property.history import Reaction
from tests.property.test_planner_histories import Histories

from periodicbuild.core.recount import unaccounted_slots
from periodicbuild.core.schedules import Schedule

SCHEDULES = {
    "an interval": a_schedule(every="1h"),
    "a calendar": a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin")),
    "cron": a_schedule(timing=a_cron("*/20 * * * *", zone="Australia/Lord_Howe")),
}
STEPS = {
    "two hours forward": timedelta(hours=2),
    "two hours back": timedelta(hours=-2),
    "ninety days forward": timedelta(days=90),
    "ninety days back": timedelta(days=-90),
}
SLOTS_BEFORE, SLOTS_AFTER = 5, 3


@pytest.fixture(params=SCHEDULES.values(), ids=list(SCHEDULES))
def history(request: pytest.FixtureRequest) -> Histories:
    """Give a build that has run some times, with nothing due at the moment."""
    schedule: Schedule = request.param
    history = Histories()
    history.begin(spec=a_spec(schedule=schedule), age=timedelta())
    history.settle()
    until_due(history, SLOTS_BEFORE)
    return history


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_after_a_step_one_build_starts_at_most_and_the_schedule_goes_on(history: Histories, step: timedelta) -> None:
    history.clocks.step(step)
    check_no_burst_and_that_it_goes_on(history)


def test_after_a_day_of_sleep_one_build_starts_and_the_others_are_recorded(history: Histories) -> None:
    history.clocks.elapsed += timedelta(days=1)
    check_no_burst_and_that_it_goes_on(history)


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_there_and_back(history: Histories, step: timedelta) -> None:
    """A clock that was wrong for an hour."""
    history.clocks.step(step)
    history.settle()
    history.moments_pass(60_000, Reaction.SETTLES)
    history.clocks.step(timedelta())
    check_no_burst_and_that_it_goes_on(history)


def check_no_burst_and_that_it_goes_on(history: Histories) -> None:
    """Let the operator look, and then help the world on until more slots have come."""
    before = set(history.api.app_servers)
    history.settle()
    assert len(set(history.api.app_servers) - before) <= 1
    check_all_is_recorded(history)
    until_due(history, due(history) + SLOTS_AFTER)
    check_all_is_recorded(history)


def check_all_is_recorded(history: Histories) -> None:
    """Recount."""
    assert history.build is not None
    now = history.clocks.now.wall
    assert unaccounted_slots(history.build.status, now, history.process.unwritten) == 0


def until_due(history: Histories, wanted: int) -> None:
    """Let every build come to its end, and time pass until so many slots were due."""
    turns = 0
    while due(history) < wanted:
        turns += 1
        assert turns < 10 * wanted, "the schedule does not go on"
        history.finish_pods()
        history.settle()
        history.advance_to_wake()
    history.finish_pods()
    history.settle()


def due(history: Histories) -> int:
    """Count the slots so far."""
    assert history.build is not None
    slots = history.build.status.slots
    return 0 if slots is None else slots.due
