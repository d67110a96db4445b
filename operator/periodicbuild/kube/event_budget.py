"""How many Events one object may cause.

The one idea a newcomer would miss: the budget is per object, so one that flaps cannot silence all the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.recent import Recent
from periodicbuild.kube.bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = 10
"""Events of one object at once: a run with all its attempts."""

PER_SECOND = 1 / 60
"""Then one a minute."""

REMEMBERED_OBJECTS = 4096
"""An object beyond begins with a full budget again."""


class EventBudget:
    """Hold a token bucket per object that had an Event lately."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: Recent[str, TokenBucket] = Recent(REMEMBERED_OBJECTS)

    def take(self, uid: str) -> bool:
        """Spend one Event of the object's budget; False if there is none left."""
        now = self._monotonic()
        bucket = self._buckets.get(uid)
        if bucket is None:
            bucket = TokenBucket(rate=PER_SECOND, burst=BURST, now=now)
            self._buckets.put(uid, bucket)
        return bucket.take(now)
