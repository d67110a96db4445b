"""How long to wait after a failure, and how often to speak of it.

Must not know what failed or how to repair it.

The one idea a newcomer would miss: an outage is one fact, however many attempts it costs.  It is logged when it begins
and when it is over, with its length; a thousand equal lines between would hide both.
"""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING

from periodicbuild.kube.errors import GoneError, KubeError

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_PAUSE_SECONDS = 0.5
"""After the first failure; doubled at each further one."""

LONGEST_PAUSE_SECONDS = 15.0
"""An API server restarts in about ten seconds; longer pauses would only make recovery late."""

LONGEST_HONOURED_SECONDS = 60.0
"""A server that asks for more patience than this is asked again all the same."""

_log = logging.getLogger(__name__)


class Outage:
    """Count the failures of one thing in a row."""

    def __init__(self, what: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._monotonic = monotonic
        self._failures = 0
        self._began_at = 0.0
        self._is_announced = False

    def failed(self, error: Exception) -> float:
        """Note one more failure and give the seconds to wait: doubling, spread, and at least what the server asks."""
        if not self._failures and not self._is_announced:
            self._began_at = self._monotonic()
        if not self._is_announced and not isinstance(error, GoneError):  # that one only asks for a new list
            _log.warning("cannot reach it; trying on", extra={"what": self._what, "error": str(error)})
            self._is_announced = True
        asked = error.retry_after if isinstance(error, KubeError) else None
        pause = max(pause_after(self._failures), min(asked or 0.0, LONGEST_HONOURED_SECONDS))
        self._failures += 1
        return pause

    def try_sooner(self) -> None:
        """Begin with short pauses again: somebody waits, or there is reason to think that it is over."""
        self._failures = 0

    def is_over(self) -> None:
        """Note that it works; says so if it was said to have failed."""
        if self._is_announced:
            seconds = round(self._monotonic() - self._began_at, 1)
            _log.info("reached it again", extra={"what": self._what, "outage_seconds": seconds})
        self._failures = 0
        self._is_announced = False


def pause_after(failures: int) -> float:
    """Give a pause between half and all of the doubled first one, so that many who failed together come apart."""
    # The exponent is bounded because an endless outage would overflow a float.
    longest = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 16), LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
