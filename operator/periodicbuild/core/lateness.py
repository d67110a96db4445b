"""What becomes of slots that could not start in time: superseded, missed, past their deadline (R8, R13).

Must not know what blocks: a slot that waits carries its reason.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from periodicbuild.core.ledger import Ruling
from periodicbuild.core.reasons import Blocker, Fate
from periodicbuild.core.schedules import SECOND, due_slots

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.look import Draft
    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.core.status import Waiting

SHORTEST_DEADLINE: Final = timedelta(hours=2)
"""A calendar's slot has at least so long, however late in the day it lies (R13)."""
CLOSED_AS: Final = {
    Blocker.BREAKER_OPEN: Fate.BREAKER_OPEN,
    Blocker.GATE_CLOSED: Fate.GATE_CLOSED,
    Blocker.ROLLOUT_IMMINENT: Fate.ROLLOUT_IMMINENT,
    Blocker.FORBIDDEN: Fate.FORBIDDEN,
    Blocker.INVALID: Fate.FORBIDDEN,
}
"""Waits whose reason becomes the fate; a slot that waited for anything else is superseded, or past its deadline."""


def spread_offset(ref: ObjectRef, spread: timedelta) -> timedelta:
    """Return how long after its slots an object may start: stable, in [0, spread), in whole seconds (R8)."""
    seconds = spread // SECOND
    digest = hashlib.sha256(f"{ref.namespace}/{ref.name}".encode()).digest()
    return int.from_bytes(digest[:8]) % seconds * SECOND if seconds else timedelta()


def start_offset(draft: Draft) -> timedelta:
    """Return how long after its slots this object may start; only calendars and cron are spread (R8)."""
    is_spread = draft.schedule.in_force.interval is None
    return spread_offset(draft.build.ref, draft.build.spec.starting.spread) if is_spread else timedelta()


def deadline_of(draft: Draft, slot: datetime) -> datetime | None:
    """Return the last instant at which a slot may start, None = it has no deadline (R13)."""
    if draft.schedule.in_force.interval is not None:
        return None
    begin, starting = slot + start_offset(draft), draft.build.spec.starting
    if starting.deadline is not None:
        return begin + starting.deadline
    end_of_date = draft.schedule.in_force.end_of_date(slot)
    return None if end_of_date is None else max(end_of_date, begin + SHORTEST_DEADLINE)


def newest_due_slot(draft: Draft) -> datetime | None:
    """Return the newest slot that may start by now and has no fate, whether it was seen before or not."""
    waiting = draft.status.waiting
    if waiting is not None and draft.schedule.in_force.interval is not None:
        return waiting.slot
    due = due_slots(draft.schedule, draft.now.wall - start_offset(draft))
    if due is not None:
        return due.newest
    return waiting.slot if waiting is not None else None


def close_slots_before(draft: Draft, slot: datetime) -> None:
    """Give every slot before this one its fate: what waited is superseded, what nobody looked at is missed (R13)."""
    waiting = draft.waiting
    if waiting is not None and waiting.slot < slot:
        fate = _closed_as(waiting, Fate.SUPERSEDED)
        draft.rule(Ruling(slot=waiting.slot, fate=fate, at=draft.now.wall, why=waiting.message))
    if draft.schedule.in_force.interval is None:
        miss_unseen_slots(draft, until=slot - SECOND)


def miss_unseen_slots(draft: Draft, *, until: datetime) -> None:
    """Count every slot after the cursor as missed, at any number of them (R11)."""
    due = due_slots(draft.schedule, until)
    if due is None:
        return
    draft.rule(
        Ruling(
            slot=due.first,
            until_slot=due.newest if due.count > 1 else None,
            count=due.count,
            fate=Fate.OPERATOR_DOWN,
            at=draft.now.wall,
        )
    )


def close_past_deadline(draft: Draft, slot: datetime) -> bool:
    """Close a slot whose deadline has passed; a deadline that has not asks for a look when it does."""
    deadline = deadline_of(draft, slot)
    if deadline is None:
        return False
    if draft.now.wall <= deadline:
        draft.wake_at(wall=deadline + SECOND)
        return False
    waiting, fate, why = draft.waiting, Fate.OPERATOR_DOWN, ""
    if waiting is not None and waiting.slot == slot and waiting.since_at <= deadline:
        fate, why = _closed_as(waiting, Fate.DEADLINE_PASSED), waiting.message
    draft.rule(Ruling(slot=slot, fate=fate, at=draft.now.wall, why=why))
    return True


def _closed_as(waiting: Waiting, otherwise: Fate) -> Fate:
    return CLOSED_AS.get(waiting.reason, otherwise)
