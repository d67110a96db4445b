"""The command line: `python -m tests.budget [--calibrate N]`.

What is over its limit is measured again, up to three times: a machine may be busy, but not always in the same place.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from tests.bench.ground import own_cluster
from tests.budget.budgets import judge, read_budgets, write_rounds
from tests.budget.measure import Ground
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.levels import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.budget.budgets import Verdict

TRIES = 3
FEWEST_ROUNDS = 2
"""A band needs something to disagree."""
OVER = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and judge; the exit status is 1 if something costs more than it may."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    status = _measure(options.calibrate)
    say(f"That took {time.monotonic() - began:.0f} s, with the cluster.")
    return status


def _measure(rounds: int | None) -> int:
    try:
        with own_cluster(Level.CONTROL_PLANE, collects_garbage=False) as cluster:
            ground = Ground(cluster)
            if rounds:
                write_rounds([ground.measure() for _ in range(rounds)])
                return 0
            verdicts = _judged(ground)
    except (ClusterError, TimeoutError) as error:
        say(f"error: {error}")
        return OVER
    Console().print(_table(verdicts))
    return 0 if all(verdict.is_kept for verdict in verdicts) else OVER


def _judged(ground: Ground) -> list[Verdict]:
    tries: list[dict[str, float]] = []
    verdicts: list[Verdict] = []
    while len(tries) < TRIES:
        tries.append(ground.measure())
        verdicts = judge(read_budgets(), tries)
        over = [verdict.id for verdict in verdicts if not verdict.is_kept]
        if not over:
            break
        say(f"Over the limit in try {len(tries)} of {TRIES}: {', '.join(over)}.")
    return verdicts


def _table(verdicts: Sequence[Verdict]) -> Table:
    table = Table("what", "measured", "limit", "lid", "")
    for one in verdicts:
        numbers = (f"{number:.3g}" for number in (one.value, one.budget.limit, one.budget.lid))
        table.add_row(one.budget.what, *numbers, "ok" if one.is_kept else "OVER")
    return table


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) < FEWEST_ROUNDS:
        raise argparse.ArgumentTypeError(f"{text} rounds make no band: give at least {FEWEST_ROUNDS}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.budget", description="What a change may cost.")
    parser.add_argument("--calibrate", type=_rounds, metavar="N", help="measure N rounds and write the bands anew")
    return parser


if __name__ == "__main__":
    sys.exit(main())
