"""The time that passes in a history, and what the clocks of the machines make of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from periodicbuild.core.facts import Now

BEGIN = datetime(2026, 11, 24, 9, 59, 58, 400_000, tzinfo=UTC)
TRUSTED = timedelta(seconds=60)
DATE_HEADER = timedelta(milliseconds=700)
"""The steady clock starts at the API server's `Date`, which has whole seconds: it may lag behind by almost one."""


@dataclass(slots=True)
class Clocks:
    """The time that passes, and what each clock makes of it."""

    elapsed: timedelta = timedelta()
    api_step: timedelta = timedelta()
    wall_step: timedelta = timedelta()
    """Of the replica that leads."""
    steady_step: timedelta = -DATE_HEADER
    others_wall_step: timedelta = timedelta()
    """Of the replica that does not lead."""
    others_steady_step: timedelta = -DATE_HEADER

    @property
    def api(self) -> datetime:
        """Read the API server's clock."""
        return BEGIN + self.elapsed + self.api_step

    @property
    def now(self) -> Now:
        """Read the operator's clocks."""
        return Now(wall=BEGIN + self.elapsed + self.wall_step, steady=BEGIN + self.elapsed + self.steady_step)

    @property
    def is_trusted(self) -> bool:
        """Tell whether wall clock and API server agree to a minute (R9)."""
        return abs(self.wall_step - self.api_step) <= TRUSTED

    def restart_process(self) -> None:
        """Start the steady clock anew at the API server's time."""
        self.steady_step = self.api_step - DATE_HEADER

    def step(self, api_step: timedelta) -> None:
        """Set the wall clock of every machine."""
        change = api_step - self.api_step
        self.api_step += change
        self.wall_step += change
        self.others_wall_step += change

    def exchange(self) -> None:
        """Let the clocks of the other replica be those that are read."""
        self.wall_step, self.others_wall_step = self.others_wall_step, self.wall_step
        self.steady_step, self.others_steady_step = self.others_steady_step, self.steady_step
