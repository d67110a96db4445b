"""Starts that are spread, and slots that are not (R8, R10, R13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import SLOT, a_build, a_ref, a_spec, an_app_server, at
from tests.builders.looks import a_look, a_status, a_wait, created, memory
from tests.builders.patterns import (
    NIGHTLY,
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


IN_TIME_OR_NOT = {"in time": (60, "ScheduleEdited"), "late": (61, "OperatorDown")}


@pytest.mark.parametrize(("seconds", "fate"), IN_TIME_OR_NOT.values(), ids=list(IN_TIME_OR_NOT))
def test_a_look_that_finds_an_edit_after_the_spread_is(seconds: int, fate: str) -> None:
    """R2, R10."""
    spread = Starting(spread=timedelta(minutes=10))
    begin = at(TWO) + spread_offset(a_pattern_build().ref, spread.spread)
    edited = a_pattern_build(starting=spread)
    edited = replace(edited, generation=2, spec=replace(edited.spec, schedule=NIGHTLY))
    plan = a_look(edited, begin + timedelta(seconds=seconds))
    assert fates_of(memory(plan).ledger) == [("02:00", None, 1, fate)]


def test_an_interval_is_not_spread() -> None:
    """R8."""
    build = a_build(spec=a_spec(starting=Starting(spread=timedelta(hours=1))), status=a_status())
    assert created(a_look(build, SLOT)) == ("nightly-20261124-023000-1",)


def test_a_deadline_counts_from_the_end_of_the_spread() -> None:
    """R13."""
    starting = Starting(deadline=timedelta(minutes=5), spread=timedelta(minutes=10))
    waiting = a_pattern_build(waiting=a_wait(TWO), starting=starting)
    deadline = at(TWO) + spread_offset(waiting.ref, timedelta(minutes=10)) + timedelta(minutes=5)
    assert memory(a_look(waiting, deadline, has_stray_pods=True)).waiting == a_wait(TWO)


def test_a_spread_is_stable_and_differs_between_objects() -> None:
    """R8: after an upgrade of the operator, too."""
    hour = timedelta(hours=1)
    assert spread_offset(a_ref("PeriodicBuild", "nightly"), hour) == timedelta(seconds=1773)
    offsets = [spread_offset(a_ref("PeriodicBuild", f"build-{number}"), hour) for number in range(100)]
    assert offsets == [spread_offset(a_ref("PeriodicBuild", f"build-{number}"), hour) for number in range(100)]
    assert min(offsets) >= timedelta()
    assert max(offsets) < hour
    assert len(set(offsets)) > 90
