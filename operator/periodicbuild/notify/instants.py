"""Instants and lengths of time as a mail writes them: in UTC, and in words.

Must not know a clock: how long ago something was counts from the fact that is told, and so stays true when it is read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def written(instant: datetime) -> str:
    """Write date and time in UTC, whole seconds: `2026-11-25 02:47:12 UTC`."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(instant: datetime) -> str:
    """Write RFC 3339 in UTC and whole seconds, for programs."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def span(length: timedelta) -> str:
    """Write a length by its two largest units, `3 days 4 hours`; its sign is dropped."""
    seconds = abs(length) // timedelta(seconds=1)
    for position, (unit, size) in enumerate(_UNITS):
        if seconds >= size:
            smaller = _UNITS[position + 1 : position + 2]
            rest = [_count(seconds % size // one, name) for name, one in smaller if seconds % size // one]
            return " ".join([_count(seconds // size, unit), *rest])
    return "0 seconds"


def with_distance(instant: datetime, told_at: datetime) -> str:
    """Say when it is, and how far that is from the fact that is told."""
    away = f"in {span(instant - told_at)}" if instant > told_at else f"{span(told_at - instant)} ago"
    return f"{written(instant)} ({away})"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
