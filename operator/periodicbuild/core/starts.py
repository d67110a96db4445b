"""What may start now: a retry, else a recovery, else a manual request, else the slot (R5, R17, R18, R21, R26, R30).

At most one thing starts in a look, since whatever starts is then in progress.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.adoption import new_run, unrecorded_slot
from periodicbuild.core.creates import create_app_server, is_refused, may_try
from periodicbuild.core.holds import in_spite_of, is_held, verdict_on
from periodicbuild.core.lateness import newest_due_slot
from periodicbuild.core.ledger import Ruling
from periodicbuild.core.names import app_server_name, manual_run_id
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import CancelAppServer, Refused
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.reasons import EventReason, Fate, Outcome, OutcomeReason, Trigger
from periodicbuild.core.recovery import is_wanted, start_recovery
from periodicbuild.core.runs import end_run, is_in_progress
from periodicbuild.core.schedules import whole_second_down
from periodicbuild.core.slots import judge_slot
from periodicbuild.core.status import Manual

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft
    from periodicbuild.core.status import Run


def start_what_is_due(draft: Draft) -> None:
    """Start at most one thing; let the slot wait, with its reason, if it is not its turn."""
    _cancel_what_must_not_run(draft)
    _request_manual_run(draft)
    if draft.first:
        return  # the answers come first: a request that is being taken up goes before the slot (R26)
    is_busy = is_in_progress(draft)
    if not is_busy and (_start_retry(draft) or start_recovery(draft) or _admit_manual_run(draft)):
        is_busy = True
    judge_slot(draft, is_busy=is_busy)


def _request_manual_run(draft: Draft) -> None:
    """Create the AppServer of a new run-now token; it waits in New for its turn (R26)."""
    token = draft.build.run_now
    if token is None or (draft.status.manual is not None and draft.status.manual.token == token):
        return
    run = manual_run_id(token)
    name = app_server_name(draft.build.ref.name, run, 1)
    refusal = draft.facts.refusals.get(name)
    if any(child.ref.name == name for child in draft.facts.children) or is_refused(refusal, Refused.NAME_COLLISION):
        draft.status = replace(draft.status, manual=Manual(token=token, run=run))
        note = f"The requested run was not started: the name {name} is taken; ask again with another token"
        draft.tell(EventType.WARNING, EventReason.NAME_COLLISION, note, key=run)
    elif may_try(draft, refusal):
        draft.first.append(replace(create_app_server(draft, run=run, attempt=1, trigger=Trigger.MANUAL), token=token))


def _start_retry(draft: Draft) -> bool:
    """Create the next attempt of the run whose back-off is over, from the template of the attempt before (R18)."""
    due = [run for run in draft.status.runs if run.next_attempt_at is not None]
    for run in sorted(due, key=lambda run: (run.next_attempt_at or draft.now.steady, run.id)):
        if run.next_attempt_at is not None and run.next_attempt_at > draft.now.steady:
            draft.wake_at(steady=run.next_attempt_at)
            continue
        if run not in draft.facts.build.status.runs:
            return True  # that there is another attempt is written down, and told, before there is one (R18, R39)
        last = next((child for child in draft.facts.children if child.ref.uid == run.uid), None)
        if last is not None and _create_retry(draft, run, last):
            return True
    return False


def _create_retry(draft: Draft, run: Run, last: AppServer) -> bool:
    name = app_server_name(draft.build.ref.name, run.id, run.attempt + 1)
    refusal = draft.facts.refusals.get(name)
    if is_refused(refusal, Refused.NAME_COLLISION):
        end_run(draft, run, Outcome.FAILED, OutcomeReason.NOT_RETRIED)
        return False
    if not may_try(draft, refusal):
        return False
    if not draft.facts.has_place:
        draft.stand_in_line(draft.now.wall)  # before any slot
        return False
    create = create_app_server(draft, run=run.id, attempt=run.attempt + 1, trigger=run.trigger)
    draft.first.append(
        replace(
            create,
            slot=run.slot,
            epoch=last.epoch,
            succeed_when=last.succeed_when,
            timeouts=last.timeouts,
            template=last.template or create.template,
            comparison=last.comparison,
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
    if not candidates or is_held(draft):
        return False
    if not (draft.facts.has_place and draft.facts.may_start):
        draft.stand_in_line(draft.now.wall)  # before any slot
        return False
    draft.has_started = True
    oldest = min(candidates, key=lambda child: (child.created_at, child.ref.name))
    draft.status = replace(draft.status, runs=(*draft.status.runs, new_run(oldest, draft.now.steady)))
    note = f"Build {oldest.run} was asked for by hand and has started as AppServer {oldest.ref.name}"
    note = ", ".join(filter(None, (note, in_spite_of(verdict_on(draft).overridden))))
    draft.tell(EventType.NORMAL, EventReason.BUILD_STARTED, note, key=oldest.run or oldest.ref.name)
    _restart_interval(draft, oldest)
    return True


def _restart_interval(draft: Draft, manual: AppServer) -> None:
    interval = draft.schedule.in_force.interval
    if interval is None or interval.after_manual_run != AfterManualRun.RESTART:
        return
    slot = newest_due_slot(draft)
    if slot is not None:
        draft.rule(Ruling(slot=slot, fate=Fate.MANUAL_SPAWN, at=draft.now.wall))
    start = whole_second_down(draft.now.wall)
    anchor = draft.schedule.anchor_at
    draft.change_schedule(replace(draft.schedule, anchor_at=start if anchor is None else max(anchor, start)))
    note = f"The interval starts anew from the manual run {manual.run}"
    draft.tell(EventType.NORMAL, EventReason.MANUAL_SPAWN_OBSERVED, note, key=manual.run or manual.ref.name)


def _cancel_what_must_not_run(draft: Draft) -> None:
    """Cancel the attempts that a slot replaces, as was written down in an earlier look (R16), and the belated."""
    replaced = {run.uid for run in draft.status.runs if run.replaced_by is not None}
    draft.first.extend(
        CancelAppServer(name=child.ref.name, uid=child.ref.uid)
        for child in draft.facts.children
        if (child.ref.uid in replaced or _is_belated(draft, child))
        and not (child.cancelled or child.is_deleting or child.state.is_finished)
        and child.ref.uid not in draft.facts.gone
    )


def _is_belated(draft: Draft, child: AppServer) -> bool:
    """Tell whether no run will ever take the attempt: it was created after its slot had got another fate.

    A create that a replica had under way when it stopped leading may arrive at any time (design 4, HA).
    """
    is_taken = any(run.id == child.run for run in draft.status.runs)
    if child.trigger == Trigger.MANUAL or is_taken or draft.facts.has_begun(child):
        return False
    if child.trigger == Trigger.RECOVERY:
        return not is_wanted(draft, child)
    return unrecorded_slot(draft, child) is None
