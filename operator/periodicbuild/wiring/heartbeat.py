"""The heart-beat mail: proves to whoever is told of every PeriodicBuild that silence means good news (R40).

Must not know how it is sent.

The one idea a newcomer would miss: beats are multiples of the interval on the wall clock, and a beat's mail has one id.
So an operator that was restarted sends the beat again, and the reader's mail program folds it into the first.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from periodicbuild.core.reasons import ConditionType
from periodicbuild.notify.overviews import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from periodicbuild.notify.smtp import EmailSink
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.store import Store

LONGEST_SLEEP_SECONDS = 60.0
"""The wall clock may be set, and a machine may sleep."""
TRIED_AGAIN_AFTER = timedelta(minutes=1)

_log = logging.getLogger(__name__)


async def beat(sink: EmailSink, to: Sequence[str], every: timedelta, *, store: Store, clock: Clock) -> None:
    """Send the beat of now and then every one, for ever; one that is not taken is tried again until the next is due."""
    beat_at = beat_of(clock.now().wall, every)
    while True:
        receipt = await sink.send_heartbeat(_heartbeat(beat_at, every, store), to)
        if receipt.problem:
            _log.warning("the heart-beat mail was not taken by everybody", extra={"problem": receipt.problem})
        next_at = beat_at + every
        due = next_at if receipt.is_accepted else min(next_at, clock.now().wall + TRIED_AGAIN_AFTER)
        await _sleep_until(due, clock)
        beat_at = beat_of(clock.now().wall, every)


def beat_of(wall: datetime, every: timedelta) -> datetime:
    """Return the newest beat that is not in the future."""
    epoch = datetime.fromtimestamp(0, UTC)
    return epoch + (wall - epoch) // every * every


def _heartbeat(beat_at: datetime, every: timedelta, store: Store) -> Heartbeat:
    statuses = [stored.build.status for stored in store.builds.values()]
    last = [status.condition(ConditionType.LAST_RUN_SUCCEEDED) for status in statuses]
    return Heartbeat(
        at=beat_at,
        version=version("periodicbuild"),
        periodic_builds=len(statuses),
        failing=sum(1 for condition in last if condition is not None and condition.status == "False"),
        next_at=beat_at + every,
    )


async def _sleep_until(due: datetime, clock: Clock) -> None:
    while (seconds := (due - clock.now().wall).total_seconds()) > 0:  # noqa: ASYNC110 - the clock may be set
        await asyncio.sleep(min(seconds, LONGEST_SLEEP_SECONDS))
