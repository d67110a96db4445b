"""Recovery: the pod that serves is lost, and nobody meant it to go (R30).

The one idea a newcomer would miss: one loss leads to one run, whatever crashes in between.  The run is named after the
uid of the lost AppServer, so creating it twice creates it once; and that it was created stays in status for longer than
its AppServers do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.adoption import new_run
from periodicbuild.core.breaker import holds_back
from periodicbuild.core.candidates import newer_server, ready_fallback
from periodicbuild.core.creates import create_app_server, is_refused, may_try
from periodicbuild.core.names import app_server_name, recovery_run_id
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import Refused
from periodicbuild.core.policies import Recovery, SucceedWhen
from periodicbuild.core.reasons import EventReason, State, Trigger
from periodicbuild.core.schedules import SECOND
from periodicbuild.core.servers import serving_server
from periodicbuild.core.status import RecoveredLoss

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft


RECOVERS_AGAIN_AFTER = timedelta(minutes=1)
"""A node that evicts whatever is Ready would otherwise be given one pod after the other."""


def start_recovery(draft: Draft) -> bool:
    """Answer the loss of the serving pod by a run; tell whether it has begun."""
    lost = _lost_server(draft)
    if lost is None:
        return False
    run = recovery_run_id(lost.ref.uid)
    attempts = [child for child in draft.facts.children if child.run == run]
    waiting = next((child for child in attempts if _waits(draft, child)), None)
    if waiting is not None:
        _admit(draft, lost, waiting)
        return True
    if attempts:
        _note(draft, lost)  # what status told of it was lost
        return False
    return _create(draft, lost, run)


def is_wanted(draft: Draft, child: AppServer) -> bool:
    """Tell whether an attempt that nothing has come of yet answers a loss that still is one."""
    lost = _lost_server(draft)
    return lost is not None and child.run == recovery_run_id(lost.ref.uid)


def _lost_server(draft: Draft) -> AppServer | None:
    """Return the server whose loss is to be answered; none while another one can serve."""
    spec = draft.build.spec
    if spec.recovery == Recovery.NEVER or spec.succeed_when == SucceedWhen.COMPLETED:
        return None
    server = serving_server(draft)
    if server is None or server.state != State.TERMINATED or server.status.terminated_at is None:
        return None
    recovered = draft.status.recovered
    if server.is_deleting or (recovered is not None and recovered.uid == server.ref.uid):
        return None
    can_serve = spec.activation is not None and (ready_fallback(draft) or newer_server(draft)) is not None
    return None if can_serve else server


def _waits(draft: Draft, child: AppServer) -> bool:
    is_over = child.state.is_finished or child.cancelled or child.is_deleting
    return not is_over and all(run.id != child.run for run in draft.status.runs)


def _admit(draft: Draft, lost: AppServer, attempt: AppServer) -> None:
    draft.status = replace(draft.status, runs=(*draft.status.runs, new_run(attempt, attempt.created_at)))
    _note(draft, lost)
    run = attempt.run or attempt.ref.name
    note = f"Build {run} has started as AppServer {attempt.ref.name}, since the server of {lost.ref.name} was lost"
    draft.tell(EventType.WARNING, EventReason.BUILD_STARTED, note, key=run)


def _note(draft: Draft, lost: AppServer) -> None:
    run = recovery_run_id(lost.ref.uid)
    draft.status = replace(draft.status, recovered=RecoveredLoss(app_server=lost.ref.name, uid=lost.ref.uid, run=run))


def _create(draft: Draft, lost: AppServer, run: str) -> bool:
    name = app_server_name(draft.build.ref.name, run, 1)
    refusal = draft.facts.refusals.get(name)
    if is_refused(refusal, Refused.NAME_COLLISION):
        _note(draft, lost)
        note = f"The server of {lost.ref.name} was lost, and nothing is built in its place: the name {name} is taken"
        draft.tell(EventType.WARNING, EventReason.NAME_COLLISION, note, key=run)
        return False
    if holds_back(draft) or _comes_too_soon(draft, lost) or not may_try(draft, refusal):
        return False
    if not (draft.facts.has_place and draft.facts.may_start):
        draft.stand_in_line(draft.now.wall)  # before any slot
        return False
    create = create_app_server(draft, run=run, attempt=1, trigger=Trigger.RECOVERY)
    draft.first.append(replace(create, slot=_instant_of(draft, lost), is_start=True))
    return True


def _comes_too_soon(draft: Draft, lost: AppServer) -> bool:
    """Tell whether what was built in place of a lost server is lost so soon that something else must be wrong."""
    until = lost.created_at + RECOVERS_AGAIN_AFTER
    if lost.trigger != Trigger.RECOVERY or draft.now.steady >= until:
        return False
    draft.wake_at(steady=until)
    return True


def _instant_of(draft: Draft, lost: AppServer) -> datetime:
    """Return the instant of the loss, but later than whatever it is to replace: clocks may be set back."""
    lost_at = lost.status.terminated_at or draft.now.steady
    known = draft.status.activation
    epoch, slot = max(lost.newness[:2], lost.newness[:2] if known is None else (known.epoch, known.slot))
    return lost_at if draft.schedule.epoch > epoch else max(lost_at, slot + SECOND)
