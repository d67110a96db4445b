"""Children first: what was created is recorded before anything else is judged (R22).

This is also the normal way: a look that wants to start something only creates it, and the next look adopts it.  A
crash in between therefore needs no code of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.changes import changed_text, note_start, verdict_of
from periodicbuild.core.epochs import IN_TIME
from periodicbuild.core.holds import in_spite_of
from periodicbuild.core.lateness import close_slots_before, start_offset
from periodicbuild.core.ledger import Ruling
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import AdoptAppServer
from periodicbuild.core.reasons import EventReason, Fate, Outcome, OutcomeReason, Trigger
from periodicbuild.core.runs import end_run, is_in_progress
from periodicbuild.core.status import LastScheduled, Manual, Run

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft


def adopt_children(draft: Draft) -> None:
    """Record every child that status does not know yet, oldest first; of several new slots the newest has started."""
    newest = max((slot for child in draft.facts.children if (slot := unrecorded_slot(draft, child))), default=None)
    for child in sorted(draft.facts.children, key=lambda child: (child.created_at, child.ref.name)):
        if child.run is None:
            continue
        if _answers_request(draft, child):
            draft.status = replace(draft.status, manual=Manual(token=child.token or "", run=child.run))
        if newest is not None and _has_started(draft, child, newest):
            _record_start(draft, child, newest)
        if _is_lost_run(draft, child):
            draft.status = replace(draft.status, runs=(*draft.status.runs, new_run(child, child.created_at)))
        _advance_run(draft, child)


def complete_hand_made(draft: Draft) -> None:
    """Take over AppServers a person made with nothing but a reference to this PeriodicBuild (design 2.2)."""
    for stranger in draft.facts.strangers:
        if stranger.run is not None or stranger.is_deleting:
            continue
        refusal = draft.facts.refusals.get(stranger.ref.name)
        if refusal is not None and draft.now.steady < refusal.retry_at:
            draft.wake_at(steady=refusal.retry_at)
            continue
        draft.first.append(
            AdoptAppServer(
                app_server=stranger,
                epoch=draft.schedule.epoch,
                succeed_when=draft.build.spec.succeed_when,
                timeouts=draft.build.spec.timeouts,
                template=draft.build.spec.template,
            )
        )


def _answers_request(draft: Draft, child: AppServer) -> bool:
    return child.token is not None and child.token == draft.build.run_now


def unrecorded_slot(draft: Draft, child: AppServer) -> datetime | None:
    """Return the slot of a first attempt of this epoch, if it waits or lies after the cursor."""
    if child.trigger != Trigger.SCHEDULE or child.attempt != 1 or child.epoch != draft.schedule.epoch:
        return None
    if child.slot is None or draft.schedule.cursor_at is None:
        return child.slot
    waits = draft.status.waiting is not None and draft.status.waiting.slot == child.slot
    return child.slot if waits or child.slot > draft.schedule.cursor_at else None


def _is_lost_run(draft: Draft, child: AppServer) -> bool:
    """Tell whether a run that had begun is in no status: its pod is there, so `runs` was lost or edited (R44)."""
    if child.ref.uid not in draft.facts.pods:
        return False
    has_ended = child.state.is_finished or child.cancelled or child.is_deleting
    return not has_ended and all(run.id != child.run for run in draft.status.runs)


def _has_started(draft: Draft, child: AppServer, newest: datetime) -> bool:
    """Tell whether an attempt is the start of its slot now.

    It is not the only one, or another run is live, if a replica that led before had sent a create that arrives late
    (design 4, HA).  Then the slot goes on waiting, and finds its AppServer there when its turn comes.
    """
    return unrecorded_slot(draft, child) == newest and not is_in_progress(draft, besides=child.ref.uid)


def _record_start(draft: Draft, child: AppServer, slot: datetime) -> None:
    close_slots_before(draft, slot)
    started_at = max(slot, min(child.created_at, draft.now.wall))
    lateness = _first_look_at(draft, slot, started_at) - slot - start_offset(draft)
    fate = Fate.DUE if lateness <= IN_TIME else Fate.CAUGHT_UP
    if child.overridden:
        fate = Fate.GATE_OVERRIDDEN
    for run in draft.status.runs:
        if run.next_attempt_at is not None and run.trigger != Trigger.MANUAL:
            end_run(draft, run, Outcome.FAILED, OutcomeReason.GIVEN_UP_FOR_SLOT)
    started = new_run(child, child.created_at)
    verdict = verdict_of(child)
    why = in_spite_of(child.overridden)
    draft.rule(
        Ruling(slot=slot, fate=fate, at=draft.now.wall, run=started.id, started_at=started_at, inputs=verdict, why=why)
    )
    draft.status = replace(
        draft.status,
        runs=(*draft.status.runs, started),
        last_scheduled=LastScheduled(slot=slot, started_at=started_at, run=started.id),
    )
    note = f"Build {started.id}, due at {slot:%Y-%m-%dT%H:%M:%SZ}, has started as AppServer {child.ref.name}"
    note = ", ".join(filter(None, (note, why))) + _news(child)
    draft.tell(EventType.NORMAL, EventReason.BUILD_STARTED, note, key=started.id)
    note_start(draft, child, slot)


def _news(child: AppServer) -> str:
    changed = changed_text(child.comparison)
    return f"; changed since the last success: {changed}" if changed else ""


def new_run(child: AppServer, started_at: datetime) -> Run:
    """Return the entry of `status.runs` for a first attempt."""
    return Run(
        id=child.run or child.ref.name,
        trigger=child.trigger,
        slot=child.slot,
        started_at=started_at,
        attempt=child.attempt,
        app_server=child.ref.name,
        uid=child.ref.uid,
    )


def _first_look_at(draft: Draft, slot: datetime, started_at: datetime) -> datetime:
    """Return when the slot was first looked at: when it began to wait, however late it starts (R10)."""
    for waiting in (draft.status.waiting, draft.facts.unwritten):
        if waiting is not None and waiting.slot == slot:
            return waiting.since_at
    return started_at


def _advance_run(draft: Draft, child: AppServer) -> None:
    """Move a run in progress to a later attempt that exists."""
    draft.status = replace(
        draft.status,
        runs=tuple(
            replace(run, attempt=child.attempt, app_server=child.ref.name, uid=child.ref.uid, next_attempt_at=None)
            if run.id == child.run and child.attempt > run.attempt and _is_same_epoch(draft, run, child)
            else run
            for run in draft.status.runs
        ),
    )


def _is_same_epoch(draft: Draft, run: Run, child: AppServer) -> bool:
    """Tell a run from one of the same slot before the clock was set back: its later attempts may still be there."""
    epochs = [one.epoch for one in draft.facts.children if one.ref.uid == run.uid]
    return not epochs or child.epoch in epochs
