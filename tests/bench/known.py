"""What is known of a figure before it is measured.

The one idea a newcomer would miss: a goal is a fact about the project, not about one measurement.  So it stands in one
place, and a figure that misses it is published all the same.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One figure that some command measures."""

    id: str
    what: str
    """As a row of a table calls it."""
    unit: str
    """Empty for a plain number."""
    command: str
    """What measures it."""
    goal: str | None = None
    """`<=` or `>=` and a number; None = there is none, it is told to explain another figure."""
