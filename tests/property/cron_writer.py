"""A grammar of cron expressions that knows what it means by each field it writes.

It knows nothing of the code under test and nothing of zones; what it means is Debian's reading, with cronsim's
additions (`L`, `LW`, `5L`, `5#2`) and its reading of `5-5/2`, a step from one value to the end of the field.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from periodicbuild.core.local_days import DAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

MONTHS: Final = ("", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
NAMES: Final = {12: MONTHS, 7: WEEKDAYS}
"""By the highest value of a field."""

OnDate = tuple[str, "Callable[[date], bool]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An expression, and what its writer means by it."""

    text: str
    times: frozenset[int]
    """Minutes of the day."""
    months: frozenset[int]
    day: Callable[[date], bool]
    weekday: Callable[[date], bool]

    @property
    def is_wild(self) -> bool:
        """Debian: whether it follows elapsed time."""
        minute, hour, *_ = self.text.split()
        return minute[0] == "*" or hour[0] == "*"

    def has(self, that: date) -> bool:
        """Debian: both of the days must match if one begins with a star, otherwise one is enough."""
        day, _, weekday = self.text.split()[2:]
        both = all if "*" in day[0] + weekday[0] else any
        return that.month in self.months and both([self.day(that), self.weekday(that)])


class Writer(Random):
    """Writes schedules."""

    def values(self, low: int, high: int) -> tuple[str, set[int]]:
        """Write one term of a list, or a star."""
        if self.random() < 0.25:
            return "*", set(range(low, high + 1))
        first, last = sorted((self.randint(low, high), self.randint(low, high)))
        step = self.randint(1, high)
        kind = self.randrange(5)
        if kind == 0:
            return f"*/{step}", set(range(low, high + 1, step))
        if kind == 1:
            return f"{self.name(first, high)}-{self.name(last, high)}", set(range(first, last + 1))
        if kind == 2 and first < last:
            return f"{first}-{last}/{step}", set(range(first, last + 1, step))
        if kind == 3:
            return f"{first}/{step}", set(range(first, high + 1, step))
        return self.name(first, high), {first}

    def name(self, value: int, high: int) -> str:
        """Write a month or a day of the week by name now and then."""
        names = NAMES.get(high, ())
        return names[value] if value < len(names) and self.random() < 0.3 else str(value)

    def field(self, low: int, high: int) -> tuple[str, set[int]]:
        """Write a star or a list of terms."""
        terms = [self.values(low, high) for _ in range(self.choice([1, 1, 1, 2, 3]))]
        if any(text == "*" for text, _ in terms):
            terms = [("*", set(range(low, high + 1)))]
        return ",".join(text for text, _ in terms), set().union(*(values for _, values in terms))

    def day(self) -> OnDate:
        """Write days of the month; now and then the last, or the last working day."""
        special = self.random()
        if special < 0.06:
            return "L", lambda that: (that + DAY).month != that.month
        if special < 0.1:
            return "LW", is_last_working_day
        text, values = self.field(1, 31)
        return text, lambda that: that.day in values

    def weekday(self) -> OnDate:
        """Write days of the week; now and then the last or the n-th of a month."""
        special, value, nth = self.random(), self.randint(0, 7), self.randint(1, 5)
        if special < 0.04:
            return f"{value}L", lambda that: is_on(that, value) and (that + 7 * DAY).month != that.month
        if special < 0.08:
            return f"{value}#{nth}", lambda that: is_on(that, value) and (that.day - 1) // 7 + 1 == nth
        text, values = self.field(0, 7) if special < 0.6 else ("*", set(range(8)))
        return text, lambda that: any(is_on(that, one) for one in values)

    def expression(self) -> Written:
        """Write all five fields."""
        (minute, minutes), (hour, hours) = self.field(0, 59), self.field(0, 23)
        (day, is_day), (weekday, is_weekday) = self.day(), self.weekday()
        month, months = self.field(1, 12) if self.random() < 0.3 else ("*", set(range(1, 13)))
        return Written(
            text=f"{minute} {hour} {day} {month} {weekday}",
            times=frozenset(60 * h + m for h in hours for m in minutes),
            months=frozenset(months),
            day=is_day,
            weekday=is_weekday,
        )


def is_on(that: date, weekday: int) -> bool:
    return that.isoweekday() % 7 == weekday % 7


def is_last_working_day(that: date) -> bool:
    following = [that + n * DAY for n in (1, 2, 3)]
    return that.weekday() < 5 and not any(one.month == that.month and one.weekday() < 5 for one in following)
