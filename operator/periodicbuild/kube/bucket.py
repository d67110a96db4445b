"""A token bucket: so many per second on average, a burst at once, never more.

Must not sleep or read a clock; it says how long to wait, and the caller does.

The one idea a newcomer would miss: it counts from monotonic instants that the caller passes in, so that a step of the
wall clock gives away no tokens, and a test needs no patience.
"""

from __future__ import annotations


class TokenBucket:
    """Hold up to `burst` tokens, refilled at `rate` per second; full at the beginning.  A rate of 0 = no limit."""

    def __init__(self, *, rate: float, burst: int, now: float) -> None:
        if rate < 0 or burst < 1:
            raise ValueError(f"a bucket needs a rate of at least 0 and a burst of at least 1, not {rate} and {burst}")
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = now

    def wait_seconds(self, now: float) -> float:
        """Give the seconds until there is a token; 0 if there is one, or no limit."""
        if not self._rate:
            return 0.0
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def take(self, now: float) -> bool:
        """Take a token if there is one; False, and nothing taken, if there is none."""
        if not self._rate:
            return True
        self._fill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _fill(self, now: float) -> None:
        elapsed = max(0.0, now - self._filled_at)
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate)
        self._filled_at = now
