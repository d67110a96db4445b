"""What a simulation came to, for people and for programs.

Must not know how it came about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from periodicbuild.cli.ledger_rows import DECISION_MOODS
from periodicbuild.cli.slot_times import local_text
from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import absolute
from periodicbuild.core.reasons import Decision
from periodicbuild.core.schedules import SECOND
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from periodicbuild.core.ledger import Ruling
    from periodicbuild.core.schedules import Schedule
    from periodicbuild.core.simulation import Simulation


def simulation_document(simulation: Simulation) -> dict[str, Any]:
    """Give every slot by itself, oldest first, and the one that waits at the end."""
    schedule, waiting = simulation.build.spec.schedule, simulation.waiting
    return {
        "slots": [
            {
                "slotTime": instant_text(slot),
                "decision": ruling.fate.decision.value,
                "reason": ruling.fate.value,
                "startTime": None if ruling.started_at is None else instant_text(ruling.started_at),
            }
            for slot, ruling in slots_of(simulation.rulings, schedule)
        ],
        "waiting": None
        if waiting is None
        else {
            "slotTime": instant_text(waiting.slot),
            "reason": waiting.reason.value,
            "sinceTime": instant_text(waiting.since_at),
        },
    }


def simulation_table(simulation: Simulation) -> Table:
    """Give a row per slot."""
    schedule = simulation.build.spec.schedule
    has_clock = schedule.pattern is not None
    rows = [
        (
            Cell(instant_text(slot)),
            *([Cell(local_text(slot, schedule))] if has_clock else []),
            Cell(ruling.fate.decision.value, DECISION_MOODS.get(ruling.fate.decision, Mood.PLAIN)),
            Cell(ruling.fate.value),
            Cell(absolute(ruling.started_at)),
        )
        for slot, ruling in slots_of(simulation.rulings, schedule)
    ]
    columns = ("SLOT", *(["BY ITS CLOCK"] if has_clock else []), "DECISION", "REASON", "STARTS")
    return Table(columns=columns, rows=tuple(rows))


def simulation_summary(simulation: Simulation) -> str:
    """Count the fates, and tell what waits at the end."""
    rulings, waiting = simulation.rulings, simulation.waiting
    counts = {one: sum(ruling.count for ruling in rulings if ruling.fate.decision is one) for one in Decision}
    due = sum(counts.values()) + (waiting is not None)
    parts = [f"{counts[one]} {one.lower()}" for one in Decision] + [f"{int(waiting is not None)} waiting"]
    still = "" if waiting is None else f"; {instant_text(waiting.slot)} waits at the end: {waiting.reason}"
    return f"{due} due = {' + '.join(parts)}{still}"


def slots_of(rulings: Iterable[Ruling], schedule: Schedule) -> Iterator[tuple[datetime, Ruling]]:
    """Take rulings on several neighbouring slots apart."""
    for ruling in rulings:
        slot: datetime | None = ruling.slot
        while slot is not None and slot <= ruling.last_slot:
            yield slot, ruling
            slot = schedule.pattern.first_after(slot) if schedule.pattern is not None else slot + SECOND
