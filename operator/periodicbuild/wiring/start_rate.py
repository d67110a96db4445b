"""The start rate: never a burst (R15).

Keys that want to start and may not stand in line; whenever a token is there, the first of them is looked at again,
and may.  Waking all of them at each token would cost the square of the line.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from periodicbuild.kube.bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from periodicbuild.wiring.keys import Key


class StartRate:
    """Let so many starts through per second; 0 = no limit."""

    def __init__(self, per_second: float, enqueue: Callable[[Key], None]) -> None:
        self._enqueue = enqueue
        self._bucket = TokenBucket(rate=per_second, burst=max(1, round(per_second)), now=time.monotonic())
        self._line: OrderedDict[Key, None] = OrderedDict()
        self._granted: set[Key] = set()
        self._has_line = asyncio.Event()

    def may_start(self, key: Key) -> bool:
        """Tell whether this key may start now."""
        return key in self._granted or (not self._line and not self._bucket.wait_seconds(time.monotonic()))

    def started(self, key: Key) -> None:
        """Count a start."""
        if key in self._granted:
            self._granted.discard(key)
        else:
            self._bucket.take(time.monotonic())

    def settle(self, key: Key, *, wants_start: bool) -> None:
        """Stand in line, or leave it; a grant that was not needed goes to the next."""
        if wants_start:
            if key not in self._granted:
                self._line[key] = None
                self._has_line.set()
            return
        self._line.pop(key, None)
        if key in self._granted:
            self._granted.discard(key)
            self._grant_next()

    async def run(self) -> None:
        """Grant starts for ever."""
        while True:
            await self._has_line.wait()
            now = time.monotonic()
            if not self._line:
                self._has_line.clear()
            elif (seconds := self._bucket.wait_seconds(now)) > 0:
                await asyncio.sleep(seconds)
            else:
                self._bucket.take(now)
                self._grant_next()

    def _grant_next(self) -> None:
        if self._line:
            key, _ = self._line.popitem(last=False)
            self._granted.add(key)
            self._enqueue(key)
