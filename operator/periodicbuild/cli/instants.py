"""Instants as people type them: RFC 3339 with a zone, or a length from now as in `+2h`.

Must not know what an instant is for.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import click

from periodicbuild.cli.times import now
from periodicbuild.core.durations import DurationError, parse_duration
from periodicbuild.core.schedules import whole_second_up
from periodicbuild.kube.parse_values import EARLIEST, LATEST

EXAMPLE: Final = "2026-12-01T02:30:00Z"

_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(?P<zone>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
"""Seconds may be left out, as people do."""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Instant(click.ParamType[datetime]):
    """A point in time, rounded up to a whole second: never earlier than asked."""

    name = "time"

    def __init__(self, *, may_be_relative: bool = False) -> None:
        """`may_be_relative`: `+2h` is two hours from now."""
        self._may_be_relative = may_be_relative

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it; every mistake is a sentence with the value and the remedy."""
        try:
            return _from_now(value) if self._may_be_relative and value.startswith("+") else read_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def read_instant(text: str) -> datetime:
    """Read RFC 3339 in UTC; raises ValueError with the sentence."""
    written = _RFC_3339.fullmatch(text.strip())
    if written is None:
        day = f": a time of day is missing, as in '{text}T02:30:00Z'" if _DATE.fullmatch(text) else ""
        raise ValueError(f"{text!r} is no instant{day or f': write date, time and zone as in {EXAMPLE!r}'}")
    if written["zone"] is None:
        raise ValueError(f"{text!r} has no zone: write '{text}Z' for UTC, or the offset as in '{text}+01:00'")
    try:
        instant = whole_second_up(datetime.fromisoformat(text.strip().upper()).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no instant: there is no such date, time or offset") from error
    if not EARLIEST <= instant < LATEST:
        raise ValueError(f"{text!r} is out of reach: write an instant between {EARLIEST.year} and {LATEST.year}")
    return instant


def _from_now(text: str) -> datetime:
    try:
        return whole_second_up(now() + parse_duration(text.removeprefix("+")))
    except DurationError as error:
        raise ValueError(f"after the '+', {error}") from error
