"""What the one open slot does now: start, wait for its reason, or get its fate (R13, R14, R16, R41)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.breaker import holds_back
from periodicbuild.core.changes import compare, is_looking_up, is_unchanged, skip_unchanged
from periodicbuild.core.creates import create_app_server, is_refused, may_try
from periodicbuild.core.holds import GATED, lasts, verdict_on
from periodicbuild.core.lateness import (
    CLOSED_AS,
    close_past_deadline,
    close_slots_before,
    deadline_of,
    newest_due_slot,
    start_offset,
)
from periodicbuild.core.ledger import Ruling, open_slot
from periodicbuild.core.names import app_server_name, slot_run_id
from periodicbuild.core.plans import WORTH_A_WRITE, Refused
from periodicbuild.core.policies import ConcurrencyPolicy
from periodicbuild.core.reasons import Blocker, Fate, Trigger
from periodicbuild.core.schedules import slot_after
from periodicbuild.core.status import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from periodicbuild.core.holds import Hold
    from periodicbuild.core.look import Draft
    from periodicbuild.core.plans import Refusal

PATIENCE = timedelta(days=1)
"""What has no deadline stands in line as if it had this one, so that it is overtaken, but never for ever (R15)."""
LASTS = frozenset({Blocker.BREAKER_OPEN, *GATED, Blocker.BUILD_IN_PROGRESS})
"""Waits that are worth a write at once."""
REASON_EVERY = timedelta(minutes=1)
"""A mere change of wait reason is written at most this often (R41)."""


def judge_slot(draft: Draft, *, is_busy: bool) -> None:
    """Let the newest due slot start, wait or end; those before it get their fate on the way."""
    slot = newest_due_slot(draft)
    if slot is None:
        draft.unwritten = None  # what waited is not due any more: `notBefore` or the clock has moved
    else:
        close_slots_before(draft, slot)
        if not close_past_deadline(draft, slot) and not _is_taken(draft, slot, is_busy=is_busy):
            _start_or_hold(draft, slot, is_busy=is_busy)
    _wake_at_next(draft)


def note_first_look(draft: Draft) -> None:
    """Remember that a due slot was looked at, where the look itself has to wait for an answer of the API (R10)."""
    slot = newest_due_slot(draft)
    if slot is not None and draft.status.waiting is None:
        draft.unwritten = Waiting(slot=slot, reason=Blocker.API_ERROR, since_at=_since(draft, slot))


def _is_taken(draft: Draft, slot: datetime, *, is_busy: bool) -> bool:
    """Close a slot whose name belongs to someone else's AppServer (design 2.4)."""
    if is_busy or not is_refused(_refusal(draft, slot), Refused.NAME_COLLISION):
        return False
    draft.rule(Ruling(slot=slot, fate=Fate.NAME_COLLISION, at=draft.now.wall))
    return True


def _start_or_hold(draft: Draft, slot: datetime, *, is_busy: bool) -> None:
    verdict = verdict_on(draft)
    blockers = blockers_of(draft, slot, verdict.hold, _refusal(draft, slot), is_busy=is_busy)
    blocker = next(blockers, None)
    if blocker is None:
        create = create_app_server(draft, run=slot_run_id(slot), attempt=1, trigger=Trigger.SCHEDULE)
        comparison = compare(draft, slot)
        draft.first.append(
            replace(create, slot=slot, overridden=verdict.overridden, comparison=comparison, is_start=True)
        )
        return
    if blocker == Blocker.NO_CHANGES:
        skip_unchanged(draft, slot)
        return
    if blocker in {Blocker.POOL_FULL, Blocker.START_RATE}:
        draft.stand_in_line(deadline_of(draft, slot) or slot + PATIENCE)
    replaces = draft.build.spec.concurrency == ConcurrencyPolicy.REPLACE and blocker == Blocker.BUILD_IN_PROGRESS
    if replaces and next(blockers, None) is None:
        _replace_runs(draft, slot)
    message = verdict.hold.text if blocker in GATED and verdict.hold is not None else ""
    _hold(draft, Waiting(slot=slot, reason=blocker, since_at=draft.now.wall, message=message))


def blockers_of(
    draft: Draft, slot: datetime, hold: Hold | None, refusal: Refusal | None, *, is_busy: bool
) -> Iterator[Blocker]:
    """Give what is in the slot's way, in the order of R14: the first is the reason shown; none = it starts."""
    chain: tuple[tuple[Blocker, Callable[[], bool]], ...] = (
        (Blocker.BREAKER_OPEN, lambda: holds_back(draft)),
        (hold.blocker if hold else Blocker.GATE_CLOSED, lambda: lasts(draft, hold)),
        (Blocker.BUILD_IN_PROGRESS, lambda: is_busy),
        (
            _REFUSED.get(refusal.kind, Blocker.API_ERROR) if refusal else Blocker.API_ERROR,
            lambda: not may_try(draft, refusal),
        ),
        (Blocker.LOOKING_UP_SOURCES, lambda: is_looking_up(draft, slot)),
        (Blocker.NO_CHANGES, lambda: is_unchanged(draft, slot)),
        (Blocker.POOL_FULL, lambda: not draft.facts.has_place),
        (Blocker.START_RATE, lambda: not draft.facts.may_start),
    )
    return (blocker for blocker, blocks in chain if blocks())


_REFUSED = {
    Refused.FORBIDDEN: Blocker.FORBIDDEN,
    Refused.INVALID: Blocker.INVALID,
    Refused.NAME_STILL_IN_USE: Blocker.NAME_STILL_IN_USE,
    Refused.API_ERROR: Blocker.API_ERROR,
    Refused.QUOTA_EXCEEDED: Blocker.FORBIDDEN,
}


def _replace_runs(draft: Draft, slot: datetime) -> None:
    """Note for which slot the scheduled runs in progress are being ended; a manual run never is (R16)."""
    draft.status = replace(
        draft.status,
        runs=tuple(
            replace(run, replaced_by=slot)
            if run.trigger == Trigger.SCHEDULE and run.next_attempt_at is None and run.replaced_by is None
            else run
            for run in draft.status.runs
        ),
    )


def _hold(draft: Draft, wait: Waiting) -> None:
    """Let the slot wait; write down at once what lasts, and after 30 s what may pass (R41)."""
    if draft.status.waiting is not None:
        _change_reason(draft, draft.status.waiting, wait)
        return
    wait = replace(wait, since_at=_since(draft, wait.slot))
    if wait.reason in LASTS or draft.now.wall - wait.since_at >= WORTH_A_WRITE:
        draft.status = open_slot(draft.status, wait)
        draft.unwritten = None
    else:
        draft.unwritten = wait
        draft.wake_at(wall=wait.since_at + WORTH_A_WRITE)


def _change_reason(draft: Draft, waiting: Waiting, wait: Waiting) -> None:
    """Write another reason down, now or when the last write is a minute old."""
    if (waiting.reason, waiting.message) == (wait.reason, wait.message):
        return
    written = draft.facts.written_at
    if written is None or draft.now.steady - written >= REASON_EVERY:
        draft.status = replace(draft.status, waiting=replace(waiting, reason=wait.reason, message=wait.message))
    elif CLOSED_AS.keys() & {waiting.reason, wait.reason}:  # what becomes of the slot is told by what is written
        draft.wake_at(steady=written + REASON_EVERY)


def _since(draft: Draft, slot: datetime) -> datetime:
    """Give when this process has first looked at a slot."""
    seen = draft.facts.unwritten
    return seen.since_at if seen is not None and seen.slot == slot else draft.now.wall


def _refusal(draft: Draft, slot: datetime) -> Refusal | None:
    return draft.facts.refusals.get(app_server_name(draft.build.ref.name, slot_run_id(slot), 1))


def _wake_at_next(draft: Draft) -> None:
    """Look again when the next slot may start; what is created now is looked at again anyway."""
    slot = None if draft.first else slot_after(draft.schedule, draft.waiting)
    if slot is not None:
        draft.wake_at(wall=slot + start_offset(draft))
