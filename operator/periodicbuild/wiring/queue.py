"""The keyed queue: each key is looked at by one task at a time, and a change in the meantime is never lost."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from periodicbuild.wiring.keys import Key


class KeyedQueue:
    """Hold keys that want a look, in the order in which they first asked."""

    def __init__(self) -> None:
        self._has_work = asyncio.Event()
        self._waiting: OrderedDict[Key, float] = OrderedDict()
        """With the instant of the first asking."""
        self._taken: set[Key] = set()
        self._again: set[Key] = set()

    def __len__(self) -> int:
        """Count the keys that wait."""
        return len(self._waiting)

    def add(self, key: Key) -> None:
        """Ask for a look; asking twice before it begins is asking once."""
        if key in self._taken:
            self._again.add(key)
        else:
            self._waiting.setdefault(key, time.time())
            self._has_work.set()

    @property
    def oldest(self) -> float | None:
        """Give the instant (Unix time) since which the first in line has waited; None = nobody does."""
        return next(iter(self._waiting.values()), None)

    async def wait(self) -> None:
        """Wait until there is, or just was, a key to take."""
        await self._has_work.wait()

    def take(self) -> Key | None:
        """Take the key that has waited longest, until `done`; None if there is none."""
        if not self._waiting:
            self._has_work.clear()
            return None
        key, _ = self._waiting.popitem(last=False)
        self._taken.add(key)
        return key

    def done(self, key: Key) -> None:
        """Give a key back; it is queued again if it changed while it was being looked at."""
        self._taken.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
