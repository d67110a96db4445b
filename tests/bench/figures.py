"""docs/figures.json: every published figure, written by the command that measures it and never by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tests.bench.catalogue import BY_ID
from tests.bench.machine import machine, today

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "figures.json"

DIGITS = 3
"""Significant ones: the same machine does not repeat itself better than that."""


class UnknownGoalError(ValueError):
    """A goal is neither `<= number` nor `>= number`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value, with all that a reader needs to doubt it."""

    id: str
    value: float
    unit: str
    goal: str | None
    command: str
    date: str
    machine: str

    @classmethod
    def of(cls, id_: str, value: float) -> Figure:
        """Give a figure measured here and today; raises KeyError for an id that the catalogue does not know."""
        known = BY_ID[id_]
        return cls(
            id=id_,
            value=float(f"{value:.{DIGITS}g}"),
            unit=known.unit,
            goal=known.goal,
            command=known.command,
            date=today(),
            machine=machine(),
        )

    @property
    def is_met(self) -> bool:
        """Tell whether the goal is met; without a goal there is nothing to miss."""
        if self.goal is None:
            return True
        comparison, _, bound = self.goal.partition(" ")
        match comparison:
            case "<=":
                return self.value <= float(bound)
            case ">=":
                return self.value >= float(bound)
        raise UnknownGoalError(f"the goal of {self.id} is {self.goal!r}; write `<= number` or `>= number`")

    @property
    def text(self) -> str:
        """Give value and unit for people."""
        return f"{self.value:g} {self.unit}".rstrip()


def measured(values: Mapping[str, float]) -> list[Figure]:
    """Give the figures of values by id."""
    return [Figure.of(id_, value) for id_, value in values.items()]


def read_figures(file: Path = FILE) -> list[Figure]:
    """Read all published figures; none where there is no file yet."""
    return msgspec.json.decode(file.read_bytes(), type=list[Figure]) if file.exists() else []


def publish(new: Iterable[Figure], file: Path = FILE) -> None:
    """Put figures in the place of those with the same id; all others stay."""
    figures = {figure.id: figure for figure in (*read_figures(file), *new)}
    file.write_bytes(encoded([figures[id_] for id_ in sorted(figures)]))


def encoded(figures: Sequence[Figure]) -> bytes:
    """Give the bytes of the file: one figure per line, so that a diff shows which one changed."""
    lines = (msgspec.json.encode(figure).decode() for figure in figures)
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()
