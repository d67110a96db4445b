"""Both clocks, read together (R9).

The one idea a newcomer would miss: the steady clock starts at the API server's time, not at ours, so that it agrees
with creation timestamps; from then on it follows the monotonic clock alone, whatever happens to any wall clock.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.facts import Now

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

TRUSTED = timedelta(seconds=60)
"""A wall clock further off the API server's judges no slot."""


def utc_now() -> datetime:
    """Read the wall clock."""
    return datetime.now(UTC)


class Clock:
    """The time of this process."""

    def __init__(
        self, *, wall: Callable[[], datetime] = utc_now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._steady_zero = wall() - timedelta(seconds=monotonic())
        self._server_now: Callable[[], datetime | None] = lambda: None
        self.off_since: datetime | None = None
        """Steady clock: when it was noticed that the wall clock is not to be trusted; None = it is."""

    def follow(self, server_now: Callable[[], datetime | None]) -> None:
        """Start the steady clock at the API server's time; `server_now` gives None before its first answer."""
        self._server_now = server_now
        self._steady_zero = (server_now() or self._wall()) - timedelta(seconds=self._monotonic())

    def now(self) -> Now:
        """Read both clocks."""
        return Now(wall=self._wall(), steady=self._steady_zero + timedelta(seconds=self._monotonic()))

    @property
    def is_trusted(self) -> bool:
        """Tell whether the wall clock agrees with the API server's to a minute."""
        return abs(self._ahead()) <= TRUSTED

    @property
    def ahead_seconds(self) -> float:
        """By how much the wall clock is ahead of the API server's; negative = behind."""
        return self._ahead().total_seconds()

    def notice_trust(self) -> None:
        """Say once that the wall clock is not trusted, however many objects wait for it, and once that it is again."""
        is_trusted = self.is_trusted  # once: two readings of a clock at its bound may differ
        if is_trusted == (self.off_since is None):
            return
        ahead = {"ahead_seconds": round(self.ahead_seconds)}
        if is_trusted:
            self.off_since = None
            _log.info("our clock agrees with the API server's again", extra=ahead)
        else:
            self.off_since = self.now().steady
            _log.warning("our clock is off the API server's: no build starts until one of them is mended", extra=ahead)

    def _ahead(self) -> timedelta:
        server, wall = self._server_now(), self._wall()
        return timedelta() if server is None else wall - server
