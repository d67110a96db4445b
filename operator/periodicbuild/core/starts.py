"""What may start now: a due retry, else the oldest manual request, else the slot (R14, R16 Forbid, R17, R21, R26).

At most one thing starts in a look, since whatever starts is then in progress.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.adoption import new_run
from periodicbuild.core.ledger import Ruling, open_slot
from periodicbuild.core.names import app_server_name, manual_run_id, slot_run_id
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import CreateAppServer, Refused
from periodicbuild.core.reasons import (
    AfterManualRun,
    Blocker,
    EventReason,
    Fate,
    Outcome,
    OutcomeReason,
    Trigger,
)
from periodicbuild.core.runs import end_run
from periodicbuild.core.schedules import next_slot, whole_second_down
from periodicbuild.core.status import Manual, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft
    from periodicbuild.core.plans import Refusal
    from periodicbuild.core.status import Run

WORTH_A_WRITE = timedelta(seconds=30)
"""Shorter waits for the start rate or the API are not written (R41)."""
REASON_EVERY = timedelta(minutes=1)
"""A mere change of wait reason is written at most this often (R41)."""


def start_what_is_due(draft: Draft) -> None:
    """Start at most one thing; let the slot wait, with its reason, if it is not its turn."""
    _request_manual_run(draft)
    if draft.first:
        return  # the answers come first: a request that is being taken up goes before the slot (R26)
    is_busy = is_in_progress(draft)
    if not is_busy and (_start_retry(draft) or _admit_manual_run(draft)):
        is_busy = True
    _judge_slot(draft, is_busy=is_busy)


def is_in_progress(draft: Draft) -> bool:
    """Tell whether an attempt is live, or has ended and its pod is still there (R17); not so between attempts."""
    facts = draft.facts
    if facts.has_stray_pods or any(run.next_attempt_at is None for run in draft.status.runs):
        return True
    return any(
        not child.state.has_succeeded
        and (child.ref.uid in facts.pods or (child.is_deleting and not child.state.is_finished))
        for child in facts.children
    )


def _request_manual_run(draft: Draft) -> None:
    """Create the AppServer of a new run-now token; it waits in New for its turn (R26)."""
    token = draft.build.run_now
    if token is None or (draft.status.manual is not None and draft.status.manual.token == token):
        return
    run = manual_run_id(token)
    name = app_server_name(draft.build.ref.name, run, 1)
    refusal = draft.facts.refusals.get(name)
    if any(child.ref.name == name for child in draft.facts.children) or _is(refusal, Refused.NAME_COLLISION):
        draft.status = replace(draft.status, manual=Manual(token=token, run=run))
        note = f"The requested run was not started: the name {name} is taken; ask again with another token"
        draft.tell(EventType.WARNING, EventReason.NAME_COLLISION, note, key=run)
    elif _may_try(draft, refusal):
        draft.first.append(replace(_create(draft, run=run, attempt=1, trigger=Trigger.MANUAL), token=token))


def _start_retry(draft: Draft) -> bool:
    """Create the next attempt of the run whose back-off is over, from the template of the attempt before (R18)."""
    due = [run for run in draft.status.runs if run.next_attempt_at is not None]
    for run in sorted(due, key=lambda run: (run.next_attempt_at or draft.now.steady, run.id)):
        if run.next_attempt_at is not None and run.next_attempt_at > draft.now.steady:
            draft.wake_at(steady=run.next_attempt_at)
            continue
        last = next((child for child in draft.facts.children if child.ref.uid == run.uid), None)
        if last is not None and _create_retry(draft, run, last):
            return True
    return False


def _create_retry(draft: Draft, run: Run, last: AppServer) -> bool:
    name = app_server_name(draft.build.ref.name, run.id, run.attempt + 1)
    refusal = draft.facts.refusals.get(name)
    if _is(refusal, Refused.NAME_COLLISION):
        end_run(draft, run, Outcome.FAILED, OutcomeReason.NOT_RETRIED, last)
        return False
    if not _may_try(draft, refusal):
        return False
    if not draft.facts.has_place:
        draft.wants_start = True
        return False
    create = _create(draft, run=run.id, attempt=run.attempt + 1, trigger=run.trigger)
    draft.first.append(
        replace(
            create,
            slot=run.slot,
            epoch=last.epoch,
            succeed_when=last.succeed_when,
            timeouts=last.timeouts,
            template=last.template or create.template,
        )
    )
    return True


def _admit_manual_run(draft: Draft) -> bool:
    """Let the oldest manual run start; under Restart the interval then counts from it (R5)."""
    known = {run.id for run in draft.status.runs}
    candidates = [
        child
        for child in draft.facts.children
        if child.trigger == Trigger.MANUAL
        and child.run is not None
        and child.run not in known
        and not (child.state.is_finished or child.cancelled or child.is_deleting)
    ]
    if not candidates:
        return False
    if not (draft.facts.has_place and draft.facts.may_start):
        draft.wants_start = True
        return False
    draft.has_started = True
    oldest = min(candidates, key=lambda child: (child.created_at, child.ref.name))
    draft.status = replace(draft.status, runs=(*draft.status.runs, new_run(oldest, draft.now.steady)))
    note = f"Build {oldest.run} was asked for by hand and has started as AppServer {oldest.ref.name}"
    draft.tell(EventType.NORMAL, EventReason.BUILD_STARTED, note, key=oldest.run or oldest.ref.name)
    _restart_interval(draft, oldest)
    return True


def _restart_interval(draft: Draft, manual: AppServer) -> None:
    interval = draft.schedule.in_force.interval
    if interval is None or interval.after_manual_run != AfterManualRun.RESTART:
        return
    slot = _open_slot(draft)
    if slot is not None:
        draft.rule(Ruling(slot=slot, fate=Fate.MANUAL_SPAWN, at=draft.now.wall))
    start = whole_second_down(draft.now.wall)
    anchor = draft.schedule.anchor_at
    draft.change_schedule(replace(draft.schedule, anchor_at=start if anchor is None else max(anchor, start)))
    note = f"The interval starts anew from the manual run {manual.run}"
    draft.tell(EventType.NORMAL, EventReason.MANUAL_SPAWN_OBSERVED, note, key=manual.run or manual.ref.name)


def _open_slot(draft: Draft) -> datetime | None:
    """Return the slot that is due and has no fate yet, whether it waits, waits unwritten, or was not seen before."""
    if draft.status.waiting is not None:
        return draft.status.waiting.slot
    slot = next_slot(draft.schedule)
    return slot if slot is not None and slot <= draft.now.wall else None


def _judge_slot(draft: Draft, *, is_busy: bool) -> None:
    slot = _open_slot(draft)
    if slot is None:
        draft.wake_at(wall=next_slot(draft.schedule))
        return
    run = slot_run_id(slot)
    refusal = draft.facts.refusals.get(app_server_name(draft.build.ref.name, run, 1))
    if not is_busy and _is(refusal, Refused.NAME_COLLISION):
        draft.rule(Ruling(slot=slot, fate=Fate.NAME_COLLISION, at=draft.now.wall))
        draft.wake_at(wall=next_slot(draft.schedule))
        return
    blocker = first_blocker(draft, refusal, is_busy=is_busy)
    if blocker is None:
        create = _create(draft, run=run, attempt=1, trigger=Trigger.SCHEDULE)
        draft.first.append(replace(create, slot=slot, is_start=True))
    else:
        _hold(draft, slot, blocker)


def first_blocker(draft: Draft, refusal: Refusal | None, *, is_busy: bool) -> Blocker | None:
    """Return the first thing in the slot's way, in the order of R14; None = it starts."""
    chain: tuple[tuple[Blocker, Callable[[], bool]], ...] = (
        (Blocker.BUILD_IN_PROGRESS, lambda: is_busy),
        (
            _REFUSED.get(refusal.kind, Blocker.API_ERROR) if refusal else Blocker.API_ERROR,
            lambda: not _may_try(draft, refusal),
        ),
        (Blocker.POOL_FULL, lambda: not draft.facts.has_place),
        (Blocker.START_RATE, lambda: not draft.facts.may_start),
    )
    blocker = next((blocker for blocker, blocks in chain if blocks()), None)
    draft.wants_start = draft.wants_start or blocker in {Blocker.POOL_FULL, Blocker.START_RATE}
    return blocker


_REFUSED = {
    Refused.FORBIDDEN: Blocker.FORBIDDEN,
    Refused.INVALID: Blocker.INVALID,
    Refused.NAME_STILL_IN_USE: Blocker.NAME_STILL_IN_USE,
    Refused.API_ERROR: Blocker.API_ERROR,
    Refused.QUOTA_EXCEEDED: Blocker.FORBIDDEN,
}


def _hold(draft: Draft, slot: datetime, blocker: Blocker) -> None:
    """Let the slot wait; write it down at once for a build in progress, after 30 s for a passing refusal (R41)."""
    waiting = draft.status.waiting
    if waiting is not None:
        written = draft.facts.written_at
        if waiting.reason != blocker and (written is None or draft.now.steady - written >= REASON_EVERY):
            draft.status = replace(draft.status, waiting=replace(waiting, reason=blocker))
        return
    seen = draft.facts.unwritten
    since = seen.since_at if seen is not None and seen.slot == slot else draft.now.wall
    if blocker == Blocker.BUILD_IN_PROGRESS or draft.now.wall - since >= WORTH_A_WRITE:
        draft.status = open_slot(draft.status, slot, blocker, since)
        draft.unwritten = None
    else:
        draft.unwritten = Waiting(slot=slot, reason=blocker, since_at=since)
        draft.wake_at(wall=since + WORTH_A_WRITE)


def _create(draft: Draft, *, run: str, attempt: int, trigger: Trigger) -> CreateAppServer:
    spec = draft.build.spec
    return CreateAppServer(
        name=app_server_name(draft.build.ref.name, run, attempt),
        run=run,
        attempt=attempt,
        trigger=trigger,
        slot=None,
        epoch=draft.schedule.epoch,
        succeed_when=spec.succeed_when,
        timeouts=spec.timeouts,
        template=spec.template,
    )


def _is(refusal: Refusal | None, kind: Refused) -> bool:
    return refusal is not None and refusal.kind == kind


def _may_try(draft: Draft, refusal: Refusal | None) -> bool:
    """Tell whether a create may be tried: a refused one after its back-off."""
    if refusal is None or draft.now.steady >= refusal.retry_at:
        return True
    draft.wake_at(steady=refusal.retry_at)
    return False
