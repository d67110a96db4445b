"""After so many failures in a row the schedule starts one probe at a time (R14, R36)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.builders import SLOT, a_build, a_result, a_run, a_spec, an_app_server, at
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, a_wait, created, memory, told
from tests.builders.patterns import JUST_AFTER_TWO, ONE, TWO, a_pattern_build

from periodicbuild.core.facts import AppServer, AppServerStatus, Breaker, BuildSpec
from periodicbuild.core.reasons import Blocker, Fate, State
from periodicbuild.core.status import BuildStatus, OpenBreaker

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild

SETTINGS = Breaker(failures=3, probe_after=timedelta(hours=6))
SPEC = a_spec(breaker=SETTINGS)
FAILED_AT = "2026-11-23T02:40:00"
PROBE_AT = "2026-11-23T08:40:00"
BEFORE_PROBE = "2026-11-23T08:39:59"
SOON = "2026-11-23T03:00:00"


def a_failure(*, token: str | None = None) -> AppServer:
    """Give an attempt of the run of `PREVIOUS`, or of a manual one, that has failed."""
    status = AppServerStatus(state=State.CONFIGURATION_FAILED, finished_at=at(FAILED_AT), result=a_result())
    return an_app_server(slot=PREVIOUS, token=token, status=status)


def after_failing(
    failures: int, *, spec: BuildSpec = SPEC, child: AppServer | None = None, opened: OpenBreaker | None = None
) -> BuildStatus:
    """Give the status after one more run has failed."""
    child = child or a_failure()
    status = replace(a_status(runs=[a_run(child)]), consecutive_failures=failures, breaker=opened)
    return memory(a_look(a_build(spec=spec, status=status), SOON, children=[child]))


def opened() -> OpenBreaker:
    """Give the breaker as it is after the third failure."""
    breaker = after_failing(2).breaker
    assert breaker is not None
    return breaker


def an_open_build(spec: BuildSpec = SPEC, **fields: object) -> PeriodicBuild:
    """Give a build whose breaker is open, and whose next slot is due at `SLOT`."""
    status = replace(a_status(), consecutive_failures=3, breaker=opened())
    return a_build(spec=spec, status=replace(status, **fields))  # type: ignore[arg-type] # any field of the status


def test_the_failure_that_is_one_too_many_opens_it() -> None:
    assert after_failing(1).breaker is None
    breaker = after_failing(2).breaker
    assert breaker is not None
    assert (breaker.opened_at, breaker.next_probe_at) == (at(FAILED_AT), at(PROBE_AT))
    assert len(breaker.digest) == 16


def test_a_probe_that_fails_opens_it_again_and_it_is_still_the_same_outage() -> None:
    before = replace(opened(), opened_at=at("2026-11-20T00:00:00"), next_probe_at=at(PREVIOUS))
    assert after_failing(7, opened=before).breaker == replace(before, next_probe_at=at(PROBE_AT))


NOT_OPENED = {
    "without one": (replace(SPEC, breaker=None), a_failure()),
    "by a manual run": (SPEC, a_failure(token=REQUEST)),
    "by a run from a template of its own": (SPEC, replace(a_failure(), has_own_template=True)),
}


@pytest.mark.parametrize(("spec", "child"), NOT_OPENED.values(), ids=list(NOT_OPENED))
def test_it_is_not_opened(spec: BuildSpec, child: AppServer) -> None:
    """R27: only runs of the schedule count."""
    assert after_failing(5, spec=spec, child=child).breaker is None


def test_while_it_is_open_a_slot_waits_for_the_probe() -> None:
    build = an_open_build(breaker=replace(opened(), next_probe_at=at("2026-11-24T06:00:00")))
    plan = a_look(build, SLOT)
    assert (created(plan), memory(plan).waiting) == ((), a_wait(reason=Blocker.BREAKER_OPEN))
    assert plan.wake.steady == at("2026-11-24T06:00:00")


def test_once_the_probe_is_due_one_run_starts() -> None:
    breaker = replace(opened(), next_probe_at=at("2026-11-24T06:00:00"))
    build = a_build(spec=SPEC, status=replace(a_status(waiting=a_wait(reason=Blocker.BREAKER_OPEN)), breaker=breaker))
    assert created(a_look(build, "2026-11-24T05:59:59")) == ()
    assert created(a_look(build, "2026-11-24T06:00:00")) == ("nightly-20261124-023000-1",)


def test_a_slot_that_waited_for_it_until_the_next_one_was_skipped() -> None:
    """R13: with the reason why."""
    hourly = a_pattern_build(waiting=a_wait(slot=ONE, reason=Blocker.BREAKER_OPEN))
    spec = replace(hourly.spec, breaker=SETTINGS)
    breaker = replace(opened(), next_probe_at=at("2026-12-24T00:00:00"))
    plan = a_look(replace(hourly, spec=spec, status=replace(hourly.status, breaker=breaker)), JUST_AFTER_TWO)
    after = memory(plan)
    assert (after.ledger[0].slot, after.ledger[0].reason) == (at(ONE), Fate.BREAKER_OPEN)
    assert after.waiting is not None
    assert (after.waiting.slot, after.waiting.reason) == (at(TWO), Blocker.BREAKER_OPEN)
    assert "SlotSkipped" in told(plan)


def test_a_success_closes_it() -> None:
    done = an_app_server(slot=PREVIOUS, status=AppServerStatus(state=State.RUNNING, finished_at=at(FAILED_AT)))
    status = replace(a_status(runs=[a_run(done)]), consecutive_failures=3, breaker=opened())
    after = memory(a_look(a_build(spec=SPEC, status=status), SOON, children=[done]))
    assert (after.breaker, after.consecutive_failures) == (None, 0)


CHANGED = {
    "the template was changed": replace(SPEC, template=a_spec(template=b"{}").template),
    "its settings were changed": replace(SPEC, breaker=replace(SETTINGS, probe_after=timedelta(hours=7))),
    "more failures are allowed": replace(SPEC, breaker=replace(SETTINGS, failures=9)),
    "it was removed": replace(SPEC, breaker=None),
}


@pytest.mark.parametrize("spec", CHANGED.values(), ids=list(CHANGED))
def test_it_closes_when(spec: BuildSpec) -> None:
    build = an_open_build(spec=spec, breaker=replace(opened(), next_probe_at=at("2026-12-24T00:00:00")))
    assert created(a_look(build, SLOT)) == ("nightly-20261124-023000-1",)


def test_another_edit_leaves_it_open() -> None:
    spec = replace(SPEC, history=replace(SPEC.history, failed_limit=7))
    build = an_open_build(spec=spec, breaker=replace(opened(), next_probe_at=at("2026-12-24T00:00:00")))
    assert memory(a_look(build, SLOT)).waiting == a_wait(reason=Blocker.BREAKER_OPEN)


def test_a_run_by_hand_goes_past_it() -> None:
    """R26."""
    asked = an_app_server(token=REQUEST, created=SOON)
    plan = a_look(an_open_build(), SOON, children=[asked])
    assert memory(plan).runs == (replace(a_run(asked), started_at=at(SOON)),)
    assert "BuildStarted" in told(plan)


def test_a_condition_says_until_when() -> None:
    plan = a_look(an_open_build(), BEFORE_PROBE)
    assert plan.status is not None
    scheduled = plan.status.condition("Scheduled")
    assert scheduled is not None
    assert (scheduled.status, scheduled.reason, scheduled.message) == (
        "False",
        "BreakerOpen",
        "3 runs in a row have failed: the next starts after 2026-11-23T08:40:00Z, or with the first slot after"
        " spec.template or spec.breaker was changed",
    )
    later = a_look(an_open_build(), PROBE_AT).status
    assert later is not None
    assert getattr(later.condition("Scheduled"), "status", None) == "True"
