"""Round after round: both contestants on one new API server, in alternating order, and every round is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.cluster.console import say
from tests.contest.cron_jobs import CronJobs
from tests.contest.ground import ground, namespace_names
from tests.contest.periodic_builds import PeriodicBuilds
from tests.contest.play import play
from tests.contest.stage import ContestError, Stage
from tests.contest.turns import read_turns, rounds_of, write_turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.contest.scenarios import Scenario
    from tests.contest.turns import Turn

CONTESTANTS = (PeriodicBuilds, CronJobs)
PAIR_SECONDS = 25.0
"""To start and to end a cluster, and to clear it between two turns."""


def order(number: int) -> tuple[type[PeriodicBuilds | CronJobs], ...]:
    """Give who is first in a round: A B, B A, A B, and so on."""
    return CONTESTANTS if number % 2 else CONTESTANTS[::-1]


def play_round(scenario: Scenario, number: int) -> list[Turn]:
    """Give the turns of both, in the order in which they were played."""
    turns: list[Turn] = []
    with ground(namespace_names(scenario.namespaces)) as cluster:
        for make in order(number):
            contestant = make(cluster, scenario)
            say(f"{scenario.id}, round {number} of {scenario.rounds}: {contestant.name}.")
            stage = Stage(cluster=cluster, contestant=contestant, scenario=scenario, round=number, is_first=not turns)
            turns.append(asyncio.run(play(stage)))
            say(told(turns[-1]))
    return turns


def told(turn: Turn) -> str:
    """Say in a line what a turn was like."""
    lag = "nothing started" if turn.lag is None else f"p50 {turn.lag.p50:.2f} s, p99 {turn.lag.p99:.2f} s"
    return (
        f"  {turn.started:,} of {turn.due:,} started, {turn.doubled} doubled, {turn.explained} explained, "
        f"{turn.lost} lost; {lag}; {turn.requests_per_run:.1f} requests per run; "
        f"{turn.controller.cpu_seconds:.1f} s of CPU, {turn.controller.peak_mb:.0f} MB."
    )


@dataclass(slots=True)
class Plan:
    """Which rounds are still to be played, and how long that takes."""

    file: Path
    rounds: list[tuple[Scenario, int]]
    outdated: set[str] = field(default_factory=set)
    """Scenarios whose rounds on disk go as soon as there is a new one."""

    @classmethod
    def of(cls, scenarios: Sequence[Scenario], file: Path, *, resume: bool) -> Plan:
        """Plan all rounds or, to resume, those that the file does not have."""
        done = read_turns(file) if resume else []
        rounds = [
            (scenario, number)
            for scenario in scenarios
            for number in range(1, scenario.rounds + 1)
            if number not in rounds_of(done, scenario.id)
        ]
        return cls(file, rounds, set() if resume else {scenario.id for scenario in scenarios})

    def play(self) -> None:
        """Play all; each round is on disk before the next one begins."""
        left = sum(_seconds(scenario) for scenario, _ in self.rounds)
        for scenario, number in self.rounds:
            say(f"{left / 60:.0f} minutes to go.")
            self.keep(_play_patiently(scenario, number))
            left -= _seconds(scenario)

    def keep(self, turns: Sequence[Turn]) -> None:
        """Put a round on disk."""
        played = {turn.scenario for turn in turns}
        kept = [turn for turn in read_turns(self.file) if turn.scenario not in played & self.outdated]
        self.outdated -= played
        write_turns(self.file, [*kept, *turns])


def _play_patiently(scenario: Scenario, number: int) -> list[Turn]:
    """Play a round, and once more if a turn of it did not count: hours of others should not end with it."""
    try:
        return play_round(scenario, number)
    except ContestError as error:
        say(f"{error}; once more.")
        return play_round(scenario, number)


def _seconds(scenario: Scenario) -> float:
    return PAIR_SECONDS + 2 * scenario.seconds
