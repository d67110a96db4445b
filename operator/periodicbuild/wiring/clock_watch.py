"""A leader whose clock is off says so once, on the Lease, and not on every object that waits for it (R9)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.core.reasons import EventReason

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.kube.events import Recorder
    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.wiring.clock import Clock

EVERY_SECONDS = 1.0


async def watch_clock(clock: Clock, leadership: Leadership, recorder: Recorder) -> None:
    """Look at the clock for ever; without a Lease the log and the metric have to do."""
    told: datetime | None = None
    while True:
        since, lease = clock.off_since, leadership.lease_ref
        if since is not None and since != told and lease is not None:
            await recorder.record(skew_of(lease, clock.ahead_seconds, since))
            told = since
        await asyncio.sleep(EVERY_SECONDS)


def skew_of(lease: ObjectRef, ahead_seconds: float, since: datetime) -> EventFact:
    """Say by how much the clock of the leader is off, since an instant of the steady clock."""
    where = "ahead of" if ahead_seconds > 0 else "behind"
    return EventFact(
        regarding=lease,
        type=EventType.WARNING,
        reason=EventReason.CLOCK_SKEW,
        action="WaitedForTheClock",
        note=f"The leader's clock is {abs(ahead_seconds):.0f} s {where} the API server's: no build starts by schedule "
        "until one of them is mended.",
        key=since.isoformat(),
    )
