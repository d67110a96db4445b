"""What gates would hold back in the next hours, if nothing else intervenes.

Must not know how the answer is printed.  Slots and verdicts are the operator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import absolute
from periodicbuild.cli.upcoming import coming_starts
from periodicbuild.core.holds import ask_gates
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.gates import Gates
    from periodicbuild.core.holds import Hold

MOST = 2_000
"""Slots of one PeriodicBuild that are looked through: one each minute for a day and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """The slots of one PeriodicBuild that would not start when they could."""

    build: PeriodicBuild
    slots: int
    """That come in that time, the one that waits included."""
    held: tuple[tuple[datetime, Hold], ...]
    """When each could start, soonest first, and what holds it."""


def held_back(builds: Iterable[PeriodicBuild], gates: Gates, now: datetime, until: datetime) -> Iterator[HeldBack]:
    """Give the PeriodicBuilds of which at least one slot would be held back."""
    for build in builds:
        starts = tuple(_starts(build, now, until))
        asked = ((start, ask_gates(gates, build, start).hold) for start in starts)
        held = tuple((start, hold) for start, hold in asked if hold is not None)
        if held:
            yield HeldBack(build=build, slots=len(starts), held=held)


def _starts(build: PeriodicBuild, now: datetime, until: datetime) -> Iterator[datetime]:
    if build.is_deleting:
        return
    if build.status.waiting is not None:
        yield now
    for one in coming_starts(build, now, MOST):
        if one.starts_at > until:
            return
        yield max(now, one.starts_at)


def held_back_table(found: Sequence[HeldBack]) -> Table:
    """Give a row for each PeriodicBuild: how many of its slots, the first of them, and why."""
    rows = tuple(
        (
            Cell(one.build.ref.namespace),
            Cell(one.build.ref.name),
            Cell(f"{len(one.held)} of {one.slots}", Mood.UNSURE),
            Cell(absolute(one.held[0][0])),
            Cell(one.held[0][1].blocker.value),
            Cell(one.held[0][1].text),
        )
        for one in found
    )
    return Table(columns=("NAMESPACE", "NAME", "HELD BACK", "FIRST", "REASON", "BY"), rows=rows)


def held_back_document(found: Iterable[HeldBack]) -> list[dict[str, Any]]:
    """Give the same for programs, slot by slot."""
    return [
        {
            "namespace": one.build.ref.namespace,
            "name": one.build.ref.name,
            "slots": one.slots,
            "heldBack": [
                {
                    "startTime": instant_text(start),
                    "reason": hold.blocker.value,
                    "gate": hold.gate,
                    "message": hold.text,
                }
                for start, hold in one.held
            ],
        }
        for one in found
    ]
