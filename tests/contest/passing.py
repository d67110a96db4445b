"""Let time pass; nothing else in the contest waits for an instant."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


async def pass_until(instant: datetime) -> None:
    """Return at that instant, or at once if it is over."""
    await asyncio.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))


def full_minute_in(seconds: float) -> datetime:
    """Give the first full minute that is at least so far away."""
    there = datetime.now(UTC) + timedelta(seconds=seconds, minutes=1)
    return there.replace(second=0, microsecond=0)
