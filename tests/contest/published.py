"""The figures that come out of the contest, for docs/figures.json and its goals."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.contest.turns import rounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.contest.turns import Turn

    Pair = dict[str, Turn]

OURS = "periodicbuild"
THEIRS = "cronjob"
NEVER_SECONDS = 86_400.0
"""The lag where nothing has started: a day, so that whoever starts nothing does not look quick."""


def figures_of(turns: Sequence[Turn]) -> dict[str, float]:
    """Give the figures of the scenarios that were played."""
    small, large = _pairs(turns, "herd-100-at-20"), _pairs(turns, "herd-1000-at-500")
    apart, calm = _pairs(turns, "namespaces-100"), _pairs(turns, "no-herd")
    figures: dict[str, float] = {}
    if small:
        figures["herd-100-at-20-p99-seconds"] = _median(small, OURS, _p99)
        figures["cronjob-100-at-20-p99-seconds"] = _median(small, THEIRS, _p99)
        figures["herd-100-at-20-requests-per-run"] = _median(small, OURS, _requests)
        figures["cronjob-100-at-20-requests-per-run"] = _median(small, THEIRS, _requests)
    if large:
        figures["herd-1000-at-500-p99-over-cronjob"] = max(_p99(pair[OURS]) / _p99(pair[THEIRS]) for pair in large)
        figures["herd-1000-at-500-last-over-first"] = statistics.median(_growth(pair[OURS]) for pair in large)
        figures["cronjob-1000-at-500-last-over-first"] = statistics.median(_growth(pair[THEIRS]) for pair in large)
    if calm:
        figures["no-herd-p99-seconds"] = _median(calm, OURS, _p99)
        figures["cronjob-no-herd-p99-seconds"] = _median(calm, THEIRS, _p99)
    if together := _of_the_commits_of(apart, large):
        figures["namespace-cpu-ratio"] = _apartness(_median(together, OURS, _cpu) / _median(apart, OURS, _cpu))
        figures["cronjob-namespace-cpu-ratio"] = _median(together, THEIRS, _cpu) / _median(apart, THEIRS, _cpu)
    return figures


def _pairs(turns: Sequence[Turn], scenario: str) -> list[Pair]:
    return list(rounds_of(turns, scenario).values())


def _of_the_commits_of(some: Sequence[Pair], others: Sequence[Pair]) -> list[Pair]:
    """Give those of the others that were played at the commits of some: with another day comes another machine."""
    commits = {pair[OURS].commit for pair in some}
    return [pair for pair in others if pair[OURS].commit in commits]


def _median(pairs: Sequence[Pair], contestant: str, value: Callable[[Turn], float]) -> float:
    return statistics.median(value(pair[contestant]) for pair in pairs)


def _p99(turn: Turn) -> float:
    return NEVER_SECONDS if turn.lag is None else turn.lag.p99


def _requests(turn: Turn) -> float:
    return turn.requests_per_run


def _cpu(turn: Turn) -> float:
    return turn.controller.cpu_seconds


def _growth(turn: Turn) -> float:
    """Tell by how much the lag of the last minute exceeds that of the first."""
    first, last = (NEVER_SECONDS if lag is None else lag for lag in (turn.p99_by_minute[0], turn.p99_by_minute[-1]))
    return last / first


def _apartness(ratio: float) -> float:
    """Give how far apart two are, whichever is the larger."""
    return max(ratio, 1 / ratio)
