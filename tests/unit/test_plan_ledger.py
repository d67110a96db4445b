"""Every slot gets one fate; counters, entries and the recount say so (R10, R11, R12)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import (
    CREATED,
    SLOT,
    a_build,
    a_run,
    a_schedule,
    a_schedule_status,
    an_app_server,
    an_entry,
    at,
)
from tests.builders.looks import PREVIOUS, a_look, a_refusal, a_status, a_wait, memory, slots_of

from periodicbuild.core.ledger import ENTRIES, Ruling, decide, equation_holds, open_slot, record_outcome
from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.core.plans import Refused
from periodicbuild.core.reasons import Blocker, Decision, Fate, Outcome, OutcomeReason
from periodicbuild.core.recount import unaccounted_slots
from periodicbuild.core.status import BuildStatus, LedgerEntry, ScheduleStatus, Slots, Waiting

LATER = "2026-11-24T03:00:00"
NEXT = "2026-11-25T02:30:00"

DECISIONS = {
    Fate.DUE: Decision.STARTED,
    Fate.CAUGHT_UP: Decision.STARTED,
    Fate.MANUAL_SPAWN: Decision.SKIPPED,
    Fate.NO_CHANGES: Decision.SKIPPED,
    Fate.SUPERSEDED: Decision.SKIPPED,
    Fate.SCHEDULE_EDITED: Decision.SKIPPED,
    Fate.DISABLED: Decision.SKIPPED,
    Fate.BREAKER_OPEN: Decision.SKIPPED,
    Fate.GATE_OVERRIDDEN: Decision.STARTED,
    Fate.GATE_CLOSED: Decision.SKIPPED,
    Fate.ROLLOUT_IMMINENT: Decision.SKIPPED,
    Fate.OPERATOR_DOWN: Decision.MISSED,
    Fate.DEADLINE_PASSED: Decision.MISSED,
    Fate.FORBIDDEN: Decision.MISSED,
    Fate.NAME_COLLISION: Decision.MISSED,
}
COUNTED = {
    Decision.STARTED: Slots(due=2, started=2),
    Decision.SKIPPED: Slots(due=2, started=1, skipped=1),
    Decision.MISSED: Slots(due=2, started=1, missed=1),
}


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("waiting", [None, a_wait()], ids=["unseen", "waiting"])
def test_a_slot_is_counted_once_whether_it_waited_or_not(fate: Fate, waiting: Waiting | None) -> None:
    """R10, R12: each reason has one decision."""
    decision = DECISIONS[fate]
    after = decide(a_status(waiting=waiting), Ruling(slot=at(SLOT), fate=fate, at=at(LATER)))
    assert after.slots == COUNTED[decision]
    assert after.waiting is None
    assert after.ledger[0] == an_entry(slot=SLOT, fate=fate, decided=LATER, run=None)
    assert equation_holds(after)


def test_a_slot_that_waits_is_due_and_has_no_fate() -> None:
    """R12."""
    after = open_slot(a_status(), a_wait(since=LATER))
    assert after == a_status(waiting=a_wait(since=LATER))
    assert equation_holds(after)


def test_the_first_slot_of_all_is_counted_from_nothing() -> None:
    fresh = BuildStatus(schedule=a_schedule_status())
    assert open_slot(fresh, a_wait(reason=Blocker.API_ERROR)).slots == Slots(due=1)
    assert decide(fresh, Ruling(slot=at(SLOT), fate=Fate.DUE, at=at(SLOT))).slots == Slots(due=1, started=1)


def test_another_slot_than_the_waiting_one_is_counted_beside_it() -> None:
    """R12: and the cursor never goes back."""
    status = a_status(waiting=a_wait())
    after = decide(status, Ruling(slot=at(PREVIOUS), fate=Fate.OPERATOR_DOWN, at=at(LATER)))
    assert (after.waiting, after.slots) == (status.waiting, Slots(due=3, started=1, missed=1))
    assert after.schedule == status.schedule


BALANCES = {
    "nothing at all": (BuildStatus(), True),
    "one that waits": (BuildStatus(slots=Slots(due=1), waiting=a_wait()), True),
    "one of each": (BuildStatus(slots=Slots(due=4, started=1, skipped=1, missed=1), waiting=a_wait()), True),
    "one too many": (BuildStatus(slots=Slots(due=1)), False),
    "one too few": (BuildStatus(waiting=a_wait()), False),
}


@pytest.mark.parametrize(("status", "holds"), BALANCES.values(), ids=list(BALANCES))
def test_due_is_started_and_skipped_and_missed_and_waiting(status: BuildStatus, holds: bool) -> None:  # noqa: FBT001 - a column
    """R12."""
    assert equation_holds(status) is holds


SKIPPED = an_entry(slot=PREVIOUS, fate=Fate.SCHEDULE_EDITED)

NEIGHBOURS = {
    "the same fate again": (SKIPPED, Fate.SCHEDULE_EDITED, 1),
    "another reason": (an_entry(slot=PREVIOUS, fate=Fate.DISABLED), Fate.SCHEDULE_EDITED, 2),
    "another decision": (an_entry(slot=PREVIOUS, fate=Fate.OPERATOR_DOWN), Fate.SCHEDULE_EDITED, 2),
    "another epoch": (an_entry(slot=PREVIOUS, fate=Fate.SCHEDULE_EDITED, epoch=0), Fate.SCHEDULE_EDITED, 2),
    "another message": (replace(SKIPPED, message="gate upgrade (me: new disks) is closed"), Fate.SCHEDULE_EDITED, 2),
    "a start": (an_entry(slot=PREVIOUS), Fate.DUE, 2),
}


@pytest.mark.parametrize(("newest", "fate", "entries"), NEIGHBOURS.values(), ids=list(NEIGHBOURS))
def test_neighbours_are_one_entry_only_if_they_are_equal_and_not_started(
    newest: LedgerEntry, fate: Fate, entries: int
) -> None:
    """R11, and design 2.1: merged only within an epoch."""
    after = decide(a_status(ledger=[newest]), Ruling(slot=at(SLOT), fate=fate, at=at(LATER)))
    assert len(after.ledger) == entries
    assert slots_of(after.ledger) == after.slots


def test_a_merged_entry_counts_from_its_first_slot_to_its_last() -> None:
    """R11."""
    status = a_status(ledger=[replace(SKIPPED, until_slot=at(SLOT), count=2)])
    after = decide(status, Ruling(slot=at(NEXT), fate=Fate.SCHEDULE_EDITED, at=at(NEXT)))
    assert after.ledger == (an_entry(slot=PREVIOUS, until=NEXT, count=3, decided=NEXT, fate=Fate.SCHEDULE_EDITED),)


def entries(count: int, fate: Fate = Fate.DUE) -> list[LedgerEntry]:
    """Give that many entries before `SLOT`, newest first."""
    return [an_entry(slot=at(SLOT) - timedelta(days=n + 1), fate=fate) for n in range(count)]


RULED = {
    "starts": (Fate.DUE, "20261124-023000"),
    "slots that never started": (Fate.OPERATOR_DOWN, None),
}


@pytest.mark.parametrize(("fate", "run"), RULED.values(), ids=list(RULED))
def test_the_ledger_keeps_its_newest_entries_of(fate: Fate, run: str | None) -> None:
    """R11, and design 2.1: at most 20."""
    full = [an_entry(slot=PREVIOUS, fate=Fate.DISABLED), *entries(ENTRIES - 1, fate)]
    after = decide(a_status(ledger=full), Ruling(slot=at(SLOT), fate=fate, at=at(SLOT), run=run))
    assert after.ledger == (an_entry(fate=fate), *full[:-1])
    assert len(after.ledger) == 20


def test_the_entry_of_a_run_in_progress_is_not_pruned() -> None:
    """R11: its outcome is still to come; another one gives way."""
    full = entries(ENTRIES)
    oldest = an_app_server(slot=full[-1].slot)
    status = a_status(ledger=full, runs=[a_run(oldest)])
    after = decide(status, Ruling(slot=at(SLOT), fate=Fate.DUE, at=at(SLOT), run="20261124-023000"))
    assert after.ledger == (an_entry(), *full[:-2], full[-1])


def test_the_entries_of_runs_in_progress_are_kept_beyond_the_limit() -> None:
    """R11: that of the start itself, too."""
    full = entries(ENTRIES)
    status = a_status(ledger=full, runs=[a_run(an_app_server(slot=entry.slot)) for entry in full])
    after = decide(status, Ruling(slot=at(SLOT), fate=Fate.DUE, at=at(SLOT), run="20261124-023000"))
    assert after.ledger == (an_entry(), *full)


def test_the_outcome_follows_once() -> None:
    """R10: decision and reason are final, and so is an outcome."""
    entry = an_entry()
    ended = record_outcome(a_status(ledger=[entry]), "20261124-023000", Outcome.FAILED, OutcomeReason.RETRIES_USED_UP)
    expected = replace(entry, outcome=Outcome.FAILED, outcome_reason="RetriesUsedUp")
    assert ended.ledger == (expected,)
    assert record_outcome(ended, "20261124-023000", Outcome.SUCCEEDED, None).ledger == (expected,)


def test_a_run_without_an_entry_has_no_outcome_to_note() -> None:
    """R10, R44: manual runs, and runs whose entry was lost."""
    assert record_outcome(a_status(), "m-12345678", Outcome.SUCCEEDED, None) == a_status()


def test_no_slot_is_judged_before_a_schedule_is_in_force() -> None:
    """R44: a first look writes before it starts anything."""
    sentence = "a slot was judged before a schedule was in force: a first look must write first (R44)"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        open_slot(BuildStatus(), a_wait(reason=Blocker.API_ERROR))


def test_a_fate_other_than_started_is_told() -> None:
    """R37: under a key made of persisted fields."""
    taken = a_refusal("nightly-20261124-023000-1", Refused.NAME_COLLISION, retry=SLOT)
    build = a_build(status=a_status())
    plan = a_look(build, SLOT, refusals=[taken])
    assert plan.events == (
        EventFact(
            regarding=build.ref,
            type=EventType.WARNING,
            reason="SlotMissed",
            action="DecideSlot",
            note="The build due at 2026-11-24T02:30:00Z was missed: NameCollision",
            key="1/2026-11-24T02:30:00+00:00",
        ),
    )
    assert [(ruling.slot, ruling.fate) for ruling in plan.ruled] == [(at(SLOT), Fate.NAME_COLLISION)]
    assert memory(plan).ledger[0] == an_entry(fate=Fate.NAME_COLLISION)


DUE_JUST_TWO_MINUTES = "2026-11-24T02:32:00"
DUE_OVER_TWO_MINUTES = "2026-11-24T02:32:01"
ANCHORED = a_schedule_status(anchor=PREVIOUS, cursor=PREVIOUS)

RECOUNTS = {
    "no schedule yet": (None, DUE_OVER_TWO_MINUTES, 0),
    "off": (replace(ANCHORED, in_force=a_schedule(enabled=False)), DUE_OVER_TWO_MINUTES, 0),
    "not understood": (replace(ANCHORED, in_force=a_schedule(every=None)), DUE_OVER_TWO_MINUTES, 0),
    "two minutes old: may be on its way": (ANCHORED, DUE_JUST_TWO_MINUTES, 0),
    "older than two minutes": (ANCHORED, DUE_OVER_TWO_MINUTES, 1),
    "without an anchor, since the epoch began": (a_schedule_status(since=SLOT), DUE_OVER_TWO_MINUTES, 1),
    "without an anchor, the epoch has just begun": (a_schedule_status(since=SLOT), DUE_JUST_TWO_MINUTES, 0),
    "the anchor's interval ends after the epoch began": (
        a_schedule_status(since=PREVIOUS, anchor=PREVIOUS),
        DUE_JUST_TWO_MINUTES,
        0,
    ),
    "the epoch began after the anchor's interval": (
        a_schedule_status(since=DUE_OVER_TWO_MINUTES, anchor=PREVIOUS),
        DUE_OVER_TWO_MINUTES,
        0,
    ),
    "not before `notBefore`": (
        replace(ANCHORED, in_force=a_schedule(not_before="2026-11-24T03:00:00")),
        DUE_OVER_TWO_MINUTES,
        0,
    ),
    "`notBefore` long ago": (replace(ANCHORED, in_force=a_schedule(not_before=CREATED)), DUE_OVER_TWO_MINUTES, 1),
    "the slot is in the ledger": (replace(ANCHORED, cursor_at=at(SLOT)), DUE_OVER_TWO_MINUTES, 0),
    "the second after a slot in the ledger": (
        replace(ANCHORED, cursor_at=at(SLOT)),
        "2026-11-24T02:32:02",
        1,
    ),
}


@pytest.mark.parametrize(("schedule", "now", "count"), RECOUNTS.values(), ids=list(RECOUNTS))
def test_the_recount_finds_what_went_by_without_a_trace(schedule: ScheduleStatus | None, now: str, count: int) -> None:
    """R12: independent of the ledger's own arithmetic."""
    assert unaccounted_slots(BuildStatus(schedule=schedule), at(now)) == count


WAITS = {
    "a slot that waits is accounted for": (a_wait(), None, 0),
    "a wait seen lately will be written": (None, a_wait(since="2026-11-24T02:30:02"), 0),
    "a wait that should have been written": (None, a_wait(since="2026-11-24T02:30:01"), 1),
}


@pytest.mark.parametrize(("waiting", "unwritten", "count"), WAITS.values(), ids=list(WAITS))
def test_the_recount_knows_what_waits(waiting: Waiting | None, unwritten: Waiting | None, count: int) -> None:
    """R12, R41."""
    status = BuildStatus(schedule=ANCHORED, waiting=waiting)
    assert unaccounted_slots(status, at("2026-11-24T02:32:01"), unwritten) == count
