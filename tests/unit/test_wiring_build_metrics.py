"""Each PeriodicBuild has gauges, up to a number of them, and the counters count what was decided, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from tests.builders import a_build, a_cron, a_run, a_schedule, a_schedule_status, a_spec, an_app_server, at
from tests.builders.store import stored

from periodicbuild.core.facts import AppServerStatus, Result
from periodicbuild.core.plans import BuildPlan, EndedRun
from periodicbuild.core.reasons import Blocker, FailureClass, Outcome, State, Trigger
from periodicbuild.core.status import BuildStatus, LastFailure, LastScheduled, LastSuccess, Waiting
from periodicbuild.wiring.build_metrics import BuildsCollector
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild

NOON = at("2026-11-24T12:00")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def gauges(*builds: PeriodicBuild, children: Any = (), at_most: int = 10) -> dict[str, float]:
    """Give the values by the name of the gauge, and of the PeriodicBuild if there are several."""
    store, registry = Store(lambda _: None), CollectorRegistry()
    for build in builds:
        store.put_build(stored(build))
    for child in children:
        store.put_app_server(child)
    registry.register(BuildsCollector(store, at_most))
    return {
        sample.name.removeprefix("periodicbuild_")
        + (f" {sample.labels['name']}" if len(builds) > 1 and sample.labels else ""): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def test_a_build_that_nobody_has_looked_at_has_only_what_its_spec_says() -> None:
    assert gauges(a_build()) == {
        "suspended": 0,
        "consecutive_failures": 0,
        "active_appservers": 0,
        "objects_unreported": 0,
    }


def test_a_build_in_everyday_life_has_all_of_them() -> None:
    status = BuildStatus(
        schedule=a_schedule_status(),
        next_slot=NOON + DAY,
        last_scheduled=LastScheduled(slot=NOON, started_at=NOON, run="r"),
        last_success=LastSuccess(run="r", app_server="a", at=NOON - DAY),
        last_failure=LastFailure(
            run="r", app_server="a", at=NOON + HOUR, failure_class="Build", reason="NonZeroExit", message=""
        ),
        consecutive_failures=2,
    )
    build = a_build(status=status)
    running = an_app_server(build, status=AppServerStatus(state=State.RUNNING))
    assert gauges(build, children=[running]) == {
        "next_run_timestamp_seconds": (NOON + DAY).timestamp(),
        "last_success_timestamp_seconds": (NOON - DAY).timestamp(),
        "last_run_timestamp_seconds": (NOON + HOUR).timestamp(),
        "interval_seconds": 86_400,
        "suspended": 0,
        "consecutive_failures": 2,
        "active_appservers": 1,
        "objects_unreported": 0,
    }


def test_a_slot_that_waits_is_the_next_run_since_it_was_due() -> None:
    waiting = Waiting(slot=NOON, reason=Blocker.BUILD_IN_PROGRESS, since_at=NOON)
    found = gauges(a_build(status=BuildStatus(waiting=waiting, next_slot=NOON + DAY)))
    assert found["next_run_timestamp_seconds"] == NOON.timestamp()


@pytest.mark.parametrize(
    ("last", "upcoming", "expected"),
    [(None, (0, 1, 2), DAY), (-3, (0, 1, 2), 3 * DAY), (-1, (0, 3, 4), 3 * DAY), (None, (0,), None), (-1, (), None)],
)
def test_the_interval_of_a_calendar_or_cron_is_the_longest_way_between_slots(
    last: int | None, upcoming: tuple[int, ...], expected: timedelta | None
) -> None:
    """A build of weekdays is not stale on a Monday morning."""
    schedule = a_schedule(timing=a_cron("0 12 * * *"))
    status = BuildStatus(
        schedule=replace(a_schedule_status(), in_force=schedule),
        last_scheduled=None if last is None else LastScheduled(slot=NOON + last * DAY, started_at=NOON, run="r"),
        upcoming=tuple(NOON + days * DAY for days in upcoming),
    )
    found = gauges(a_build(spec=a_spec(schedule=schedule), status=status))
    assert found.get("interval_seconds") == (None if expected is None else expected.total_seconds())


@pytest.mark.parametrize("reason", [Blocker.GATE_CLOSED, Blocker.ROLLOUT_IMMINENT])
def test_what_a_gate_holds_back_is_not_overdue(reason: Blocker) -> None:
    """Alerts that fire whenever something is rolled out are soon read by nobody."""
    waiting = Waiting(slot=NOON, reason=reason, since_at=NOON)
    held = gauges(a_build(status=BuildStatus(schedule=a_schedule_status(), waiting=waiting, next_slot=NOON + DAY)))
    assert "next_run_timestamp_seconds" not in held


def test_a_build_that_is_not_enabled_is_suspended() -> None:
    assert gauges(a_build(enabled=False))["suspended"] == 1


def test_beyond_the_limit_builds_are_only_counted() -> None:
    found = gauges(a_build(name="one"), a_build(name="other"), a_build(name="third"), at_most=1)
    assert (found["objects_unreported"], found.get("suspended one"), found.get("suspended other")) == (2, 0, None)


def test_a_run_that_begins_is_counted_with_the_write_that_tells_of_it() -> None:
    metrics, run = Metrics(), a_run(an_app_server(a_build()))
    metrics.count(BuildStatus(), BuildPlan(), BuildStatus(runs=(run,)))
    metrics.count(BuildStatus(runs=(run,)), BuildPlan(), BuildStatus(runs=(run,)))
    assert metrics.registry.get_sample_value("periodicbuild_runs_started_total", {"trigger": "Schedule"}) == 1


def test_a_run_that_begins_and_ends_with_one_write_has_begun() -> None:
    metrics = Metrics()
    plan = BuildPlan(ended=(EndedRun(trigger=Trigger.MANUAL, outcome=Outcome.FAILED),))
    metrics.count(BuildStatus(), plan, BuildStatus())
    assert metrics.registry.get_sample_value("periodicbuild_runs_started_total", {"trigger": "Manual"}) == 1


def test_a_run_that_ends_is_not_counted_as_one_that_begins() -> None:
    metrics = Metrics()
    plan = BuildPlan(ended=(EndedRun(trigger=Trigger.SCHEDULE, outcome=Outcome.SUCCEEDED),))
    metrics.count(BuildStatus(runs=(a_run(an_app_server(a_build())),)), plan, BuildStatus())
    assert metrics.registry.get_sample_value("periodicbuild_runs_started_total", {"trigger": "Schedule"}) == 0


def attempts(before: State, after: State) -> tuple[float | None, float | None, float | None]:
    """Give attempts, failures for want of infrastructure, and durations of failures after a status write."""
    metrics, build = Metrics(), a_build()
    result = Result(failure_class=FailureClass.INFRASTRUCTURE, reason="Unschedulable", stage="Waiting")
    status = AppServerStatus(state=after, result=result if after.has_failed else None)
    metrics.attempts.count(an_app_server(build, status=AppServerStatus(state=before)), status, NOON)
    read = metrics.registry.get_sample_value
    return (
        read("periodicbuild_provisioning_attempts_total"),
        read("periodicbuild_provisioning_failures_total", {"class": "Infrastructure"}),
        read("periodicbuild_provisioning_duration_seconds_count", {"result": "Failed"}),
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (State.CONFIGURING_SERVER, State.COMPLETED, (1, 0, 0)),
        (State.CONFIGURING_SERVER, State.RUNNING, (1, 0, 0)),
        (State.WAITING_FOR_SERVER, State.ERROR, (1, 1, 1)),
        (State.CONFIGURING_SERVER, State.CONFIGURATION_FAILED, (1, 1, 1)),
        (State.WAITING_FOR_SERVER, State.CONFIGURING_SERVER, (0, 0, 0)),
        (State.WAITING_FOR_SERVER, State.CANCELLED, (0, 0, 0)),
        (State.RUNNING, State.TERMINATED, (0, 0, 0)),
        (State.COMPLETED, State.COMPLETED, (0, 0, 0)),
    ],
)
def test_an_attempt_is_counted_when_its_outcome_is_first_known(
    before: State, after: State, expected: tuple[float, float, float]
) -> None:
    assert attempts(before, after) == expected
