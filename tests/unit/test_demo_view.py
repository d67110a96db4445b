"""What the demo draws: from values to the text on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console, RenderableType
from rich.text import Text
from tests.demo.chapters import CHAPTERS, chapter
from tests.demo.closing import Kept, closing, where_to_look_next
from tests.demo.observation import Attempt, Build, Fate, Notice, Observation, Run, Slots
from tests.demo.showing import Lines
from tests.demo.spawn import Effect, Spawn, effect, effect_in_words, may_ask
from tests.demo.view import Frame, screen
from tests.demo.words import doing, next_slot

SLOT = datetime(2026, 11, 25, 4, 35, 0, tzinfo=UTC)
NOW = SLOT + timedelta(seconds=20)
NEXT = SLOT + timedelta(seconds=40)
RUN = "20261125-043500"

STARTED = Fate(slot=SLOT, decision="Started", reason="Due", run=RUN, outcome="", outcome_reason="", count=1)
FAILED = replace(STARTED, outcome="Failed", outcome_reason="RetriesUsedUp")

BUILD = Build(
    name="nightly",
    enabled=True,
    schedule="every 40s",
    attempts=3,
    next_slot=NEXT,
    anchor_at=SLOT,
    slots=Slots(due=1, started=1),
    waits_for="",
    runs=(),
    ledger=(FAILED,),
    handled_token="",
)
OFF = replace(
    BUILD, name="off", enabled=False, next_slot=None, anchor_at=None, slots=Slots(), ledger=(), schedule="every 24h"
)
ATTEMPT = Attempt(
    name=f"nightly-{RUN}-1",
    build="nightly",
    trigger="Schedule",
    run=RUN,
    number=1,
    state="ConfigurationFailed",
    created_at=SLOT,
    why="container build ended with exit code 7",
    failure="Build, NonZeroExit, exit code 7",
)
NOTICE = Notice(
    key="one", at=SLOT, reason="AttemptFailed", about=ATTEMPT.name, note="Attempt 1 has failed", is_warning=True
)
SEEN = Observation(builds=(BUILD, OFF), attempts=(ATTEMPT,), notices=(NOTICE,))
FRAME = Frame(
    seen=SEEN, now=NOW, elapsed_seconds=20, total_seconds=120, title="on a real node", words=Text("Watch this.")
)


def drawn(renderable: RenderableType, width: int = 120) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def line_with(lines: list[str], start: str) -> str:
    return next(line for line in lines if line.startswith(start))


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


def test_the_ledger_has_a_line_per_slot_oldest_first_under_its_sum() -> None:
    waiting = replace(BUILD, ledger=(replace(STARTED, slot=NEXT, run="later"), FAILED), waits_for="StartRate")
    waiting = replace(waiting, slots=Slots(due=3, started=2))

    lines = drawn(closing(Observation(builds=(waiting,), attempts=(ATTEMPT,)), None, 0))

    assert "nightly  every 40s   3 due = 2 started + 0 skipped + 0 missed + 1 that waits" in lines
    assert [line.split() for line in lines if "Due" in line] == [
        ["04:35:00", "Started", "Due", RUN, "1", "Failed", "(RetriesUsedUp)"],
        ["04:35:40", "Started", "Due", "later", "-", "in", "progress"],
    ]


def test_an_entry_of_several_slots_says_how_many() -> None:
    skipped = replace(STARTED, decision="Skipped", reason="NoChanges", run="", count=31)

    lines = drawn(closing(Observation(builds=(replace(BUILD, ledger=(skipped,)),)), None, 0))

    assert "04:35:00 and 30 more" in line_with(lines, "  04:35:00")


def test_a_ledger_without_entries_says_why() -> None:
    assert any("Nothing was due" in line for line in drawn(closing(Observation(builds=(OFF,)), None, 0)))


@pytest.mark.parametrize("unaccounted", [0, 2])
def test_the_recount_is_shown_whatever_it_says(unaccounted: int) -> None:
    assert any(line.endswith(f": {unaccounted}") for line in drawn(closing(SEEN, None, unaccounted)))


REQUEST = "now"
SPAWN = Spawn(token=REQUEST, before=NEXT)
TAKEN_UP = replace(BUILD, handled_token=REQUEST, anchor_at=NOW, next_slot=NOW + timedelta(seconds=40))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (TAKEN_UP, Effect(before=NEXT, started_at=NOW, after=NOW + timedelta(seconds=40))),
        (BUILD, None),
        (replace(TAKEN_UP, next_slot=NEXT), None),
        (replace(TAKEN_UP, next_slot=None), None),
        (None, None),
    ],
    ids=["taken up", "not taken up", "not moved", "a slot waits", "not seen"],
)
def test_a_run_by_hand_has_its_effect_when_the_next_slot_has_moved(
    build: Build | None, expected: Effect | None
) -> None:
    assert effect(SPAWN, build) == expected


def test_the_effect_of_a_run_by_hand_is_told_with_the_slot_before_and_after() -> None:
    words = effect_in_words(Effect(before=NEXT, started_at=NOW, after=NOW + timedelta(seconds=40))).plain

    assert "the next slot was 04:35:40, now it is 04:36:00 = 04:35:20 + 40 s" in words


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (BUILD, True),
        (replace(BUILD, runs=(Run(id=RUN, attempt=1, next_attempt_at=None),)), False),
        (replace(BUILD, waits_for="StartRate"), False),
        (replace(BUILD, next_slot=NOW + timedelta(seconds=1)), False),
        (OFF, False),
        (None, False),
    ],
    ids=["quiet", "in progress", "a slot waits", "about to start", "switched off", "not seen"],
)
def test_a_run_by_hand_is_asked_for_in_a_quiet_moment(build: Build | None, expected: bool) -> None:  # noqa: FBT001 - a table case
    assert may_ask(build, NOW) == expected


@pytest.mark.parametrize(("part", "number"), [(0, 0), (0.12, 1), (0.5, 2), (1.5, 3)])
def test_each_part_of_the_story_has_its_words(part: float, number: int) -> None:
    assert chapter(part) == CHAPTERS[number][1]


def test_a_cluster_that_stays_is_told_with_lines_to_copy() -> None:
    kept = Kept(
        kubeconfig=Path("/some where/admin.yaml"),
        kubectl=Path("/built/kubectl"),
        clean_up=("remove-it",),
        operator_ends=True,
    )

    lines = where_to_look_next(kept).plain.splitlines()

    assert "export KUBECONFIG='/some where/admin.yaml'" in lines
    assert "kubectl -n demo get periodicbuilds" in lines
    assert any("-m periodicbuild run" in line for line in lines)
    assert lines[-1] == "remove-it"


def test_a_cluster_that_goes_is_told_with_the_way_to_keep_it() -> None:
    lines = where_to_look_next(None).plain.splitlines()

    assert "make demo ARGS=--keep" in lines
    assert not any("export KUBECONFIG" in line for line in lines)
