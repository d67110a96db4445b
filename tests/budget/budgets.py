"""What may be used at most, and when a measurement is over it.

The one idea a newcomer would miss: two limits.  The lid is a promise and never moves.  The band lies around what was
measured when the budget was made, and is as wide as the same machine then disagreed with itself, at least a fifth: it
catches what got worse long before the lid does, and lets a noisy machine be noisy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE = Path(__file__).with_name("budgets.json")
AT_LEAST = 0.2
"""Of the mean: how wide the band is if the rounds agreed."""
DEVIATIONS = 3
"""How wide it is if they did not."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What one thing may cost."""

    what: str
    lid: float
    """Promised, whatever the rounds were."""
    rounds: tuple[float, ...]
    """Measured when the budget was made."""

    @property
    def limit(self) -> float:
        """Give the most that passes."""
        mean = fmean(self.rounds)
        return min(self.lid, mean + max(AT_LEAST * mean, DEVIATIONS * stdev(self.rounds)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One budget, and what was measured."""

    id: str
    budget: Budget
    value: float

    @property
    def is_kept(self) -> bool:
        """Tell whether it is within the limit."""
        return self.value <= self.budget.limit


def read_budgets(file: Path = FILE) -> dict[str, Budget]:
    """Read all budgets by id."""
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Budget])


def write_rounds(rounds: Sequence[Mapping[str, float]], file: Path = FILE) -> None:
    """Put new rounds in the place of those that the bands were made of; lids stay."""
    budgets = {
        id_: msgspec.structs.replace(budget, rounds=tuple(float(f"{one[id_]:.4g}") for one in rounds))
        for id_, budget in read_budgets(file).items()
    }
    file.write_bytes(msgspec.json.format(msgspec.json.encode(budgets), indent=2) + b"\n")


def judge(budgets: Mapping[str, Budget], tries: Sequence[Mapping[str, float]]) -> list[Verdict]:
    """Judge each by its best try: noise only ever adds."""
    return [
        Verdict(id=id_, budget=budget, value=min(one[id_] for one in tries)) for id_, budget in sorted(budgets.items())
    ]
