"""What the demo draws in the end, and what it says about the run by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.demo import BUILD, ENDING, FAILED, NEXT, NOW, OFF, RUN, STARTED, drawn, line_with
from tests.demo.closing import Ending, Kept, closing, where_to_look_next
from tests.demo.observation import Build, Observation, Run, Slots
from tests.demo.spawn import Effect, Spawn, effect, effect_in_words, may_ask


def test_the_ledger_has_a_line_per_slot_oldest_first_under_its_sum() -> None:
    waiting = replace(BUILD, ledger=(replace(STARTED, slot=NEXT, run="later"), FAILED), waits_for="StartRate")
    waiting = replace(waiting, slots=Slots(due=3, started=2))

    lines = drawn(closing(replace(ENDING, seen=Observation(builds=(waiting,)))))

    assert "nightly  every 40s   3 due = 2 started + 0 skipped + 0 missed + 1 that waits" in lines
    assert [line.split() for line in lines if "Due" in line] == [
        ["04:35:00", "Started", "Due", RUN, "1", "Failed", "(RetriesUsedUp)"],
        ["04:35:40", "Started", "Due", "later", "-", "in", "progress"],
    ]


def test_an_entry_of_several_slots_says_how_many() -> None:
    skipped = replace(STARTED, decision="Skipped", reason="NoChanges", run="", count=31)

    lines = drawn(closing(replace(ENDING, seen=Observation(builds=(replace(BUILD, ledger=(skipped,)),)))))

    assert "04:35:00 and 30 more" in line_with(lines, "  04:35:00")


def test_a_ledger_without_entries_says_why() -> None:
    assert any("Nothing was due" in line for line in drawn(closing(replace(ENDING, seen=Observation(builds=(OFF,))))))


@pytest.mark.parametrize("unaccounted", [0, 2])
def test_the_recount_is_shown_whatever_it_says(unaccounted: int) -> None:
    assert any(line.endswith(f": {unaccounted}") for line in drawn(closing(replace(ENDING, unaccounted=unaccounted))))


REQUEST = "now"
SPAWN = Spawn(token=REQUEST, before=NEXT)
EFFECT = Effect(before=NEXT, started_at=NOW, after=NOW + timedelta(seconds=40))
TAKEN_UP = replace(BUILD, handled_token=REQUEST, anchor_at=NOW, next_slot=NOW + timedelta(seconds=40))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (TAKEN_UP, EFFECT),
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
    words = effect_in_words(EFFECT).plain

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


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (replace(ENDING, effect=EFFECT), True),
        (ENDING, False),
        (replace(ENDING, effect=EFFECT, unaccounted=1), False),
    ],
    ids=["as told", "no run by hand", "a slot is lost"],
)
def test_the_demo_ends_well_if_everything_came_as_it_was_told(ending: Ending, expected: bool) -> None:  # noqa: FBT001 - a table case
    assert ending.is_good == expected


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
