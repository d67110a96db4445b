"""The time of something short, without a cluster."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 20


def median_seconds(do: Callable[[], object], times: int) -> float:
    """Give the median time of one call, over some rounds of many: the clock of a process is not fine enough for one."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(times):
            do()
        rounds.append((time.perf_counter() - begin) / times)
    return median(rounds)
