"""Slots on a virtual clock: the operator's own planner, without a cluster (R2, R4, R6, R13, R16)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.builders import a_build, a_calendar, a_cron, a_schedule, a_spec, at
from tests.builders.values import some_timeouts

from periodicbuild.core.inputs import ChangeDetection
from periodicbuild.core.policies import ConcurrencyPolicy, SucceedWhen
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.simulation import Simulation, simulate

BEGIN, END = "2026-10-23T00:00:00", "2026-10-23T02:00:00"


def simulated(  # noqa: PLR0913 - keywords, each with a default
    schedule: Schedule,
    *,
    takes: str = "0m",
    concurrency: ConcurrencyPolicy = ConcurrencyPolicy.FORBID,
    succeed_when: SucceedWhen = SucceedWhen.COMPLETED,
    begin: str = BEGIN,
    end: str = END,
    change_detection: ChangeDetection | None = None,
) -> Simulation:
    spec = a_spec(
        schedule=schedule,
        concurrency=concurrency,
        succeed_when=succeed_when,
        timeouts=some_timeouts(run=None),
        change_detection=change_detection,
    )
    minutes = int(takes.removesuffix("m"))
    return simulate(a_build(spec=spec, created=begin), until=at(end), takes=timedelta(minutes=minutes))


def shown(simulation: Simulation) -> list[str]:
    return [
        f"{ruling.slot:%d %H:%M} {ruling.fate}" + (f" {ruling.started_at:%H:%M}" if ruling.started_at else "")
        for ruling in simulation.rulings
    ]


EVERY_20_MINUTES = a_schedule(timing=a_cron("*/20 * * * *"))


def test_a_new_interval_begins_at_once_and_both_ends_count() -> None:
    """R4."""
    simulation = simulated(a_schedule(every="1h"))
    assert shown(simulation) == ["23 00:00 Due 00:00", "23 01:00 Due 01:00", "23 02:00 Due 02:00"]
    assert simulation.waiting is None


def test_a_build_that_takes_too_long_makes_slots_wait_and_be_superseded() -> None:
    """R13."""
    simulation = simulated(EVERY_20_MINUTES, takes="50m")
    assert shown(simulation) == [
        "23 00:20 Due 00:20",
        "23 00:40 Superseded",
        "23 01:00 Due 01:10",
        "23 01:20 Superseded",
        "23 01:40 Superseded",
        "23 02:00 Due 02:00",
    ]
    assert simulation.waiting is None


def test_the_slot_that_waits_at_the_end_is_told() -> None:
    simulation = simulated(EVERY_20_MINUTES, takes="50m", end="2026-10-23T01:59:59")
    assert simulation.waiting is not None
    assert simulation.waiting.slot == at("2026-10-23T01:40:00")


def test_under_replace_each_slot_ends_the_build_before_it() -> None:
    """R16."""
    simulation = simulated(EVERY_20_MINUTES, takes="50m", concurrency=ConcurrencyPolicy.REPLACE)
    assert shown(simulation) == [
        f"23 {slot} Due {slot}" for slot in ("00:20", "00:40", "01:00", "01:20", "01:40", "02:00")
    ]
    outcomes = [entry.outcome_reason for entry in simulation.build.status.ledger]
    assert outcomes == [None, *["Replaced"] * 5]


def test_a_calendar_keeps_its_local_time() -> None:
    """R6."""
    nightly = a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin"))
    simulation = simulated(nightly, takes="20m", succeed_when=SucceedWhen.READY, end="2026-10-26T01:30:00")
    assert shown(simulation) == [
        "23 00:30 Due 00:30",
        "24 00:30 Due 00:30",
        "25 00:30 Due 00:30",
        "26 01:30 Due 01:30",
    ]


NOTHING = {
    "it is off": a_schedule(enabled=False),
    "it is never due": a_schedule(timing=a_cron("30 2 31 2 *")),
    "its zone is unknown": a_schedule(timing=a_cron("0 * * * *", zone="Mars/Phobos")),
}


@pytest.mark.parametrize("schedule", NOTHING.values(), ids=list(NOTHING))
def test_nothing_comes_of_a_schedule_when(schedule: Schedule) -> None:
    assert shown(simulated(schedule)) == []


def test_every_slot_is_taken_to_have_something_new_since_there_is_nobody_to_ask() -> None:
    """R31."""
    daily = a_schedule(timing=a_cron("0 1 * * *"))
    detection = ChangeDetection(max_age=timedelta(days=30))
    assert shown(simulated(daily, change_detection=detection)) == shown(simulated(daily)) != []


def test_history_is_pruned_on_the_way() -> None:
    simulation = simulated(a_schedule(timing=a_cron("* * * * *")), end="2026-10-23T12:00:00")
    assert len(simulation.rulings) == 720
