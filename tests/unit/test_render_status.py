"""Status patches replace the whole status, on exactly the version that they were planned on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.builders import (
    SLOT,
    a_build,
    a_result,
    a_run,
    a_schedule,
    a_schedule_status,
    an_app_server,
    an_entry,
    at,
)

from periodicbuild.core.facts import AppServerStatus
from periodicbuild.core.reasons import Blocker, Fate, Outcome, State
from periodicbuild.core.status import BuildStatus, Condition, LastFailure, Slots, Waiting
from periodicbuild.kube.render import render_app_server_status_patch, render_build_status_patch

BEFORE = at("2026-11-24T02:00:00")
NOW = at("2026-11-24T02:30:00")


def status_of(status: BuildStatus) -> Any:
    return msgspec.json.decode(render_build_status_patch(a_build(), status))["status"]


def server_status(status: AppServerStatus, *, was: AppServerStatus | None = None) -> Any:
    patch = render_app_server_status_patch(an_app_server(status=was), status, NOW)
    return msgspec.json.decode(patch)["status"]


def test_a_patch_carries_the_version_it_was_planned_on() -> None:
    build_patch = msgspec.json.decode(render_build_status_patch(a_build(), BuildStatus()))
    assert build_patch["metadata"] == {"resourceVersion": "100", "uid": "uid-nightly"}
    server_patch = msgspec.json.decode(render_app_server_status_patch(an_app_server(), AppServerStatus(), NOW))
    assert server_patch["metadata"] == {"resourceVersion": "200", "uid": "uid-nightly-20261124-023000-1"}


def test_what_is_over_is_written_as_null_so_that_it_disappears() -> None:
    assert status_of(BuildStatus()) == {
        "observedGeneration": 0,
        "leaseTransitions": None,
        "schedule": None,
        "slots": None,
        "waiting": None,
        "ledger": None,
        "runs": None,
        "manual": None,
        "lastScheduled": None,
        "lastSuccess": None,
        "lastFailure": None,
        "changes": None,
        "consecutiveFailures": 0,
        "breaker": None,
        "mail": None,
        "activation": None,
        "askedActivation": None,
        "recovered": None,
        "durationsSeconds": None,
        "conditions": None,
    }


def test_a_schedule_in_force_is_written_in_full() -> None:
    status = BuildStatus(
        schedule=a_schedule_status(in_force=a_schedule(every="1 00:00:00"), epoch=4, cursor=SLOT, due_at_since=37),
        schedule_text="every 24h",
        next_slot=at("2026-11-25T02:30:00"),
        upcoming=(at("2026-11-25T02:30:00"),),
    )
    assert status_of(status)["schedule"] == {
        "inForce": {
            "enabled": True,
            "interval": {"seconds": 86400, "afterManualRun": "Restart"},
            "calendar": None,
            "cron": None,
            "notBeforeTime": None,
        },
        "epoch": 4,
        "sinceTime": "2026-11-20T00:00:00Z",
        "cursorTime": "2026-11-24T02:30:00Z",
        "anchorTime": None,
        "dueAtSince": 37,
        "usedDate": None,
        "text": "every 24h",
        "nextSlotTime": "2026-11-25T02:30:00Z",
        "upcoming": ["2026-11-25T02:30:00Z"],
    }


def test_items_of_lists_say_only_what_there_is_to_say() -> None:
    server = an_app_server()
    status = status_of(
        BuildStatus(
            slots=Slots(due=3, started=1, skipped=0, missed=1),
            waiting=Waiting(slot=at(SLOT), reason=Blocker.BUILD_IN_PROGRESS, since_at=at(SLOT)),
            ledger=(
                an_entry(outcome=Outcome.FAILED, outcome_reason="RetriesUsedUp"),
                an_entry(slot="2026-11-20", until="2026-11-23", count=4, fate=Fate.OPERATOR_DOWN),
                replace(
                    an_entry(slot="2026-11-19", fate=Fate.GATE_CLOSED), message="gate upgrade (me: disks) is closed"
                ),
            ),
            runs=(a_run(server, disruptions=1),),
        )
    )
    assert status["ledger"] == [
        {
            "slotTime": "2026-11-24T02:30:00Z",
            "epoch": 1,
            "decision": "Started",
            "reason": "Due",
            "time": "2026-11-24T02:30:00Z",
            "run": "20261124-023000",
            "outcome": "Failed",
            "outcomeReason": "RetriesUsedUp",
        },
        {
            "slotTime": "2026-11-20T00:00:00Z",
            "untilSlotTime": "2026-11-23T00:00:00Z",
            "count": 4,
            "epoch": 1,
            "decision": "Missed",
            "reason": "OperatorDown",
            "time": "2026-11-20T00:00:00Z",
        },
        {
            "slotTime": "2026-11-19T00:00:00Z",
            "epoch": 1,
            "decision": "Skipped",
            "reason": "GateClosed",
            "time": "2026-11-19T00:00:00Z",
            "message": "gate upgrade (me: disks) is closed",
        },
    ]
    assert status["runs"] == [
        {
            "id": "20261124-023000",
            "trigger": "Schedule",
            "slotTime": "2026-11-24T02:30:00Z",
            "startTime": "2026-11-24T02:30:00Z",
            "attempt": 1,
            "disruptions": 1,
            "appServer": server.ref.name,
            "uid": server.ref.uid,
        }
    ]
    assert status["waiting"] == {
        "slotTime": "2026-11-24T02:30:00Z",
        "reason": "BuildInProgress",
        "sinceTime": "2026-11-24T02:30:00Z",
        "message": None,
    }


def test_fractions_of_a_second_are_not_written() -> None:
    status = BuildStatus(next_slot=None, schedule=a_schedule_status(since="2026-11-20T00:00:00.999"))
    assert status_of(status)["schedule"]["sinceTime"] == "2026-11-20T00:00:00Z"


REASONS = {"OOMKilled": "OOMKilled", "OutOfnvidia.com/gpu": "OutOfnvidiacomgpu", "137": "Unknown", "error": "Error"}


@pytest.mark.parametrize(("said", "written"), REASONS.items())
def test_a_word_of_kubernetes_is_cut_to_what_the_definition_allows(said: str, written: str) -> None:
    failure = LastFailure(run="r", app_server="a", at=NOW, failure_class="Build", reason=said, message="")
    assert status_of(BuildStatus(last_failure=failure))["lastFailure"]["reason"] == written
    assert server_status(AppServerStatus(result=a_result(reason=said)))["result"]["reason"] == written


def test_messages_are_cut_to_1024_characters() -> None:
    condition = Condition(
        type="Ready", status="True", reason="Accepted", message="x" * 2000, observed_generation=1, changed_at=NOW
    )
    message = status_of(BuildStatus(conditions=(condition,)))["conditions"][0]["message"]
    assert (len(message), message[-4:]) == (1024, "x...")
    status = server_status(AppServerStatus(message="x" * 2000, result=a_result(message="y" * 2000)))
    assert len(status["conditions"][0]["message"]) == 1024
    assert len(status["result"]["message"]) == 1024


OUTCOMES = {
    State.NEW: "Unknown",
    State.WAITING_FOR_SERVER: "Unknown",
    State.CONFIGURING_SERVER: "Unknown",
    State.RUNNING: "True",
    State.COMPLETED: "True",
    State.TERMINATED: "True",
    State.CONFIGURATION_FAILED: "False",
    State.ERROR: "False",
    State.CANCELLED: "False",
}


@pytest.mark.parametrize("state", State)
def test_every_state_is_the_reason_of_an_outcome(state: State) -> None:
    succeeded = server_status(AppServerStatus(state=state))["conditions"][0]
    assert (succeeded["type"], succeeded["status"], succeeded["reason"]) == ("Succeeded", OUTCOMES[state], state)


READINESS = {None: ("False", "NoPod"), False: ("False", "PodNotReady"), True: ("True", "PodReady")}


@pytest.mark.parametrize(("is_ready", "said"), READINESS.items())
def test_ready_mirrors_the_pod(is_ready: bool | None, said: tuple[str, str]) -> None:  # noqa: FBT001 - a table case
    ready = server_status(AppServerStatus(is_ready=is_ready))["conditions"][1]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", *said)


def test_a_transition_time_moves_only_when_the_status_of_the_condition_does() -> None:
    was = AppServerStatus(
        state=State.CONFIGURING_SERVER, is_ready=None, succeeded_changed_at=BEFORE, ready_changed_at=BEFORE
    )

    def transitions(status: AppServerStatus) -> list[str]:
        conditions = server_status(status, was=was)["conditions"]
        return [condition["lastTransitionTime"] for condition in conditions]

    before, now = "2026-11-24T02:00:00Z", "2026-11-24T02:30:00Z"
    assert transitions(replace(was, state=State.WAITING_FOR_SERVER, is_ready=False)) == [before, before]
    assert transitions(replace(was, state=State.RUNNING, is_ready=True)) == [now, now]
    assert transitions(replace(was, state=State.RUNNING)) == [now, before]


def test_the_first_write_dates_both_conditions() -> None:
    conditions = server_status(AppServerStatus())["conditions"]
    assert [condition["lastTransitionTime"] for condition in conditions] == ["2026-11-24T02:30:00Z"] * 2


def test_a_log_tail_is_written_as_it_is_and_an_empty_one_is_none() -> None:
    """R24."""
    assert server_status(AppServerStatus(log_tail="a\nb"))["logTail"] == "a\nb"
    assert server_status(AppServerStatus())["logTail"] is None
