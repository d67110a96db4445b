"""What the demo reads from the JSON of kubectl."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.demo.observation import REPORTER, Attempt, Build, Fate, Notice, Observation, Run, Slots, observe

SLOT, NEXT = "2026-11-25T04:35:00Z", "2026-11-25T04:35:40Z"
SLOT_AT, NEXT_AT = datetime(2026, 11, 25, 4, 35, tzinfo=UTC), datetime(2026, 11, 25, 4, 35, 40, tzinfo=UTC)
RUN = "20261125-043500"
REQUEST = "now"

A_BUILD: dict[str, Any] = {
    "kind": "PeriodicBuild",
    "metadata": {"name": "nightly"},
    "spec": {"enabled": True, "retries": {"limit": 2}},
    "status": {
        "schedule": {"text": "every 40s", "nextSlotTime": NEXT, "anchorTime": SLOT},
        "slots": {"due": 2, "started": 1, "skipped": 0, "missed": 0},
        "waiting": {"slotTime": NEXT, "reason": "BuildInProgress"},
        "runs": [{"id": RUN, "attempt": 2, "nextAttemptTime": NEXT}],
        "ledger": [
            {"slotTime": SLOT, "decision": "Started", "reason": "Due", "run": RUN, "outcome": "Succeeded", "count": 1}
        ],
        "manual": {"token": REQUEST},
    },
}
AN_APP_SERVER: dict[str, Any] = {
    "kind": "AppServer",
    "metadata": {"name": f"nightly-{RUN}-2", "creationTimestamp": SLOT},
    "spec": {"periodicBuildRef": {"name": "nightly"}, "trigger": "Schedule", "run": RUN, "attempt": 2},
    "status": {
        "conditions": [{"type": "Succeeded", "reason": "ConfigurationFailed", "message": "ended"}],
        "result": {"failureClass": "Build", "reason": "NonZeroExit", "exitCode": 7},
    },
}
AN_EVENT: dict[str, Any] = {
    "kind": "Event",
    "metadata": {"name": "nightly.0123"},
    "reportingController": REPORTER,
    "eventTime": "2026-11-25T04:35:00.500000Z",
    "type": "Warning",
    "reason": "BuildFailed",
    "note": "Build has failed",
    "regarding": {"name": "nightly"},
}


def seen(*items: dict[str, Any], order: tuple[str, ...] = ("nightly",)) -> Observation:
    return observe(json.dumps({"items": items}), order)


def test_a_build_is_read_with_its_ledger() -> None:
    assert seen(A_BUILD).build("nightly") == Build(
        name="nightly",
        enabled=True,
        schedule="every 40s",
        attempts=3,
        next_slot=NEXT_AT,
        anchor_at=SLOT_AT,
        slots=Slots(due=2, started=1),
        waits_for="BuildInProgress",
        runs=(Run(id=RUN, attempt=2, next_attempt_at=NEXT_AT),),
        ledger=(
            Fate(
                slot=SLOT_AT, decision="Started", reason="Due", run=RUN, outcome="Succeeded", outcome_reason="", count=1
            ),
        ),
        handled_token=REQUEST,
    )


def test_a_build_without_a_status_is_read_as_one_of_which_nothing_is_known() -> None:
    build = seen({"kind": "PeriodicBuild", "metadata": {"name": "nightly"}, "spec": {}}).build("nightly")

    assert build is not None
    assert (build.enabled, build.attempts, build.next_slot, build.slots, build.ledger) == (False, 1, None, Slots(), ())


def test_an_attempt_is_read_with_what_made_it_fail() -> None:
    assert seen(AN_APP_SERVER).attempts == (
        Attempt(
            name=f"nightly-{RUN}-2",
            build="nightly",
            trigger="Schedule",
            run=RUN,
            number=2,
            state="ConfigurationFailed",
            created_at=SLOT_AT,
            why="ended",
            failure="Build, NonZeroExit, exit code 7",
        ),
    )


def test_an_attempt_without_a_status_is_new() -> None:
    (attempt,) = seen(AN_APP_SERVER | {"status": {}}).attempts

    assert (attempt.state, attempt.failure) == ("New", "")


def test_an_app_server_that_nobody_has_completed_is_no_attempt_yet() -> None:
    assert not seen(AN_APP_SERVER | {"spec": {"periodicBuildRef": {"name": "nightly"}}}).attempts


def test_only_the_operators_events_are_read() -> None:
    assert seen(AN_EVENT, AN_EVENT | {"reportingController": "kubelet"}).notices == (
        Notice(
            key="nightly.0123",
            at=SLOT_AT.replace(microsecond=500_000),
            reason="BuildFailed",
            about="nightly",
            note="Build has failed",
            is_warning=True,
        ),
    )


def test_builds_stand_in_the_order_of_the_examples_and_others_are_left_out() -> None:
    items = [A_BUILD | {"metadata": {"name": name}} for name in ("a", "b", "somebody-elses")]

    assert [build.name for build in seen(*items, order=("b", "a")).builds] == ["b", "a"]


def test_attempts_stand_newest_first_and_events_oldest_first() -> None:
    later_server = AN_APP_SERVER | {"metadata": {"name": "later", "creationTimestamp": NEXT}}
    later_event = AN_EVENT | {"metadata": {"name": "later"}, "eventTime": "2026-11-25T04:36:00.000000Z"}

    observation = seen(AN_APP_SERVER, later_server, later_event, AN_EVENT)

    assert [attempt.name for attempt in observation.attempts] == ["later", f"nightly-{RUN}-2"]
    assert [notice.key for notice in observation.notices] == ["nightly.0123", "later"]
