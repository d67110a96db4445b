"""Who may start now: never a burst, and never more at once than there are places (R15).

Keys that want to start and may not stand in line (`line.py`); whenever there is a token and a place, the first of them
is looked at again, and may.  Waking all of them each time would cost the square of the line.

The one idea a newcomer would miss: a PeriodicBuild has at most one build in progress (R16), so a place is simply held
by its key.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from periodicbuild.core.plans import CreateAppServer
from periodicbuild.kube.bucket import TokenBucket
from periodicbuild.wiring.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from periodicbuild.core.plans import FirstAction
    from periodicbuild.wiring.keys import Key


class Admission:
    """Let so many starts through per second, and so many builds be in progress at once; 0 = no limit."""

    def __init__(self, *, per_second: float, max_concurrent: int, enqueue: Callable[[Key], None]) -> None:
        """`enqueue` asks for a look at a key whose turn has come."""
        self._enqueue = enqueue
        self._bucket = TokenBucket(rate=per_second, burst=max(1, round(per_second)), now=time.monotonic())
        self._max_concurrent = max_concurrent
        self._line = Line()
        self._granted: set[Key] = set()
        self._places: set[Key] = set()
        self._has_news = asyncio.Event()

    def may_start(self, key: Key) -> bool:
        """Tell whether the start rate lets this key start now; nobody overtakes the line."""
        return key in self._granted or (not self._line and not self._bucket.wait_seconds(time.monotonic()))

    @property
    def places(self) -> frozenset[Key]:
        """Give the keys whose builds are in progress, or about to be."""
        return frozenset(self._places)

    def has_place(self, key: Key) -> bool:
        """Tell whether one more build of this key may be in progress."""
        return key in self._places or self._has_free_place

    def started(self, key: Key) -> None:
        """Count a start."""
        self._places.add(key)
        if key in self._granted:
            self._granted.discard(key)
        else:
            self._bucket.take(time.monotonic())

    def begin(self, key: Key, actions: Iterable[FirstAction]) -> None:
        """Give a place to what is about to be created: a retry has one, whether there is one or not."""
        for action in actions:
            if isinstance(action, CreateAppServer) and action.is_start:
                self.started(key)
            elif isinstance(action, CreateAppServer) and action.attempt > 1:
                self.take_places([key])

    def take_places(self, keys: Iterable[Key]) -> None:
        """Let keys have a place, whether there is one or not: their builds are in progress, or about to be."""
        self._places.update(keys)

    def settle(self, key: Key, *, start_by: datetime | None, is_in_progress: bool) -> None:
        """Stand in line for a start by then (None = leave it); a place or a grant not needed goes to the next."""
        if start_by is None:
            self._line.leave(key)
        elif key not in self._granted:
            self._line.join(key, start_by)
        if not is_in_progress and (start_by is None or key not in self._granted):
            self._places.discard(key)
        if start_by is None and key in self._granted:
            self._granted.discard(key)
            self._grant_next()
        self._has_news.set()

    async def run(self) -> None:
        """Grant starts for ever."""
        while True:
            await self._has_news.wait()
            now = time.monotonic()
            if not self._line or not self._has_free_place:
                self._has_news.clear()
            elif (seconds := self._bucket.wait_seconds(now)) > 0:
                await asyncio.sleep(seconds)
            else:
                self._bucket.take(now)
                self._grant_next()

    @property
    def _has_free_place(self) -> bool:
        return not self._max_concurrent or len(self._places) < self._max_concurrent

    def _grant_next(self) -> None:
        key = self._line.first() if self._has_free_place else None
        if key is not None:
            self._granted.add(key)
            self._places.add(key)
            self._enqueue(key)
