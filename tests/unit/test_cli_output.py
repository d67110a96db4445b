"""What goes to a terminal, what into a pipe, and what to programs."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta

import pytest

from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.tables import Cell, Mood, Table, one_line, print_tables
from periodicbuild.cli.times import relative, span

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
FIVE_MINUTES_AGO = datetime(2026, 11, 25, 2, 55, tzinfo=UTC)
IN_AN_HOUR = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
AT_TWO_TEXT = "2026-11-25T02:00:00Z"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=59, microseconds=999), "59s"),
        (timedelta(minutes=5, seconds=1), "5m1s"),
        (timedelta(hours=3, seconds=59), "3h"),
        (timedelta(days=3, hours=4, minutes=59), "3d4h"),
        (timedelta(seconds=-61), "1m1s"),
    ],
)
def test_a_length_is_told_by_its_two_largest_units(length: timedelta, text: str) -> None:
    assert span(length) == text


def test_an_instant_is_told_by_how_far_it_is_from_now() -> None:
    assert (relative(IN_AN_HOUR, NOW), relative(FIVE_MINUTES_AGO, NOW), relative(NOW, NOW)) == (
        "in 1h",
        "5m ago",
        "0s ago",
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\t and tabs", "two lines and tabs"),
        ("red \x1b[31malert\x07", r"red \x1b[31malert\x07"),
        ("[bold]no markup[/bold]", "[bold]no markup[/bold]"),
        ("Größe 5 µm", "Größe 5 µm"),
    ],
)
def test_no_text_of_the_cluster_steers_the_terminal(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_pipe_gets_plain_lines_that_are_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    rows = ((Cell("a"), Cell("-")), (Cell("longer"), Cell(long)))

    print_tables(Table(columns=("NAME", "MESSAGE"), rows=rows), Table(title="Two:", columns=("", ""), rows=rows[:1]))

    assert capsys.readouterr().out == f"NAME    MESSAGE\na       -\nlonger  {long}\n\nTwo:\na  -\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, table: Table, **environment: str) -> str:
    """Give what a terminal gets."""
    terminal = Terminal()
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", terminal)
    print_tables(table)
    return terminal.getvalue()


A_LONG_MESSAGE = "word " * 20
CALM = Table(columns=("", ""), rows=((Cell("n" * 40), Cell(A_LONG_MESSAGE)),))


def test_a_terminal_with_room_gets_the_last_column_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = on_a_terminal(monkeypatch, CALM, COLUMNS="80").splitlines()

    assert first.startswith("n" * 40 + "  word word")
    assert others
    assert max(map(len, [first, *others])) <= 80


def test_a_terminal_that_is_too_narrow_wraps_the_lines_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = on_a_terminal(monkeypatch, CALM, COLUMNS="60").splitlines()

    assert line.split() == ["n" * 40, *A_LONG_MESSAGE.split()]


def test_colours_are_for_terminals_of_people_who_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    alarming, red = Table(columns=("NAME",), rows=((Cell("nightly", Mood.BAD),),)), "\x1b[1;31m"

    assert red in on_a_terminal(monkeypatch, alarming)
    assert red not in on_a_terminal(monkeypatch, alarming, NO_COLOR="1")


def test_scripts_in_yaml_are_blocks_that_can_be_edited(capsys: pytest.CaptureFixture[str]) -> None:
    print_document({"command": ["sh", "-c", "make\nmake install\n"], "when": AT_TWO_TEXT}, Format.YAML)

    assert capsys.readouterr().out == (
        "command:\n- sh\n- -c\n- |\n  make\n  make install\n" + f"when: '{AT_TWO_TEXT}'\n"
    )
