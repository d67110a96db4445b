"""Read the interval of a schedule in any of its five notations.

It must not know what is scheduled. The table `NOTATIONS` is the whole grammar: the parser asks its rows one by one, and
the pattern in the CRD is the same rows joined, so neither can learn a notation without the other. No text belongs to
two rows, so their order has no meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.core.durations import (
    COMMON_REFUSALS,
    DURATION_SECONDS_CEL,
    DURATION_SHAPE,
    LONGEST,
    NUMBER,
    SHORTEST,
    UNIT_SECONDS,
    Refusal,
    check_text,
    in_order,
    refused,
    sum_of_units,
    within_bounds,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

WORD_SECONDS: Final = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800}
"""From start to start, like every interval; not a time of day."""

_MINUTES_SECONDS: Final = ":[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?"
_CLOCK_AFTER_DAYS: Final = f"(?:[01]?[0-9]|2[0-3]){_MINUTES_SECONDS}"
_CLOCK_ALONE: Final = f"[0-9]{{1,4}}{_MINUTES_SECONDS}"
_ISO_TIME: Final = f"T(?:{in_order(tuple(NUMBER + unit for unit in 'HMS'))})"


@dataclass(frozen=True, slots=True)
class Notation:
    """One way of writing an interval."""

    name: str
    """For people."""

    shape: str
    """Regular expression without anchors, in the part that Python and RE2 share."""

    seconds: Callable[[str], int]
    """Seconds of a text that has the shape, rounded half up; may be zero or beyond the bounds."""


def _day_and_clock_seconds(text: str) -> int:
    whole, _, fraction = text.partition(".")
    *days, hours, minutes, seconds = (int(number) for number in re.findall("[0-9]+", whole))
    return sum(days) * UNIT_SECONDS["d"] + hours * 3_600 + minutes * 60 + seconds + (fraction >= "5")


def _postgres_seconds(text: str) -> int:
    return _day_and_clock_seconds(text) if ":" in text else int(text.partition(" ")[0]) * UNIT_SECONDS["d"]


NOTATIONS: Final = (
    Notation("day and clock", f"(?:{NUMBER} {_CLOCK_AFTER_DAYS}|{_CLOCK_ALONE})", _day_and_clock_seconds),
    Notation("ISO 8601", f"P(?:{NUMBER}W|{NUMBER}D(?:{_ISO_TIME})?|{_ISO_TIME})", sum_of_units),
    Notation("PostgreSQL", f"{NUMBER} days?(?:,? {_CLOCK_AFTER_DAYS})?", _postgres_seconds),
    Notation("Kubernetes", DURATION_SHAPE, sum_of_units),
    Notation("word", f"(?:{'|'.join(WORD_SECONDS)})", WORD_SECONDS.__getitem__),
)

INTERVAL_PATTERN: Final = f"^(?:{'|'.join(notation.shape for notation in NOTATIONS)})$"
"""For `pattern:` or `self.matches()` in a CRD, beside `maxLength: MAX_TEXT_LENGTH`."""

NOT_ZERO_PATTERN: Final = f"^[^.]*[1-9]|[.][5-9]|^(?:{'|'.join(WORD_SECONDS)})$"
"""Searched in a text that matches `INTERVAL_PATTERN`: found unless the interval, once rounded, is zero."""

INTERVAL_SECONDS_CEL: Final = (
    f"({DURATION_SECONDS_CEL}"
    f" + self.findAll('^[0-9]+ ').map(part, int(part.trim()) * {UNIT_SECONDS['d']}).sum()"
    " + self.findAll('[0-9]+:[0-9]+:[0-9]+').map(part, part.split(':'))"
    ".map(clock, int(clock[0]) * 3600 + int(clock[1]) * 60 + int(clock[2])).sum()"
    " + (self.matches('[.][5-9]') ? 1 : 0)"
    f" + (self in {WORD_SECONDS} ? {WORD_SECONDS}[self] : 0))"
)
"""Seconds of a text that matches `INTERVAL_PATTERN`, as CEL over `self`; guard it by `self.matches`."""

AMBIGUOUS_PATTERN: Final = "^[0-5]?[0-9]:[0-5][0-9]$"
"""A clock of two numbers: some read minutes and seconds, some hours and minutes. Never matches an interval."""

CALENDAR_UNIT_PATTERN: Final = (
    "(?i)^P[0-9WD]*[0-9][YM]|[0-9] ?(?:y|yr|year|mo|mon|month)s?(?:[^a-z]|$)|^(?:month|quarter|year|annual)ly$"
)
"""Months and years in the notations above and in words. Never matches an interval."""

REFUSALS: Final = (
    *COMMON_REFUSALS,
    Refusal(
        re.compile(AMBIGUOUS_PATTERN),
        "{quoted} is ambiguous: write '00:{text:0>5}' (minutes:seconds) or '{text}:00' (hours:minutes)",
    ),
    Refusal(
        re.compile(CALENDAR_UNIT_PATTERN),
        "{quoted} is refused because months and years have no fixed length: write days or weeks as in '30d' or '52w'",
    ),
    Refusal(
        re.compile("[0-9]:[0-9]+:[0-9]"),
        "{quoted} is not a possible clock: write hours from 0 to 23 after days and to 9999 without, minutes and seconds"
        " in two digits from 00 to 59, as in '1 06:30:00'",
    ),
)
"""In the order of asking; the first that fits speaks."""

UNREADABLE_INTERVAL: Final = (
    "{quoted} is not an interval: write it as in '24h', '1h30m', '30d', '1 00:00:00', 'P1DT12H', '1 day, 02:00:00'"
    " or 'daily'"
)


def parse_interval(text: str | int) -> timedelta:
    """Read an interval from 1 second to 366 days, both inclusive, as whole seconds (design 2.1).

    Raises `DurationError`. A number (YAML without quotes and unit) is in the type so that it can be refused.
    """
    checked = check_text(text)
    notation = next((notation for notation in NOTATIONS if re.fullmatch(notation.shape, checked)), None)
    if notation is None:
        raise refused(checked, REFUSALS, UNREADABLE_INTERVAL)
    return within_bounds(checked, notation.seconds(checked), shortest=SHORTEST, longest=LONGEST)
