"""The faults in force, and what they have done.

Must not know HTTP.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.faults.script import Fault, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault has done its work once."""

    fault: Fault
    seen: Seen
    """What it struck."""


@dataclass(slots=True, eq=False)
class Armed:
    """One fault in force."""

    fault: Fault
    matches: int = field(default=0, init=False)
    _lifted: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def wait(self, seconds: float | None = None) -> None:
        """Wait so long, or until the fault is lifted."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._lifted.wait(), seconds)

    def lift(self) -> None:
        """Let go of all that waits for it."""
        self._lifted.set()


@dataclass(slots=True)
class Arsenal:
    """All faults in force, in the order of the script."""

    tell: Callable[[Strike], None] = lambda _: None
    """Called for each strike."""
    strikes: list[Strike] = field(default_factory=list, init=False)
    _armed: list[Armed] = field(default_factory=list, init=False)

    def add(self, fault: Fault) -> Armed:
        """Put a fault in force."""
        armed = Armed(fault)
        self._armed.append(armed)
        return armed

    def lift(self, *lifted: Armed) -> None:
        """Put faults out of force, and let go of all that waits for them; without any named, all."""
        for armed in lifted or tuple(self._armed):
            armed.lift()
            self._armed.remove(armed)

    @contextmanager
    def during(self, *faults: Fault) -> Iterator[None]:
        """Keep faults in force for as long as the context lasts."""
        armed = [self.add(fault) for fault in faults]
        try:
            yield
        finally:
            self.lift(*(one for one in armed if one in self._armed))

    def strike(self, seen: Seen) -> list[Armed]:
        """Let every fault count this, and give those whose turn it is."""
        struck = [armed for armed in self._armed if self._is_struck(armed, seen)]
        for armed in struck:
            strike = Strike(armed.fault, seen)
            self.strikes.append(strike)
            self.tell(strike)
        return struck

    @staticmethod
    def _is_struck(armed: Armed, seen: Seen) -> bool:
        if armed.fault.is_about_events is not bool(seen.event) or not armed.fault.match.fits(seen):
            return False
        armed.matches += 1
        return armed.fault.strikes(armed.matches)
