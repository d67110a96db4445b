"""Cron expressions of exactly five fields (R7).

cronsim reads the fields, with Debian's meaning; when their times come is `local_days`.  It is asked field by field, so
that a mistake is named with its position, and so that what is readable but never due is not called unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cronsim import CronSim, CronSimError

from periodicbuild.core.local_days import Follows, Pattern
from periodicbuild.core.zones import zone_named

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LENGTH: Final = 128
NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
FIELDS: Final = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31"),
    ("month", "1-12 or JAN-DEC"),
    ("day of week", "0-7 or SUN-SAT"),
)
_ANY_INSTANT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class CronError(ValueError):
    """An expression that cannot be read; its text names the position and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A cron expression by the clock of a zone; there is no slot if this version cannot read one of the two."""

    expression: str
    """Normalised: five fields, one space between them, upper case."""
    time_zone: str

    def text(self) -> str:
        """Render for people, as in `30 2 * * 1-5 Europe/Berlin`."""
        return f"{self.expression} {self.time_zone}"

    def pattern(self) -> Pattern | None:
        """Return the slots, None if zone or expression cannot be read."""
        return _pattern(self)


def normal_expression(text: str) -> str:
    """Return the five fields with single spaces and nicknames written out; raises `CronError` (R7)."""
    fields = _five_fields(text)
    for position, field in enumerate(fields):
        _read_alone(position, field)
    return " ".join(fields)


@lru_cache(maxsize=4_096)
def _pattern(cron: Cron) -> Pattern | None:
    zone = zone_named(cron.time_zone)
    try:
        minute, hour, day, month, weekday = _five_fields(cron.expression)
        reads = [_read_alone(position, field) for position, field in enumerate((minute, hour, day, month, weekday))]
    except CronError:
        return None
    if zone is None:
        return None
    # Without its month no combination of the other fields is impossible, so cronsim refuses none.
    dates = CronSim(f"0 0 {day} * {weekday}", _ANY_INSTANT)
    is_elapsed = minute.startswith("*") or hour.startswith("*")
    return Pattern(
        zone=zone,
        times=tuple(60 * h + m for h in sorted(reads[1].hours) for m in sorted(reads[0].minutes)),
        months=frozenset(reads[3].months),
        is_on=dates.match_day,
        follows=Follows.ELAPSED if is_elapsed else Follows.CLOCK,
    )


def _five_fields(text: str) -> Sequence[str]:
    if len(text) > MAX_LENGTH:
        raise CronError(f"the expression has {len(text)} characters: write at most {MAX_LENGTH}")
    words = text.split()
    if len(words) == 1 and words[0].startswith("@"):
        if words[0] not in NICKNAMES:
            raise CronError(f"'{words[0]}' is not known: write five fields, or one of {', '.join(NICKNAMES)}")
        words = NICKNAMES[words[0]].split()
    if words and words[0].startswith(("CRON_TZ=", "TZ=")):
        raise CronError(f"'{words[0]}' does not belong here: write the zone into timeZone, beside expression")
    if len(words) != len(FIELDS):
        raise CronError(_wrong_number(text, words))
    return [word.upper() if word.isascii() else word for word in words]


def _wrong_number(text: str, words: Sequence[str]) -> str:
    names = ", ".join(name for name, _ in FIELDS)
    if len(words) > len(FIELDS):
        return f"'{text}' has {len(words)} fields, too many from '{words[len(FIELDS)]}' on: write five ({names})"
    missing = FIELDS[len(words)][0]
    return f"'{text}' has {len(words)} fields, the {_ordinal(len(words))} ({missing}) is missing: write five ({names})"


def _read_alone(position: int, field: str) -> CronSim:
    """Read one field as if the others were any."""
    fields = ["*"] * len(FIELDS)
    fields[position] = field
    try:
        if not field.isascii():  # cronsim would take a long s for an S
            raise CronSimError
        return CronSim(" ".join(fields), _ANY_INSTANT)
    except CronSimError as error:
        name, values = FIELDS[position]
        remedy = "use spread instead" if field.startswith("H") else f"write {values}, *, lists, ranges or steps"
        raise CronError(f"the {_ordinal(position)} field ({name}) cannot be '{field}': {remedy}") from error


def _ordinal(index: int) -> str:
    return ("first", "second", "third", "fourth", "fifth")[index]
