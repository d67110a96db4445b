"""Windows of a gate: stretches of time in which it is closed, once or again and again (design 2.3).

Must not know gates.

The one idea a newcomer would miss: a window lasts an elapsed time and ends where the next instant is open again.  So
one that begins before a change of the clock ends an hour sooner or later by the wall clock, and never twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.schedules import LAST_INSTANT, SECOND, whole_second_down

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from periodicbuild.core.crons import Cron

LONGEST_CHAIN = 100
"""Windows that follow each other without a gap are looked through as far as this; then it is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time: `start` is in it, `end` is not."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A span of one length that begins with each slot of a cron expression."""

    cron: Cron
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A window that cannot be understood, which counts as closed (R35)."""

    why: str
    """A sentence that names field, value and remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window under the name that people gave it."""

    name: str
    when: Span | Recurring | Unreadable

    def span_at(self, instant: datetime) -> Span | None:
        """Give the span that holds an instant; of overlapping ones that which ends last."""
        match self.when:
            case Span():
                return self.when if self.when.start <= instant < self.when.end else None
            case Recurring(cron=cron, lasts=lasts):
                pattern = cron.pattern()
                until = whole_second_down(instant) + SECOND
                start = None if pattern is None else pattern.last_before(until, after=instant - lasts)
                return None if start is None else _span(start, lasts)
            case _:
                return None

    def span_after(self, instant: datetime) -> Span | None:
        """Give the first span that begins later; None if there is none."""
        match self.when:
            case Span():
                return self.when if self.when.start > instant else None
            case Recurring(cron=cron, lasts=lasts):
                pattern = cron.pattern()
                start = None if pattern is None else pattern.first_after(instant)
                return None if start is None else _span(start, lasts)
            case _:
                return None

    def is_never_due(self, instant: datetime) -> bool:
        """Tell whether it recurs by its words, and never begins."""
        return isinstance(self.when, Recurring) and self.span_at(instant) is None and self.span_after(instant) is None

    @property
    def problem(self) -> str | None:
        """Say why it cannot be understood."""
        return self.when.why if isinstance(self.when, Unreadable) else None


def _span(start: datetime, lasts: timedelta) -> Span:
    return Span(start=start, end=start + min(lasts, LAST_INSTANT - start))


def closed_until(windows: Iterable[Window], instant: datetime) -> datetime | None:
    """Give the first instant at which no window holds any more; None if none holds now."""
    windows, until = tuple(windows), None
    for _ in range(LONGEST_CHAIN):
        ends = [span.end for one in windows if (span := one.span_at(until or instant)) is not None]
        if not ends:
            break
        until = max(ends)
    return until


def next_to_begin(windows: Iterable[Window], instant: datetime) -> tuple[Window, Span] | None:
    """Give the window that begins next, strictly later, with its span; None if none will."""
    coming = [(one, span) for one in windows if (span := one.span_after(instant)) is not None]
    return min(coming, key=lambda pair: (pair[1].start, pair[0].name), default=None)
