"""Gates: who may hold builds back, which, and when (R32, R35).

Must not know what a build is waiting for beside them, nor how a gate is told of.

The one idea a newcomer would miss: a gate is asked about an instant and answers from its spec alone.  Its status is for
people; nothing is decided by it, so that what is shown may lag and what is held back never does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from periodicbuild.core.gate_reasons import GateReason
from periodicbuild.core.gate_status import GateStatus
from periodicbuild.core.schedules import whole_second_down
from periodicbuild.core.scopes import Scope
from periodicbuild.core.windows import closed_until, next_to_begin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.core.windows import Span, Window


ANSWERS = 256
"""Remembered: thousands of builds ask the same gates in the same second, and an answer may cost milliseconds.

Windows begin and end on whole seconds, so an answer holds for all of one.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSpec:
    """The spec of a BuildGate."""

    scope: Scope = field(default_factory=Scope)
    closed: bool = False
    windows: tuple[Window, ...] = ()
    margin: timedelta = timedelta()
    reason: str = ""
    owner: str = ""
    expires_at: datetime | None = None
    problem: str | None = None
    """Why it cannot be understood for whom it is meant or whether it is closed; nothing else is filled in then."""

    def has_expired(self, now: datetime) -> bool:
        """Tell whether it counts as absent (R35)."""
        return self.expires_at is not None and now >= self.expires_at

    def closure_at(self, now: datetime) -> Closure | None:
        """Say why it is closed; None = it is open."""
        return _closure(self, whole_second_down(now))

    def next_window(self, now: datetime) -> tuple[Window, Span] | None:
        """Give the window that begins next, unless the gate counts as absent by then."""
        return _next_window(self, whole_second_down(now))

    def next_change(self, now: datetime) -> datetime | None:
        """Give the next instant at which it says something else by itself."""
        return min(self._changes(now), default=None)

    def _changes(self, now: datetime) -> Iterator[datetime]:
        if self.has_expired(now):
            return
        if self.expires_at is not None:
            yield self.expires_at
        for window in self.windows:
            span, coming = window.span_at(now), window.span_after(now)
            if span is not None:
                yield span.end
            if coming is not None:
                yield coming.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Why a gate is closed."""

    reason: GateReason
    """Closed, InWindow or InvalidWindow."""
    window: str | None = None
    until: datetime | None = None
    """It is open again then, if nobody edits it; None = nobody knows."""


@lru_cache(ANSWERS)
def _closure(spec: GateSpec, second: datetime) -> Closure | None:
    if spec.has_expired(second):
        return None
    if spec.closed:
        return Closure(reason=GateReason.CLOSED, until=spec.expires_at)
    unreadable = next((one for one in spec.windows if one.problem is not None), None)
    if unreadable is not None:
        return Closure(reason=GateReason.INVALID_WINDOW, window=unreadable.name, until=spec.expires_at)
    until = closed_until(spec.windows, second)
    if until is None:
        return None
    window = next(one for one in spec.windows if one.span_at(second) is not None)
    return Closure(
        reason=GateReason.IN_WINDOW,
        window=window.name,
        until=until if spec.expires_at is None else min(until, spec.expires_at),
    )


@lru_cache(ANSWERS)
def _next_window(spec: GateSpec, second: datetime) -> tuple[Window, Span] | None:
    coming = next_to_begin(spec.windows, second)
    return None if coming is None or spec.has_expired(coming[1].start) else coming


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One BuildGate as last seen or written."""

    ref: ObjectRef
    resource_version: str
    generation: int
    spec: GateSpec
    status: GateStatus = field(default_factory=GateStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """All that is known of gates."""

    known: tuple[Gate, ...] = ()
    """By name."""
    problem: str | None = None
    """Why they cannot be read, where an administrator wants builds to be held back for it (R35)."""
