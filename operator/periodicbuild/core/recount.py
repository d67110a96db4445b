"""An independent recount of the slots that should be in the ledger (R12).

It deliberately shares no code with `ledger` and `schedules`: a metric that is computed by the code it watches proves
nothing.  It reads what was persisted and asks whether a slot has gone by without a trace.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from periodicbuild.core.status import BuildStatus, Waiting

GRACE = timedelta(minutes=2)
"""A slot younger than this may still be on its way into the ledger."""


def unaccounted_slots(status: BuildStatus, now: datetime, unwritten: Waiting | None = None) -> int:
    """Return how many slots older than two minutes have neither a fate nor a place to wait: 0 in a healthy system.

    `unwritten` is a wait that the process has seen and not written yet (R41); it counts for as long as that may last.
    """
    schedule = status.schedule
    if schedule is None or not schedule.in_force.enabled or schedule.in_force.interval is None:
        return 0
    if status.waiting is not None or (unwritten is not None and unwritten.since_at > now - GRACE):
        return 0
    expected = schedule.since_at
    if schedule.anchor_at is not None and schedule.anchor_at + schedule.in_force.interval.every > expected:
        expected = schedule.anchor_at + schedule.in_force.interval.every
    if schedule.in_force.not_before is not None and schedule.in_force.not_before > expected:
        expected = schedule.in_force.not_before
    if schedule.cursor_at is not None and schedule.cursor_at >= expected:
        expected = schedule.cursor_at + timedelta(seconds=1)
    return 1 if expected < now - GRACE else 0
