"""What the demo draws while it plays: from values to the text on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console
from rich.text import Text
from tests.builders.demo import ATTEMPT, BUILD, FRAME, NOTICE, NOW, OFF, RUN, SEEN, SLOT, drawn, line_with
from tests.demo.chapters import CHAPTERS, chapter
from tests.demo.observation import Build, Run
from tests.demo.showing import Lines
from tests.demo.view import screen
from tests.demo.words import doing, next_slot


def test_a_build_stands_in_one_line_with_its_next_slot_its_counters_and_its_last_result() -> None:
    line = line_with(drawn(screen(FRAME, 120, 40)), "nightly ").split()

    assert line == ["nightly", "every", "40s", "04:35:40", "in", "20", "s", "1", "1", "0", "0", "-", "Failed"]


def test_an_attempt_stands_in_one_line_with_the_reason_of_its_failure() -> None:
    line = line_with(drawn(screen(FRAME, 120, 40)), ATTEMPT.name).split(maxsplit=4)

    assert line == [ATTEMPT.name, "Schedule", "1", "ConfigurationFailed", "Build, NonZeroExit, exit code 7"]


def test_an_event_of_an_attempt_stands_under_the_name_of_its_build() -> None:
    line = line_with(drawn(screen(FRAME, 120, 40)), "04:35:00").split(maxsplit=3)

    assert line == ["04:35:00", "AttemptFailed", "nightly", "Attempt 1 has failed"]


@pytest.mark.parametrize("count", [0, 1, 100])
def test_the_screen_has_the_same_height_however_much_there_is_to_show(count: int) -> None:
    many = replace(SEEN, attempts=(ATTEMPT,) * count, notices=(NOTICE,) * count)

    assert len(drawn(screen(replace(FRAME, seen=many), 120, 40))) == 40


def test_a_small_terminal_shows_all_builds_whole_and_something_of_everything_else() -> None:
    lucky = replace(BUILD, name="third-time-lucky")
    small = replace(
        FRAME,
        seen=replace(SEEN, builds=(lucky,) * 5, attempts=(ATTEMPT,) * 9),
        words=Text(max((each for _, each in CHAPTERS), key=len)),
    )

    lines = drawn(screen(small, 80, 24), width=80)

    assert len(lines) <= 24
    rows = [line.split() for line in lines if line.startswith("third-time-lucky ")]
    assert rows == [["third-time-lucky", "04:35:40", "in", "20", "s", "1", "1", "0", "0", "Failed"]] * 5
    assert len([line for line in lines if line.startswith(ATTEMPT.name)]) == 3
    assert any("AttemptFailed" in line for line in lines)


def test_the_newest_events_are_shown_where_not_all_fit() -> None:
    notices = tuple(replace(NOTICE, note=f"note {number}") for number in range(100))

    lines = drawn(screen(replace(FRAME, seen=replace(SEEN, notices=notices)), 120, 40))

    assert lines[-1].endswith("note 99")


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (BUILD, "04:35:40 in 20 s"),
        (replace(BUILD, next_slot=NOW), "04:35:20 is due"),
        (replace(BUILD, next_slot=None), "-"),
        (replace(BUILD, next_slot=None, waits_for="BuildInProgress"), "waits: BuildInProgress"),
        (OFF, "switched off"),
    ],
)
def test_the_next_slot_in_words(build: Build, text: str) -> None:
    assert next_slot(build, NOW).plain == text


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (Run(id=RUN, attempt=1, next_attempt_at=None), "attempt 1 of 3: ConfigurationFailed"),
        (Run(id=RUN, attempt=2, next_attempt_at=None), "attempt 2 of 3: New"),
        (Run(id="m-0123abcd", attempt=1, next_attempt_at=None), "attempt 1: New"),
        (Run(id=RUN, attempt=1, next_attempt_at=NOW + timedelta(seconds=5)), "attempt 1 failed, next in 5 s"),
        (Run(id=RUN, attempt=1, next_attempt_at=SLOT), "attempt 1 failed, next in 0 s"),
    ],
)
def test_what_a_build_does_now_in_words(run: Run, text: str) -> None:
    assert doing(replace(BUILD, runs=(run,)), (ATTEMPT,), NOW).plain == text


def test_without_a_terminal_each_state_and_each_event_is_told_once() -> None:
    console = Console(file=io.StringIO(), width=120)
    lines = Lines(console)
    done = replace(ATTEMPT, state="Completed", failure="")

    for seen in (SEEN, SEEN, replace(SEEN, attempts=(done,))):
        lines.show(replace(FRAME, seen=seen))

    assert isinstance(console.file, io.StringIO)
    assert [line for line in console.file.getvalue().splitlines() if line] == [
        "Watch this.",
        f"04:35:20  AppServer  {ATTEMPT.name}: ConfigurationFailed  Build, NonZeroExit, exit code 7",
        f"04:35:00  Event      {ATTEMPT.name}: AttemptFailed: Attempt 1 has failed",
        f"04:35:20  AppServer  {ATTEMPT.name}: Completed",
    ]


@pytest.mark.parametrize(("part", "number"), [(0, 0), (0.12, 1), (0.5, 2), (1.5, 3)])
def test_each_part_of_the_story_has_its_words(part: float, number: int) -> None:
    assert chapter(part) == CHAPTERS[number][1]
