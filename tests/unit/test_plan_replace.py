"""What a slot does while a build is in progress, where the policy is Replace (R16)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_build, a_run, a_spec, an_app_server, an_entry, at
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, a_wait, created, memory

from periodicbuild.core.facts import AppServer, PeriodicBuild
from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.core.plans import CancelAppServer
from periodicbuild.core.policies import ConcurrencyPolicy
from periodicbuild.core.reasons import Outcome, State
from periodicbuild.core.status import LedgerEntry, Run, Waiting

JUST_AFTER_SLOT = "2026-11-24T02:30:01"
RUNNING = a_run(an_app_server(slot=PREVIOUS))


def build(
    *, run: Run = RUNNING, waiting: Waiting | None = None, ledger: list[LedgerEntry] | None = None
) -> PeriodicBuild:
    """Give a build whose last run is still in progress."""
    entries = [an_entry(slot=PREVIOUS)] if ledger is None else ledger
    status = a_status(ledger=entries, runs=[run], waiting=waiting)
    return a_build(spec=replace(a_spec(), concurrency=ConcurrencyPolicy.REPLACE), status=status)


def test_a_slot_first_notes_which_run_it_replaces() -> None:
    """R42: what is done is written before."""
    running = build()
    plan = a_look(running, JUST_AFTER_SLOT, children=[an_app_server(running, slot=PREVIOUS)])
    assert plan.first == ()
    assert memory(plan).runs == (replace(RUNNING, replaced_by=at(SLOT)),)
    assert memory(plan).waiting == a_wait(since=JUST_AFTER_SLOT)


REPLACED = replace(RUNNING, replaced_by=at(SLOT))


def test_then_it_cancels_the_attempt() -> None:
    running = build(run=REPLACED, waiting=a_wait())
    plan = a_look(running, JUST_AFTER_SLOT, children=[an_app_server(running, slot=PREVIOUS)])
    assert plan.first == (CancelAppServer(name=RUNNING.app_server, uid=RUNNING.uid),)


ATTEMPT = an_app_server(slot=PREVIOUS)
SPARED = {
    "is cancelled already": replace(ATTEMPT, cancelled=True),
    "is being deleted": replace(ATTEMPT, is_deleting=True),
}


@pytest.mark.parametrize("attempt", SPARED.values(), ids=list(SPARED))
def test_it_does_not_cancel_one_that(attempt: AppServer) -> None:
    plan = a_look(build(run=REPLACED, waiting=a_wait()), JUST_AFTER_SLOT, children=[attempt])
    assert plan.first == ()


def test_the_run_ends_as_replaced_and_the_slot_starts_when_the_pod_is_gone() -> None:
    running = build(run=REPLACED, waiting=a_wait())
    child = an_app_server(running, slot=PREVIOUS, state=State.CANCELLED, cancelled=True)
    plan = a_look(running, JUST_AFTER_SLOT, children=[child])
    assert created(plan) == ("nightly-20261124-023000-1",)

    started = an_app_server(running, slot=SLOT, created=JUST_AFTER_SLOT)
    plan = a_look(running, JUST_AFTER_SLOT, children=[child, started])
    assert [(entry.run, entry.outcome, entry.outcome_reason) for entry in memory(plan).ledger] == [
        ("20261124-023000", None, None),
        ("20261123-023000", Outcome.CANCELLED, "Replaced"),
    ]
    assert memory(plan).consecutive_failures == 0


def test_a_manual_run_is_never_replaced() -> None:
    manual = a_run(an_app_server(token=REQUEST))
    running = build(run=manual)
    child = an_app_server(running, token=REQUEST)
    plan = a_look(running, JUST_AFTER_SLOT, children=[child])
    assert memory(plan).runs == (manual,)
    assert memory(plan).waiting == a_wait(since=JUST_AFTER_SLOT)


IN_THE_WAY = {"no place in the pool": {"has_place": False}, "the start rate": {"may_start": False}}


@pytest.mark.parametrize("blocked", IN_THE_WAY.values(), ids=list(IN_THE_WAY))
def test_a_slot_that_could_not_start_anyway_replaces_nothing(blocked: dict[str, bool]) -> None:
    running = build()
    child = an_app_server(running, slot=PREVIOUS)
    plan = a_look(running, JUST_AFTER_SLOT, children=[child], **blocked)  # type: ignore[arg-type]  # keywords of one type
    assert memory(plan).runs == (RUNNING,)


def test_a_run_between_attempts_is_in_nobodys_way() -> None:
    """R17, R21: it is given up when the slot starts."""
    between = replace(RUNNING, next_attempt_at=at("2026-11-24T03:00:00"))
    running = build(run=between)
    child = an_app_server(running, slot=PREVIOUS, state=State.CONFIGURATION_FAILED)
    plan = a_look(running, JUST_AFTER_SLOT, children=[child])
    assert created(plan) == ("nightly-20261124-023000-1",)


NEVER_FINISHES = "3 runs in a row were replaced before they had ended: the builds take longer than the period"


@pytest.mark.parametrize(("before", "is_told"), [(1, False), (2, True)])
def test_three_replaced_in_a_row_are_told_of(before: int, *, is_told: bool) -> None:
    """R16."""
    gone = [
        replace(an_entry(slot=f"2026-11-{20 + number}T02:30:00"), outcome=Outcome.CANCELLED, outcome_reason="Replaced")
        for number in range(before)
    ]
    running = build(run=REPLACED, waiting=a_wait(), ledger=[an_entry(slot=PREVIOUS), *gone])
    child = an_app_server(running, slot=PREVIOUS, state=State.CANCELLED, cancelled=True)
    plan = a_look(running, JUST_AFTER_SLOT, children=[child], has_stray_pods=True)
    ended = EventFact(
        regarding=running.ref,
        type=EventType.NORMAL,
        reason="BuildCancelled",
        action="EndRun",
        note="Build 20261123-023000 was cancelled: Replaced",
        key="20261123-023000",
    )
    told = replace(ended, type=EventType.WARNING, reason="NeverFinishes", note=NEVER_FINISHES)
    assert plan.events == ((ended, told) if is_told else (ended,))
    assert plan.status is not None
    condition = plan.status.condition("LastRunSucceeded")
    assert condition is not None
    verdict = ("False", "NeverFinishes", NEVER_FINISHES) if is_told else ("Unknown", "NoRunYet", "")
    assert (condition.status, condition.reason, condition.message) == verdict


def test_under_forbid_nothing_is_replaced() -> None:
    forbid = replace(build(), spec=a_spec())
    plan = a_look(forbid, JUST_AFTER_SLOT, children=[an_app_server(forbid, slot=PREVIOUS)])
    assert memory(plan).runs == (RUNNING,)
