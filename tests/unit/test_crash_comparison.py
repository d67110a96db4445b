"""What a play with a kill is held against: each kind of damage is seen, and called by its name."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tests.crash.arena import OfKind, Outcome, Point
from tests.crash.comparison import compare
from tests.crash.history import Attempt, History
from tests.crash.states import Slots, differences
from tests.crash.sweep import Judged, Sweep, all_points
from tests.faults.effects import When
from tests.faults.script import Seen

from periodicbuild.kube.paths import Target

FIRST = Attempt("team", "job", "20261125-023000", 1)
SECOND = Attempt("team", "job", "20261126-023000", 1)
TOLD = "RunFailed of job (slot 1)"
FAILED = ("Warning", "BuildFailed", "job")
STARTED = ("Normal", "BuildStarted", "job")
SLOTS = {"due": 1, "started": 1, "skipped": 0, "missed": 0}
CALM = Outcome(
    point=None,
    struck="",
    writes=("create appservers job-(slot 1)-1", "patch periodicbuilds/status job"),
    slots=Slots([("job", "job-20261125-023000-1 and job-20261126-023000-1")]),
    state={"PeriodicBuild job": {"slots": SLOTS, "ledger": ["Started"], "epoch": 1}, "Service": {"app": "job"}},
    events=Counter({FAILED: 1, STARTED: 1}),
    letters={TOLD: frozenset({"<1@x>"})},
    history=History(app_servers=Counter({FIRST: 1}), pods=Counter({FIRST: 1})),
    complaints=(),
    seconds=1.0,
)


def a_state(**status: Any) -> dict[str, Any]:
    return CALM.state | {"PeriodicBuild job": CALM.state["PeriodicBuild job"] | status}


def a_history(**app_servers: int) -> History:
    counts = Counter({{"first": FIRST, "second": SECOND}[which]: count for which, count in app_servers.items()})
    return History(app_servers=counts, pods=Counter())


DAMAGES = {
    "an attempt is not made": (replace(CALM, history=a_history()), ["lost: job-(slot 1)-1"]),
    "a step never comes": (replace(CALM, complaints=("never",)), ["lost: never"]),
    "a mail is not sent": (replace(CALM, letters={}), [f"lost: {TOLD}"]),
    "an attempt is made twice": (
        replace(CALM, history=a_history(first=2)),
        ["doubled: the AppServer of job-20261125-023000-1 was created 2 times"],
    ),
    "an attempt too many": (replace(CALM, history=a_history(first=1, second=1)), ["doubled: job-(slot 2)-1"]),
    "a mail under two ids": (
        replace(CALM, letters={TOLD: frozenset({"<1@x>", "<2@x>"})}),
        [f"doubled: {TOLD} has 2 ids"],
    ),
    "a mail too many": (replace(CALM, letters={**CALM.letters, "B": frozenset({"<2@x>"})}), ["doubled: B"]),
    "a slot has another fate": (
        replace(CALM, state=a_state(ledger=["Missed"])),
        ["unaccounted: PeriodicBuild job.ledger[0]: Missed in place of Started"],
    ),
    "counters do not add up": (
        replace(CALM, state=a_state(slots=SLOTS | {"due": 2})),
        [
            "unaccounted: PeriodicBuild job.slots.due: 2 in place of 1",
            f"unaccounted: PeriodicBuild job: {SLOTS | {'due': 2}}",
        ],
    ),
    "a warning too many": (
        replace(CALM, events=CALM.events + Counter({FAILED: 1})),
        ["false warning: BuildFailed of job"],
    ),
    "an event too many": (
        replace(CALM, events=CALM.events + Counter({STARTED: 1})),
        ["different: an Event too many: BuildStarted of job"],
    ),
    "an event of what has not been": (
        replace(CALM, events=CALM.events + Counter({("Normal", "BuildRecovered", "job"): 1})),
        ["different: an Event too many: BuildRecovered of job"],
    ),
    "another selector": (
        replace(CALM, state=CALM.state | {"Service": {"app": "web"}}),
        ["different: Service.app: web in place of job"],
    ),
    "an object is not there": (
        replace(CALM, state={"PeriodicBuild job": CALM.state["PeriodicBuild job"]}),
        ["different: Service.app: nothing in place of job"],
    ),
}


@pytest.mark.parametrize(("play", "sentences"), DAMAGES.values(), ids=list(DAMAGES))
def test_it_is_seen_that(play: Outcome, sentences: list[str]) -> None:
    findings = compare(CALM, play)

    assert findings.sentences() == sentences
    assert not findings.is_clean


def test_the_same_is_clean_and_so_is_one_event_less() -> None:
    findings = compare(CALM, replace(CALM, events=Counter({FAILED: 1})))

    assert findings.is_clean
    assert findings.untold == ("BuildStarted of job",)


def test_a_list_that_grows_is_a_difference() -> None:
    assert differences({"a": [1]}, {"a": [1, {"b": 2}]}) == ["a[1].b: 2 in place of nothing"]


def test_a_value_that_is_empty_is_not_one_that_is_missing() -> None:
    assert differences({"a": {}, "b": 1}, {"b": 1}) == ["a: nothing in place of {}"]


def test_slots_have_numbers_in_their_order_for_each_build() -> None:
    slots = Slots([("job", "job-20261126-000000-1 20261125-000000"), ("web", ["20261127-000000"])])

    assert [slots.numbered_name(name) for name in ("job-20261126-000000-1", "web-20261127-000000-2", "by-hand")] == [
        "job-(slot 2)-1",
        "web-(slot 1)-2",
        "by-hand",
    ]
    assert slots.numbered("job", "run 20261125-000000") == "run (slot 1)"


def test_both_sides_of_every_write_are_points() -> None:
    assert [str(point) for point in all_points(CALM)] == [
        "before write 1",
        "after write 1",
        "before write 2",
        "after write 2",
    ]


def test_a_kind_of_write_is_missed_unless_it_was_met_on_both_sides() -> None:
    create, patch = CALM.writes
    kills = [(When.BEFORE, create), (When.AFTER, create), (When.BEFORE, patch), (When.AFTER, "")]
    plays = [replace(CALM, point=Point(when), struck=struck) for when, struck in kills]

    done = Sweep(CALM, tuple(Judged(play, compare(CALM, play)) for play in plays))

    assert len(done.struck) == 3
    assert done.missed == [(When.AFTER, patch)]
    assert done.points_left == [Point(When.AFTER, 1, OfKind(kind=patch))]


def test_what_was_missed_is_met_by_the_how_many_th_of_its_kind_it_is() -> None:
    writes = ("create pods job-(slot 1)-1", "create pods job-(slot 1)-2", "create pods job-(slot 2)-1")
    again = {"metadata": {"name": "job-20261126-023000-1"}}

    *_, left = Sweep(replace(CALM, writes=writes), ()).points_left

    assert str(left) == "after write 2 of create pods job-(slot)-1"
    assert left.match.fits(Seen(target=Target("create", "pods", "team"), body=json.dumps(again).encode()))
