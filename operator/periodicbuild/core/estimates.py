"""How long a build will take, by what is known of it (R33)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild

TENTHS = 9
"""Of the last successes so many in ten took no longer: the p90, by nearest rank."""


def estimate_of(build: PeriodicBuild) -> timedelta:
    """Give what its author says, else the p90 of its last successes, else the longest that its time-outs allow."""
    if build.spec.estimated_duration is not None:
        return build.spec.estimated_duration
    durations = sorted(build.status.durations)
    if durations:
        return timedelta(seconds=durations[-(-TENTHS * len(durations) // 10) - 1])
    timeouts = build.spec.timeouts
    attempt = timeouts.waiting + timeouts.configuring
    return attempt if timeouts.run is None else min(attempt, timeouts.run)
