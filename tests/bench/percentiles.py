"""Percentiles by the nearest rank: always one of the values, never between two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the value that so large a share (0 < share <= 1) of the ordered values does not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]
