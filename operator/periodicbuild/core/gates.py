"""Gates: who may hold builds back, which, and when (R32, R35).

Must not know what a build is waiting for beside them, nor how a gate is told of.

The one idea a newcomer would miss: a gate is asked about an instant and answers from its spec alone.  Its status is for
people; nothing is decided by it, so that what is shown may lag and what is held back never does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.gate_reasons import GateReason
from periodicbuild.core.gate_status import GateStatus
from periodicbuild.core.scopes import Scope
from periodicbuild.core.windows import closed_until, next_to_begin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from periodicbuild.core.notices import ObjectRef
    from periodicbuild.core.windows import Span, Window


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
        if self.has_expired(now):
            return None
        if self.closed:
            return Closure(reason=GateReason.CLOSED, until=self.expires_at)
        unreadable = next((one for one in self.windows if one.problem is not None), None)
        if unreadable is not None:
            return Closure(reason=GateReason.INVALID_WINDOW, window=unreadable.name, until=self.expires_at)
        until = closed_until(self.windows, now)
        if until is None:
            return None
        window = next(one for one in self.windows if one.span_at(now) is not None)
        return Closure(
            reason=GateReason.IN_WINDOW,
            window=window.name,
            until=until if self.expires_at is None else min(until, self.expires_at),
        )

    def next_window(self, now: datetime) -> tuple[Window, Span] | None:
        """Give the window that begins next, unless the gate counts as absent by then."""
        coming = next_to_begin(self.windows, now)
        return None if coming is None or self.has_expired(coming[1].start) else coming

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
