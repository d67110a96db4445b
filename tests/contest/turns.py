"""One turn, as it is written down and published: what one contestant did in one round of one scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tests.contest.slots import Lag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Of one process, in the minutes that count."""

    cpu_seconds: float
    peak_mb: float


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was measured."""

    scenario: str
    round: int
    contestant: str
    is_first: bool
    """It had the fresh API server of the round; the other one came second."""
    date: str
    commit: str
    machine: str
    kubernetes: str
    load: float
    """Of the machine before the turn: processes that wanted to run, on average over a minute."""
    schedules: int
    due: int
    started: int
    doubled: int
    """Slots with more than one child."""
    explained: int
    """Slots without a child of which a record says why."""
    lost: int
    """Slots without a child and without a word."""
    warnings: int
    """Warning Events at the end, repetitions counted."""
    lag: Lag | None
    """Until the first child, a Job or an AppServer; None = nothing has started."""
    lag_of_bodies: Lag | None
    """Until the pod; for Jobs the same."""
    p99_by_minute: list[float | None]
    catch_up_seconds: float | None
    """From the start of the controller after an absence until the last child for a slot before it."""
    kills: int
    requests: dict[str, float]
    """Per run, by verb and resource."""
    controller: Costs
    api_server: Costs
    etcd: Costs

    @property
    def requests_per_run(self) -> float:
        """Give the sum."""
        return sum(self.requests.values())


def read_turns(file: Path) -> list[Turn]:
    """Read all turns; none where there is no file yet."""
    return msgspec.json.decode(file.read_bytes(), type=list[Turn]) if file.exists() else []


def write_turns(file: Path, turns: Iterable[Turn]) -> None:
    """Replace the file at once: one turn per line, so that a diff shows which one changed."""
    lines = (msgspec.json.encode(turn).decode() for turn in turns)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    unfinished.rename(file)


def rounds_of(turns: Sequence[Turn], scenario: str) -> dict[int, dict[str, Turn]]:
    """Give the turns of a scenario, by round and contestant; rounds in which one is missing are left out."""
    found: dict[int, dict[str, Turn]] = {}
    for turn in turns:
        if turn.scenario == scenario:
            found.setdefault(turn.round, {})[turn.contestant] = turn
    return {number: pair for number, pair in sorted(found.items()) if len(pair) > 1}
