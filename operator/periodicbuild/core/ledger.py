"""The ledger: every slot gets exactly one fate, and the counters say so in every status ever written (R10-R12).

Two operations give a slot its place: `open_slot` (due, waits) and `decide` (due, or waiting, has its fate).  Nothing
else touches `slots`, `cursor_at` or `waiting`, so the equation holds by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from periodicbuild.core.reasons import Decision, Fate
from periodicbuild.core.status import BuildStatus, LedgerEntry, Slots, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from periodicbuild.core.reasons import Outcome
    from periodicbuild.core.status import ScheduleStatus

ENTRIES = 20
"""Ledger entries kept in status; those of runs in progress are kept beyond it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The fate to be given to one slot, or to neighbouring ones that nobody looked at (R11)."""

    slot: datetime
    """The slot, or the first of several."""
    fate: Fate
    at: datetime
    until_slot: datetime | None = None
    """The last of several."""
    count: int = 1
    run: str | None = None
    started_at: datetime | None = None
    """For Started: when the run began, and for NoChanges when it was not needed: what may move the anchor (R4)."""
    inputs: str | None = None
    """For Started: what the comparison of its inputs came to (R31)."""
    why: str = ""
    """What the word of the fate leaves open: gate, owner and reason (R32)."""

    @property
    def reason(self) -> str:
        """The word of the fate, and what else is known."""
        return f"{self.fate}, {self.why}" if self.why else self.fate

    @property
    def last_slot(self) -> datetime:
        """The newest slot that gets this fate."""
        return self.until_slot or self.slot


def open_slot(status: BuildStatus, waiting: Waiting) -> BuildStatus:
    """Count a slot as due and let it wait."""
    slots = status.slots or Slots()
    return replace(
        status,
        slots=replace(slots, due=slots.due + 1),
        schedule=replace(_schedule(status), cursor_at=waiting.slot),
        waiting=waiting,
    )


def decide(status: BuildStatus, ruling: Ruling) -> BuildStatus:
    """Give a slot its fate: the waiting one, or some after the cursor that are counted as due on the way."""
    is_waiting = status.waiting is not None and status.waiting.slot == ruling.slot
    slots = status.slots or Slots()
    schedule = _schedule(status)
    return replace(
        status,
        slots=_counted(slots if is_waiting else replace(slots, due=slots.due + ruling.count), ruling),
        waiting=None if is_waiting else status.waiting,
        schedule=replace(
            schedule,
            cursor_at=max(schedule.cursor_at or ruling.last_slot, ruling.last_slot),
            anchor_at=_moved_anchor(schedule, ruling),
        ),
        ledger=_with_entry(status.ledger, _entry(ruling, schedule.epoch), _runs_in_progress(status, ruling.run)),
    )


def record_outcome(status: BuildStatus, run: str, outcome: Outcome, reason: str | None) -> BuildStatus:
    """Note how a started run ended; a run whose entry was lost with the status has none to amend (R44).

    Of two with the same id, after a clock was set back over its slot (R9), the older one ends first.
    """
    open_entries = [entry for entry in status.ledger if entry.run == run and entry.outcome is None]
    if not open_entries:
        return status
    ended = replace(open_entries[-1], outcome=outcome, outcome_reason=reason)
    return replace(status, ledger=tuple(ended if entry is open_entries[-1] else entry for entry in status.ledger))


def equation_holds(status: BuildStatus) -> bool:
    """Tell whether `due == started + skipped + missed + waiting` (R12), as the API server also checks."""
    slots = status.slots or Slots()
    return slots.due == slots.started + slots.skipped + slots.missed + (status.waiting is not None)


def _schedule(status: BuildStatus) -> ScheduleStatus:
    if status.schedule is None:
        message = "a slot was judged before a schedule was in force: a first look must write first (R44)"
        raise ValueError(message)
    return status.schedule


def _counted(slots: Slots, ruling: Ruling) -> Slots:
    added = dict.fromkeys(Decision, 0) | {ruling.fate.decision: ruling.count}
    return replace(
        slots,
        started=slots.started + added[Decision.STARTED],
        skipped=slots.skipped + added[Decision.SKIPPED],
        missed=slots.missed + added[Decision.MISSED],
    )


def _moved_anchor(schedule: ScheduleStatus, ruling: Ruling) -> datetime | None:
    """Move the anchor as R4 says: never back, not at all when an edit closed the slot."""
    if ruling.fate in {Fate.SCHEDULE_EDITED, Fate.DISABLED} or schedule.in_force.interval is None:
        return schedule.anchor_at
    anchor = ruling.slot
    if ruling.started_at is not None:
        lateness = ruling.started_at - ruling.slot
        if lateness > schedule.in_force.interval.tolerated_lateness():
            anchor = ruling.started_at
    return anchor if schedule.anchor_at is None else max(schedule.anchor_at, anchor)


def _entry(ruling: Ruling, epoch: int) -> LedgerEntry:
    return LedgerEntry(
        slot=ruling.slot,
        epoch=epoch,
        decision=ruling.fate.decision,
        reason=ruling.fate,
        decided_at=ruling.at,
        until_slot=ruling.until_slot,
        count=ruling.count,
        run=ruling.run,
        inputs=ruling.inputs,
        message=ruling.why,
    )


def _runs_in_progress(status: BuildStatus, started: str | None) -> frozenset[str]:
    return frozenset(run.id for run in status.runs) | ({started} if started else frozenset())


def _with_entry(
    ledger: tuple[LedgerEntry, ...], entry: LedgerEntry, in_progress: frozenset[str]
) -> tuple[LedgerEntry, ...]:
    if ledger and _are_one(ledger[0], entry):
        newest = ledger[0]
        count = newest.count + entry.count
        merged = replace(newest, until_slot=entry.last_slot, count=count, decided_at=entry.decided_at)
        return (merged, *ledger[1:])
    return tuple(_pruned((entry, *ledger), in_progress))


def _are_one(newest: LedgerEntry, entry: LedgerEntry) -> bool:
    told, telling = ((one.epoch, one.decision, one.reason, one.message) for one in (newest, entry))
    return entry.decision != Decision.STARTED and told == telling


def _pruned(ledger: tuple[LedgerEntry, ...], in_progress: frozenset[str]) -> Iterable[LedgerEntry]:
    """Keep the newest, and every entry whose outcome is still to come: the latter first claim on the room."""
    room = ENTRIES - sum(entry.run in in_progress for entry in ledger)
    for entry in ledger:
        if entry.run in in_progress:
            yield entry
        elif room > 0:
            room -= 1
            yield entry
