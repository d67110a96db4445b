"""docs/contest.md: its tables are made from docs/contest.json, between markers that name a scenario.

Must not measure anything.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.figures import ROOT
from tests.contest.turns import rounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.contest.turns import Turn

PAGE = ROOT / "docs" / "contest.md"
BLOCK = re.compile(r"<!-- contest: (?P<id>\S+) -->\n.*?<!-- end of contest -->", re.DOTALL)
"""From the marker that names a scenario to its end."""
COLUMNS = {"cronjob": "CronJob controller", "periodicbuild": "this operator"}
HEAD = (f"| | {' | '.join(COLUMNS.values())} |", "|---|---|---|")


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity of a table."""

    what: str
    value: Callable[[Turn], float | None]
    """None = the turn has nothing to say of it."""
    is_count: bool = False
    """Counts are added up over the rounds; of anything else the median and the range are shown."""


ROWS = (
    Row("slots due", lambda turn: turn.due, is_count=True),
    Row("... started", lambda turn: turn.started, is_count=True),
    Row("... started twice", lambda turn: turn.doubled, is_count=True),
    Row("... not started, and a record says why", lambda turn: turn.explained, is_count=True),
    Row("... **lost**: not started, and not a word", lambda turn: turn.lost, is_count=True),
    Row("lag of the started, p50, s", lambda turn: turn.lag.p50 if turn.lag else None),
    Row("... p99, s", lambda turn: turn.lag.p99 if turn.lag else None),
    Row("... max, s", lambda turn: turn.lag.max if turn.lag else None),
    Row("... p99 of the first minute, s", lambda turn: turn.p99_by_minute[0]),
    Row("... p99 of the last minute, s", lambda turn: turn.p99_by_minute[-1]),
    Row("... in times of the first minute's", lambda turn: _growth(turn.p99_by_minute)),
    Row(
        "lag of the pods, p99, s",
        lambda turn: None if _is_one(turn) or not turn.lag_of_bodies else turn.lag_of_bodies.p99,
    ),
    Row("caught up after a return within, s", lambda turn: turn.catch_up_seconds),
    Row("SIGKILLs", lambda turn: turn.kills or None, is_count=True),
    Row("Warning Events", lambda turn: turn.warnings, is_count=True),
    Row("requests per run", lambda turn: turn.requests_per_run),
    Row("CPU of the controller, s", lambda turn: turn.controller.cpu_seconds),
    Row("... its largest memory, MB", lambda turn: turn.controller.peak_mb),
    Row("CPU of the API server, s", lambda turn: turn.api_server.cpu_seconds),
    Row("... its largest memory, MB", lambda turn: turn.api_server.peak_mb),
    Row("CPU of etcd, s", lambda turn: turn.etcd.cpu_seconds),
)


def _is_one(turn: Turn) -> bool:
    """Tell whether the child itself is what runs: there are no pods beside it."""
    return turn.contestant == "cronjob"


def _growth(lags: Sequence[float | None]) -> float | None:
    """Give the last one in times of the first; None where there is one only, or one has nothing to say."""
    first, last = lags[0], lags[-1]
    return None if len(lags) == 1 or first is None or last is None else last / first


def render_page(text: str, turns: Sequence[Turn]) -> str:
    """Return the page with every table made anew; one of a scenario that was never played says so."""
    return BLOCK.sub(lambda block: _block(block["id"], turns), text)


def _block(scenario: str, turns: Sequence[Turn]) -> str:
    lines = [f"<!-- contest: {scenario} -->", "", *_table(scenario, turns), "", "<!-- end of contest -->"]
    return "\n".join(lines)


def _table(scenario: str, turns: Sequence[Turn]) -> list[str]:
    pairs = list(rounds_of(turns, scenario).values())
    if not pairs:
        return ["Not played yet."]
    rows = [(row.what, [_cell(row, [pair[one] for pair in pairs]) for one in COLUMNS]) for row in ROWS]
    shown = [f"| {what} | {' | '.join(cells)} |" for what, cells in rows if any(cells)]
    return [*HEAD, *shown, "", *_requests(pairs), "", *_origin(scenario, pairs)]


def _cell(row: Row, turns: Sequence[Turn]) -> str:
    values = [value for turn in turns if (value := row.value(turn)) is not None]
    if not values:
        return ""
    if row.is_count:
        return f"{sum(values):,.0f}"
    middle = f"**{_short(statistics.median(values))}**"
    return middle if len(values) == 1 else f"{middle} ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _requests(pairs: Sequence[dict[str, Turn]]) -> list[str]:
    """Say what the requests are, for each contestant in one line: the median over the rounds."""
    return [f"Requests per run, {name}: {_kinds([pair[one] for pair in pairs])}.  " for one, name in COLUMNS.items()]


def _kinds(turns: Sequence[Turn]) -> str:
    kinds = {kind for turn in turns for kind in turn.requests}
    medians = {kind: statistics.median(turn.requests.get(kind, 0.0) for turn in turns) for kind in kinds}
    told = sorted(
        ((number, kind) for kind, number in medians.items() if number >= SELDOM), key=lambda one: (-one[0], one[1])
    )
    return ", ".join(f"{kind} {number:.2f}" for number, kind in told)


SELDOM = 0.005
"""Of a run: what would be shown as 0.00 is left out."""


def _origin(scenario: str, pairs: Sequence[dict[str, Turn]]) -> list[str]:
    """Say how, when and where."""
    turns = [turn for pair in pairs for turn in pair.values()]
    facts = (
        f"`make contest ARGS={scenario}`",
        _rounds(pairs),
        _each(turn.date for turn in turns),
        f"Kubernetes {_each(turn.kubernetes for turn in turns)}",
        f"commit {_each(turn.commit for turn in turns)}",
        _each(turn.machine for turn in turns),
    )
    return [f"{', '.join(facts)}; load before a turn at most {max(turn.load for turn in turns):g}."]


def _rounds(pairs: Sequence[dict[str, Turn]]) -> str:
    """Say how many, and who was first in them."""
    if len(pairs) == 1:
        return f"1 round ({next(name for one, name in COLUMNS.items() if pairs[0][one].is_first)} first)"
    ours = sum(pair["periodicbuild"].is_first for pair in pairs)
    return f"{len(pairs)} rounds ({COLUMNS['periodicbuild']} first in {ours})"


def _each(values: Iterable[str]) -> str:
    """Give every value once."""
    return ", ".join(dict.fromkeys(values))
