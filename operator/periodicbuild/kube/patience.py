"""How long something may be made to give way: used up while it does, regained while it need not.

Must not sleep or read a clock.

The one idea a newcomer would miss: nothing resets it.  A line that is full all day is empty for an instant now and
then, and whatever was made to wait would wait for minutes again, if such an instant made up for everything.
"""

from __future__ import annotations


class Patience:
    """Hold up to so many seconds of giving way; full at the beginning (decision 0025)."""

    def __init__(self, *, seconds: float, now: float) -> None:
        self._most = self._left = seconds
        self._is_tried = False
        self._noted_at = now

    @property
    def is_out(self) -> bool:
        """Tell whether there was none left at the last note."""
        return self._left <= 0

    def note(self, *, is_tried: bool, now: float) -> None:
        """Count the time since the last note by what was so until now, and remember what is so from now on."""
        passed = now - self._noted_at
        left = self._left - passed if self._is_tried else self._left + passed
        self._left = min(self._most, max(0.0, left))
        self._is_tried = is_tried
        self._noted_at = now
