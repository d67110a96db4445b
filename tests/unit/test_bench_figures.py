"""Published figures: complete, written by commands, and the same on the page as in the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.bench.__main__ import MEASUREMENTS
from tests.bench.catalogue import CATALOGUE
from tests.bench.figures import Figure, UnknownGoalError, measured, publish, read_figures
from tests.bench.known_contest import COMMAND
from tests.bench.known_release import RIGHTS
from tests.bench.tables import BLOCK, PAGES, render_page


def a_figure(value: float, goal: str | None = "<= 2") -> Figure:
    return replace(Figure.of("herd-1000-at-500-over-bare-client", value), goal=goal)


def test_what_is_published_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    figures = measured({"idle-5000-rss-mb": 155.926, "herd-1000-at-500-over-bare-client": 1.2345})

    publish(figures, file)

    assert read_figures(file) == sorted(figures, key=lambda figure: figure.id)


def test_a_new_value_takes_the_place_of_the_old_one_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    publish(measured({"herd-1000-at-500-over-bare-client": 3.0, "requests-per-run": 9.0}), file)

    publish(measured({"herd-1000-at-500-over-bare-client": 1.5}), file)

    assert {figure.id: figure.value for figure in read_figures(file)} == {
        "herd-1000-at-500-over-bare-client": 1.5,
        "requests-per-run": 9.0,
    }


def test_each_figure_has_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"

    publish(measured({"herd-1000-at-500-over-bare-client": 1.5, "requests-per-run": 9.0}), file)

    assert [line[:6] for line in file.read_text().splitlines()] == ["[", '{"id":', '{"id":', "]"]


def test_a_figure_is_published_with_three_digits() -> None:
    assert Figure.of("herd-1000-at-500-over-bare-client", 1.23456).value == 1.23


def test_a_figure_that_the_catalogue_does_not_know_is_not_published() -> None:
    with pytest.raises(KeyError):
        Figure.of("herd-2000-ratio", 1.0)


@pytest.mark.parametrize(
    ("value", "goal", "is_met"),
    [(2.0, "<= 2", True), (2.01, "<= 2", False), (2.0, ">= 2", True), (1.99, ">= 2", False), (99.0, None, True)],
)
def test_a_goal_is_a_bound_that_may_be_touched(value: float, goal: str | None, is_met: bool) -> None:  # noqa: FBT001 - a table's column
    assert a_figure(value, goal).is_met is is_met


def test_a_goal_that_is_no_bound_is_refused() -> None:
    with pytest.raises(UnknownGoalError):
        _ = a_figure(1.0, "about 2").is_met


def test_every_figure_of_the_catalogue_has_been_published() -> None:
    assert {known.id for known in CATALOGUE} == {figure.id for figure in read_figures()}


def test_what_is_published_says_what_the_catalogue_says() -> None:
    published = {(figure.id, figure.unit, figure.goal, figure.command) for figure in read_figures()}

    assert published == {(known.id, known.unit, known.goal, known.command) for known in CATALOGUE}


def test_the_command_of_every_figure_exists() -> None:
    commands = {f"python -m tests.bench {name}" for name in MEASUREMENTS} | {COMMAND, RIGHTS}

    assert {known.command for known in CATALOGUE} == commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_is_published(page: Path) -> None:
    text = page.read_text()

    assert render_page(text, read_figures()) == text


def test_the_pages_show_every_figure_once() -> None:
    text = "".join(page.read_text() for page in PAGES)
    shown = [id_ for block in BLOCK.finditer(text) for id_ in block["ids"].split()]

    assert sorted(shown) == sorted(known.id for known in CATALOGUE)


def test_a_missed_goal_is_shown_as_missed() -> None:
    page = render_page("<!-- figures: herd-1000-at-500-over-bare-client -->\n<!-- end of figures -->", [a_figure(2.5)])

    assert "| **2.5** (missed) | at most 2 |" in page


def test_rendering_again_changes_nothing() -> None:
    figures = [a_figure(1.5)]
    once = render_page(
        "before\n<!-- figures: herd-1000-at-500-over-bare-client -->\n<!-- end of figures -->\nafter", figures
    )

    assert render_page(once, figures) == once
