"""Starts that are spread, and slots that are not (R8, R10, R13)."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import a_ref, an_app_server, at
from tests.builders.looks import a_look, a_wait, created, memory
from tests.builders.patterns import (
    TWO,
    a_pattern_build,
    fates_of,
)

from periodicbuild.core.facts import Starting
from periodicbuild.core.lateness import spread_offset


def test_a_spread_delays_the_start_and_not_the_slot() -> None:
    """R8."""
    spread = a_pattern_build(starting=Starting(spread=timedelta(minutes=10)))
    offset = spread_offset(spread.ref, timedelta(minutes=10))
    assert timedelta() < offset < timedelta(minutes=10)

    early = a_look(spread, at(TWO) + offset - timedelta(seconds=1))
    assert not created(early)
    assert early.wake.wall == at(TWO) + offset
    assert created(a_look(spread, at(TWO) + offset)) == ("nightly-20261124-020000-1",)


def test_a_start_after_its_spread_is_in_time() -> None:
    """R10: caught up is what was looked at late."""
    spread = a_pattern_build(starting=Starting(spread=timedelta(minutes=10)))
    begin = at(TWO) + spread_offset(spread.ref, timedelta(minutes=10))
    child = an_app_server(spread, slot=TWO, created=begin + timedelta(seconds=60))
    plan = a_look(spread, begin + timedelta(seconds=60), children=[child])
    assert fates_of(memory(plan).ledger) == [("02:00", None, 1, "Due")]


def test_a_deadline_counts_from_the_end_of_the_spread() -> None:
    """R13."""
    starting = Starting(deadline=timedelta(minutes=5), spread=timedelta(minutes=10))
    waiting = a_pattern_build(waiting=a_wait(TWO), starting=starting)
    deadline = at(TWO) + spread_offset(waiting.ref, timedelta(minutes=10)) + timedelta(minutes=5)
    assert memory(a_look(waiting, deadline, has_stray_pods=True)).waiting == a_wait(TWO)


def test_a_spread_is_stable_and_differs_between_objects() -> None:
    """R8."""
    hour = timedelta(hours=1)
    offsets = [spread_offset(a_ref("PeriodicBuild", f"build-{number}"), hour) for number in range(100)]
    assert offsets == [spread_offset(a_ref("PeriodicBuild", f"build-{number}"), hour) for number in range(100)]
    assert min(offsets) >= timedelta()
    assert max(offsets) < hour
    assert len(set(offsets)) > 90
