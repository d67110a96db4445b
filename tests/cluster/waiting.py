"""Wait for a condition with a deadline; the only place of the cluster that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tests.cluster.errors import ClusterError

LOOK_EVERY_SECONDS = 0.1
"""Often enough that nobody notices, seldom enough that a starting server keeps its cores."""

Result = TypeVar("Result")


def wait_for(check: Callable[[], Result | None], *, within_seconds: float, what: str) -> Result:
    """Return the first result of check that is not None and not False.

    Raise ClusterError, with what in its sentence, when the deadline passes. An error of check itself passes through.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        result = check()
        if result is not None and result is not False:
            return result
        if time.monotonic() >= deadline:
            raise ClusterError(f"Waited {within_seconds:g} s in vain: {what}.")
        time.sleep(LOOK_EVERY_SECONDS)
