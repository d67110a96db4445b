"""Instants for people: when it is by the clock, and how far that is from now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from periodicbuild.kube.render_values import instant_text

NOTHING: Final = "-"
"""Stands where there is nothing to say, so that columns can be counted."""

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def now() -> datetime:
    """Read the clock; a command does so once."""
    return datetime.now(UTC)


def span(length: timedelta) -> str:
    """Write a length by its two largest units: `3d4h`, `12m30s`, `0s`; its sign is dropped."""
    seconds = abs(length) // timedelta(seconds=1)
    for position, (unit, size) in enumerate(_UNITS):
        if seconds >= size:
            smaller = _UNITS[position + 1 : position + 2]
            rest = "".join(f"{seconds % size // one}{name}" for name, one in smaller if seconds % size // one)
            return f"{seconds // size}{unit}{rest}"
    return "0s"


def relative(instant: datetime, now: datetime) -> str:
    """Say how far away it is: `in 3h12m`, `5m ago`."""
    return f"in {span(instant - now)}" if instant > now else f"{span(now - instant)} ago"


def absolute(instant: datetime | None) -> str:
    """Write RFC 3339 in UTC, as the API does."""
    return NOTHING if instant is None else instant_text(instant)


def both(instant: datetime | None, now: datetime) -> str:
    """Say when, and how far away that is."""
    return NOTHING if instant is None else f"{instant_text(instant)} ({relative(instant, now)})"
