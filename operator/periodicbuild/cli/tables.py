"""Tables on a terminal, and into a pipe.

Must not know what is in them.

The one idea a newcomer would miss: a pipe gets plain lines that are never wrapped, whatever their length; a terminal
gets colours, and only the last column is folded into what room there is, so that names can always be copied.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

GAP: Final = 2
"""Spaces between columns; texts have no two in a row, so a program can tell columns apart."""

NARROWEST_FOLD: Final = 30
"""Columns that a folded text needs to be readable; below that the terminal may wrap the lines itself."""

UNBOUNDED: Final = 100_000
"""Wider than any line."""


class Mood(StrEnum):
    """How a cell looks to whoever can see colours; the words alone must do, too."""

    PLAIN = ""
    GOOD = "green"
    BAD = "bold red"
    UNSURE = "yellow"
    QUIET = "dim"


class Cell(NamedTuple):
    """One text in a table."""

    text: str
    mood: Mood = Mood.PLAIN


Fact = tuple[str, Cell]
"""A label, and what it tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns."""

    columns: tuple[str, ...]
    """In capitals; all empty = no header line."""
    rows: tuple[tuple[Cell, ...], ...]
    title: str = field(default="")


def print_tables(*tables: Table) -> None:
    """Print tables one after the other, an empty line between them."""
    for position, table in enumerate(tables):
        if position:
            click.echo()
        if table.title:
            click.echo(table.title)
        _print(table)


def one_line(text: str) -> str:
    """Make a text from the cluster harmless: no line breaks, and nothing that steers a terminal."""
    return "".join(_visible(character) for character in " ".join(text.split()))


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _print(table: Table) -> None:
    if sys.stdout.isatty():
        screen = Console()
        has_room = screen.width >= _narrowest(table)
        Console(width=screen.width if has_room else UNBOUNDED).print(_rich(table), crop=False)
        return
    for line in _plain_lines(table):
        click.echo(line)


def _plain_lines(table: Table) -> Iterator[str]:
    """Write lines without rich, which takes a second for every thousand of them."""
    lines = [[one_line(cell.text) for cell in row] for row in table.rows]
    if any(table.columns):
        lines.insert(0, list(table.columns))
    widths = [max(map(cell_len, column)) + GAP for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True))
        yield "".join(padded).rstrip()


def _narrowest(table: Table) -> int:
    """Give the width in which only the last column has to be folded."""
    columns = list(zip(table.columns, *([cell.text for cell in row] for row in table.rows), strict=True))[:-1]
    return sum(max(map(cell_len, column)) + GAP for column in columns) + NARROWEST_FOLD


def _rich(table: Table) -> RichTable:
    grid = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=any(table.columns))
    for column in table.columns[:-1]:
        grid.add_column(column, no_wrap=True)
    grid.add_column(table.columns[-1], overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(one_line(cell.text), style=cell.mood.value) for cell in row))
    return grid
