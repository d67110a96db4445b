"""Which slot an instant in the past belongs to: the newest at or before it that anything still knows.

Must not know words for people.

The one idea a newcomer would miss: three things know slots.  The ledger knows the newest decided ones, under whatever
schedule; `waiting` knows one; the schedule in force knows all of its own from the begin of its epoch, also those that
are counted and no longer listed, or that nobody has looked at yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from periodicbuild.cli.known_slots import listed_since, newest_due_by, slot_in_entry, slots_around

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.status import BuildStatus, LedgerEntry

NEAR = timedelta(minutes=1)
"""Who asks about 02:30 means a slot within that minute."""


class Found(StrEnum):
    """What is known of the slot."""

    DECIDED = "decided"
    WAITING = "waiting"
    NOT_SEEN = "not looked at yet"
    UNLISTED = "no longer listed"
    """It was counted; the ledger keeps only the newest."""
    NOTHING = "nothing was due"
    """By then no slot had been due at all."""
    FORGOTTEN = "forgotten"
    """Slots were counted before the oldest that is listed, and nothing tells which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """The slot, and its neighbours."""

    found: Found
    slot: datetime | None = None
    entry: LedgerEntry | None = None
    before: datetime | None = None
    """The newest known slot before the slot, or before the instant if it has none."""
    after: datetime | None = None
    """The first known slot after the instant."""
    known_since: datetime | None = None
    """The oldest listed slot, where older ones were counted and are not listed; None = nothing is forgotten."""
    is_meant: bool = False
    """The instant lies within a minute of the slot: it was due then."""


def slot_at(status: BuildStatus, instant: datetime) -> Belonging:
    """Find the slot that an instant belongs to."""
    known_since = listed_since(status)
    slot, found, entry = _newest(status, instant)
    if slot is None or (found is Found.DECIDED and _may_be_hidden(entry, instant, known_since)):
        is_forgotten = known_since is not None and instant < known_since
        slot, entry = None, None
        found = Found.FORGOTTEN if is_forgotten else Found.NOTHING
    return Belonging(
        found=found,
        slot=slot,
        entry=entry,
        before=max((one for one in slots_around(status, instant) if one < (slot or instant)), default=None),
        after=min((one for one in slots_around(status, instant) if one > instant), default=None),
        known_since=known_since,
        is_meant=slot is not None and instant - slot < NEAR,
    )


def _newest(status: BuildStatus, instant: datetime) -> tuple[datetime | None, Found, LedgerEntry | None]:
    """Give the newest slot at or before the instant; what was decided or waits goes before what is only due."""
    entry = max((one for one in status.ledger if one.slot <= instant), key=lambda one: one.slot, default=None)
    slot, found = (None, Found.NOTHING) if entry is None else (slot_in_entry(status, entry, instant), Found.DECIDED)
    waiting = status.waiting
    if waiting is not None and waiting.slot <= instant and (slot is None or waiting.slot > slot):
        slot, found, entry = waiting.slot, Found.WAITING, None
    schedule = status.schedule
    due = newest_due_by(schedule, instant, is_open=waiting is not None) if schedule is not None else None
    if schedule is not None and due is not None and (slot is None or due > slot):
        cursor = schedule.cursor_at
        return due, Found.NOT_SEEN if cursor is None or due > cursor else Found.UNLISTED, None
    return slot, found, entry


def _may_be_hidden(entry: LedgerEntry | None, instant: datetime, known_since: datetime | None) -> bool:
    """Tell whether between an old entry and the instant there may be slots that are no longer listed."""
    if entry is None or known_since is None or instant >= known_since:
        return False
    return instant - entry.last_slot >= NEAR
