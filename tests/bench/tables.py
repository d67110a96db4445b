"""Tables of figures: into the docs, between markers that name them, and onto the screen.

The one idea a newcomer would miss: a page says which figures it wants, by their ids, in a comment.  So every page of
the docs that shows figures is rendered by the same code, and a test can tell a stale one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.table import Table
from tests.bench.catalogue import BY_ID
from tests.bench.figures import ROOT, Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGES = tuple(ROOT / "docs" / f"{page}.md" for page in ("performance", "reliability", "contest", "security", "alerts"))

BLOCK = re.compile(r"<!-- figures: (?P<ids>[^>]*?) -->\n.*?<!-- end of figures -->", re.DOTALL)
"""From the marker that names ids, separated by spaces, to its end."""

HEAD = ("| What | Measured | Goal | Id |", "|---|---|---|---|")


def render_page(text: str, figures: Sequence[Figure]) -> str:
    """Return the page with every table rendered anew."""
    by_id = {figure.id: figure for figure in figures}
    return BLOCK.sub(lambda block: _block(block["ids"].split(), by_id), text)


def _block(ids: Sequence[str], by_id: Mapping[str, Figure]) -> str:
    shown = [by_id[id_] for id_ in ids if id_ in by_id]
    rows = [_row(figure) for figure in shown]
    lines = [f"<!-- figures: {' '.join(ids)} -->", "", *HEAD, *rows, "", *_origins(shown), "<!-- end of figures -->"]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    goal = goal_text(figure.goal)
    missed = "" if figure.is_met else " (missed)"
    return f"| {BY_ID[figure.id].what} | **{figure.text}**{missed} | {goal} | `{figure.id}` |"


def _origins(figures: Sequence[Figure]) -> list[str]:
    """Say once for all rows of one origin how, when and where they were measured."""
    origins = dict.fromkeys((figure.command, figure.date, figure.machine) for figure in figures)
    return [f"`{command}`, {date}, {machine}." for command, date, machine in origins] + [""] * bool(origins)


def goal_text(goal: str | None) -> str:
    """Give a goal in words; empty without one."""
    return (goal or "").replace("<=", "at most").replace(">=", "at least")


def screen_table(figures: Sequence[Figure]) -> Table:
    """Give the table for the terminal."""
    table = Table("what", "measured", "goal", "")
    for figure in figures:
        verdict = "" if figure.goal is None else "ok" if figure.is_met else "MISSED"
        table.add_row(BY_ID[figure.id].what, figure.text, goal_text(figure.goal), verdict)
    return table
