"""The plug-in about gates: what is changed, what would be held back, and whether it is safe."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.builders import SLOT, a_build, a_schedule, a_spec, at
from tests.builders.gates import a_gate, once, unreadable
from tests.builders.looks import a_status, a_wait
from tests.builders.patterns import HOURLY, ONE, a_pattern_build

from periodicbuild.cli.gate_edits import BY_HAND, Closing, closed_spec, manifest_of, opened_spec, patch_of
from periodicbuild.cli.gate_summary import gates_table, safety_document, safety_of
from periodicbuild.cli.gates import GateDocument, document_of
from periodicbuild.cli.held_back import held_back, held_back_document, held_back_table
from periodicbuild.core.gate_status import BlockingBuild, GateStatus
from periodicbuild.core.gates import Gates
from periodicbuild.core.reasons import Blocker
from periodicbuild.core.status import Condition

NOW = at(SLOT)
LATER = "2026-11-24T04:30:00Z"
FREEZE = {"name": "freeze", "recurring": {"cron": "0 22 * * 5", "duration": "8h"}}
OURS = {"name": BY_HAND, "once": {"startTime": "2026-11-24T02:30:00Z", "endTime": LATER}}


def a_document(**spec: Any) -> GateDocument:
    """Give a gate as the API sends it."""
    return document_of(msgspec.json.encode({"metadata": {"name": "rollout", "resourceVersion": "7"}, "spec": spec}))


CLOSINGS: dict[str, tuple[GateDocument | None, Closing, dict[str, Any]]] = {
    "a new one": (
        None,
        Closing(reason="upgrade", owner="me"),
        {"closed": True, "windows": [], "reason": "upgrade", "owner": "me"},
    ),
    "a new one, for two hours": (
        None,
        Closing(until=at("2026-11-24T04:30:00"), reason="upgrade"),
        {"closed": False, "windows": [OURS], "reason": "upgrade"},
    ),
    "one with windows": (a_document(windows=[FREEZE]), Closing(), {"closed": True, "windows": [FREEZE]}),
    "one that was closed by hand until another time": (
        a_document(windows=[{**OURS, "once": {}}, FREEZE]),
        Closing(until=at("2026-11-24T04:30:00")),
        {"closed": False, "windows": [FREEZE, OURS]},
    ),
    "one that has expired": (
        a_document(expireTime="2026-11-24T02:00:00Z"),
        Closing(),
        {"closed": True, "windows": [], "expireTime": None},
    ),
    "one that would expire": (
        a_document(expireTime="2026-12-24T02:00:00Z"),
        Closing(),
        {"closed": True, "windows": [], "expireTime": None},
    ),
    "one that would expire before the end that is asked for": (
        a_document(expireTime="2026-11-24T03:30:00Z"),
        Closing(until=at(LATER)),
        {"closed": False, "windows": [OURS], "expireTime": None},
    ),
    "one that expires later": (
        a_document(expireTime="2026-11-24T05:30:00Z"),
        Closing(until=at(LATER)),
        {"closed": False, "windows": [OURS]},
    ),
}


@pytest.mark.parametrize(("found", "closing", "spec"), CLOSINGS.values(), ids=list(CLOSINGS))
def test_closing_leaves_windows_alone_and_ends_when_it_should(
    found: GateDocument | None, closing: Closing, spec: dict[str, Any]
) -> None:
    assert closed_spec(found, NOW, closing) == spec


def test_opening_takes_back_what_was_closed_by_hand() -> None:
    found = a_document(closed=True, windows=[FREEZE, OURS])
    edit = opened_spec(found)
    assert edit == {"closed": False, "windows": [FREEZE]}
    assert patch_of(found, edit) == {"metadata": {"resourceVersion": "7"}, "spec": edit}


def test_a_new_gate_is_about_everything() -> None:
    assert manifest_of("rollout", {"closed": True}) == {
        "apiVersion": "periodicbuild.dev/v1alpha1",
        "kind": "BuildGate",
        "metadata": {"name": "rollout"},
        "spec": {"closed": True},
    }


def test_slots_that_would_be_held_back_are_found_ahead() -> None:
    hourly = a_pattern_build(cursor=ONE)
    window = a_gate("rollout", once("2026-11-24T05:30:00", "2026-11-24T07:30:00"))
    quick = replace(hourly, spec=a_spec(schedule=HOURLY, estimated_duration=timedelta(minutes=45)))
    free = a_build(name="free", spec=a_spec(schedule=a_schedule(enabled=False)))
    (one,) = held_back([quick, free], Gates(known=(window,)), at("2026-11-24T01:30:00"), at("2026-11-24T09:00:00"))
    assert one.slots == 8
    assert [(f"{start:%H:%M}", hold.blocker) for start, hold in one.held] == [
        ("05:00", Blocker.ROLLOUT_IMMINENT),
        ("06:00", Blocker.GATE_CLOSED),
        ("07:00", Blocker.GATE_CLOSED),
    ]
    (row,) = held_back_table([one]).rows
    assert [cell.text for cell in row[:5]] == ["team-a", "nightly", "3 of 8", "2026-11-24T05:00:00Z", "RolloutImminent"]
    (document,) = held_back_document([one])
    assert document["heldBack"][1] == {
        "startTime": "2026-11-24T06:00:00Z",
        "reason": "GateClosed",
        "gate": "rollout",
        "message": "gate rollout (platform@example.com: database upgrade) is closed by window upgrade until"
        " 2026-11-24T07:30:00Z",
    }


def test_a_slot_that_waits_now_and_one_that_is_due_count_from_now() -> None:
    waiting = a_build(status=a_status(waiting=a_wait(reason=Blocker.GATE_CLOSED)))
    overdue = a_pattern_build(cursor=ONE)
    deleted = a_build(is_deleting=True, status=waiting.status)
    now = at("2026-11-24T02:45:00")
    found = list(held_back([waiting, overdue, deleted], Gates(known=(a_gate(closed=True),)), now, now))
    assert [(one.slots, [start for start, _ in one.held]) for one in found] == [(1, [now]), (1, [now])]


def answered(status: str, reason: str, *, generation: int = 1, blocking: int = 0, named: int = 0) -> GateStatus:
    """Give the operator's answer."""
    condition = Condition(
        type="Safe", status=status, reason=reason, message="it says", observed_generation=generation, changed_at=NOW
    )
    one = BlockingBuild(namespace="apps", name="openedx", app_server="openedx-1", estimated_end_at=at(LATER))
    return GateStatus(conditions=(condition,), blocking_count=blocking, blocking_builds=(one,) * named)


SAFETY = {
    "no answer yet": (a_gate(), False, "the operator has not answered this spec of gate rollout yet: is it up?"),
    "an answer to an older spec": (
        a_gate(generation=2, closed=True, status=answered("True", "NothingInProgress")),
        False,
        "the operator has not answered this spec of gate rollout yet: is it up?",
    ),
    "safe": (a_gate(closed=True, status=answered("True", "NothingInProgress")), True, "gate rollout: it says"),
    "it has opened since": (
        a_gate("rollout", once("2026-11-24T01:00:00", SLOT), status=answered("True", "NothingInProgress")),
        False,
        "gate rollout is open, so builds may start at any time",
    ),
    "something is being built": (
        a_gate(closed=True, status=answered("False", "BuildsInProgress", blocking=1, named=1)),
        False,
        "gate rollout: it says (1 PeriodicBuilds: apps/openedx until about 2026-11-24T04:30:00Z)",
    ),
    "more than are named": (
        a_gate(closed=True, status=answered("False", "BuildsInProgress", blocking=3, named=1)),
        False,
        "gate rollout: it says (3 PeriodicBuilds: apps/openedx until about 2026-11-24T04:30:00Z and 2 more)",
    ),
}


@pytest.mark.parametrize(("gate", "is_safe", "sentence"), SAFETY.values(), ids=list(SAFETY))
def test_only_an_answer_to_this_spec_says_that_it_is_safe(gate: Any, sentence: str, *, is_safe: bool) -> None:
    """R34."""
    safety = safety_of(gate, NOW)
    assert (safety.is_safe, safety.sentence) == (is_safe, sentence)
    assert safety_document(gate, safety)["safe"] == is_safe


NOW_CELLS = {
    "open": (a_gate(), "open", "-"),
    "closed": (a_gate(closed=True), "closed", "-"),
    "in a window": (a_gate("g", once(SLOT, LATER)), "closed by upgrade", LATER),
    "unreadable": (a_gate("g", unreadable()), "closed by broken", "-"),
    "expired": (a_gate(closed=True, expires=SLOT), "expired", "-"),
    "not understood": (a_gate(problem="spec.scope: no object"), "not understood", "-"),
}


@pytest.mark.parametrize(("gate", "text", "until"), NOW_CELLS.values(), ids=list(NOW_CELLS))
def test_a_gate_is_a_line(gate: Any, text: str, until: str) -> None:
    (row,) = gates_table([gate], NOW).rows
    assert (row[1].text, row[2].text) == (text, until)


def test_a_line_tells_the_next_window_and_whom_to_ask() -> None:
    (row,) = gates_table([a_gate("g", once("2026-11-24T03:00:00", LATER), owner="")], NOW).rows
    assert [cell.text for cell in row[6:]] == ["2026-11-24T03:00:00Z (in 30m)", "-", "database upgrade"]
