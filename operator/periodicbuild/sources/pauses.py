"""Hosts that have asked for a pause, and until when nothing is asked of them.

Must not know what they are asked.
"""

from __future__ import annotations

import time
from typing import Final

MOST: Final = 1_000
"""Hosts at a time; of one more each source is asked once for itself."""


class Pauses:
    """Pauses of hosts, forgotten once they have passed."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        """By host, monotonic."""

    def begin(self, host: str, seconds: float) -> None:
        """Ask nothing of a host for so long; a longer pause that it has asked for goes on."""
        now = time.monotonic()
        self._ends = {one: end for one, end in self._ends.items() if end > now}
        if host in self._ends or len(self._ends) < MOST:
            self._ends[host] = max(now + seconds, self._ends.get(host, now))

    def left(self, host: str) -> float:
        """Return for how many seconds a host is to be left alone; 0 = it may be asked."""
        return max(0.0, self._ends.get(host, 0.0) - time.monotonic())
