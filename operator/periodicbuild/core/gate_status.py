"""The status of a BuildGate as values: what people are shown, and nothing that is decided by (design 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.status import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class NextWindow:
    """The window that begins next."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockingBuild:
    """A PeriodicBuild that keeps a closed gate from being safe."""

    namespace: str
    name: str
    app_server: str | None = None
    estimated_end_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStatus:
    """Everything the operator has written about one gate; empty before the first look."""

    observed_generation: int = 0
    next_window: NextWindow | None = None
    held_back: int = 0
    blocking_count: int = 0
    blocking_builds: tuple[BlockingBuild, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of that type, if it was ever written."""
        return next((condition for condition in self.conditions if condition.type == type_), None)
