"""A PeriodicBuild is read whatever it says: with defaults for what is left out, with sentences for what is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.builders import a_ref, a_schedule, at, some_retries, some_timeouts

from periodicbuild.core.facts import History, PeriodicBuild, Timeouts
from periodicbuild.core.policies import AfterManualRun, SucceedWhen
from periodicbuild.core.reasons import Blocker, Decision, FailureClass, Outcome, Trigger
from periodicbuild.core.schedules import DEFAULT_INTERVAL
from periodicbuild.core.status import BuildStatus, Manual, Slots
from periodicbuild.kube.parse import (
    StoredBuild,
    periodic_build_from_json,
    stored_build_from_json,
)

REQUEST = "please"
METADATA = {
    "name": "nightly",
    "namespace": "team-a",
    "uid": "uid-nightly",
    "resourceVersion": "100",
    "generation": 3,
    "creationTimestamp": "2026-11-20T00:00:00Z",
    "annotations": {"periodicbuild.dev/run-now": "please", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
    "managedFields": [{"manager": "kubectl"}],
}
IN_FORCE = {"enabled": True, "interval": {"seconds": 86400, "afterManualRun": "Restart"}}
SCHEDULE = {"inForce": IN_FORCE, "epoch": 4, "sinceTime": "2026-11-20T00:00:00Z", "dueAtSince": 37}
ENTRY = {
    "slotTime": "2026-11-24T02:30:00Z",
    "epoch": 4,
    "decision": "Started",
    "reason": "Due",
    "time": "2026-11-24T02:30:01Z",
    "run": "20261124-023000",
}
RUN = {"id": "20261124-023000", "trigger": "Schedule", "startTime": "2026-11-24T02:30:01Z", "attempt": 1}
SLOTS = {"due": 3, "started": 1, "skipped": 1, "missed": 1}


def parsed(**parts: Any) -> PeriodicBuild:
    return periodic_build_from_json(msgspec.json.encode(parts))


def parsed_spec(**spec: Any) -> Any:
    return parsed(metadata=METADATA, spec=spec).spec


def parsed_status(**status: Any) -> BuildStatus:
    return parsed(metadata=METADATA, status=status).status


def test_metadata_says_which_object_it_is() -> None:
    build = parsed(metadata=METADATA, spec={})
    assert build.ref == a_ref("PeriodicBuild", "nightly")
    assert (build.resource_version, build.generation, build.created_at) == ("100", 3, at("2026-11-20"))
    assert (build.run_now, build.is_deleting) == ("please", False)


def test_a_deletion_timestamp_means_that_it_is_being_deleted() -> None:
    assert parsed(metadata={**METADATA, "deletionTimestamp": "2026-11-24T00:00:00Z"}).is_deleting


def test_an_empty_token_asks_for_nothing_and_a_long_one_is_cut_to_what_status_holds() -> None:
    def token(text: str) -> str | None:
        return parsed(metadata={"annotations": {"periodicbuild.dev/run-now": text}}).run_now

    assert token("") is None
    assert token("x" * 300) == "x" * 256


def test_an_empty_spec_has_every_operational_default() -> None:
    spec = parsed_spec()
    assert spec.schedule == a_schedule(every="1d", enabled=False)
    assert spec.schedule.interval is DEFAULT_INTERVAL
    assert spec.schedule_error is None
    assert spec.retries == some_retries(limit=0, delay="10s", max_delay="10m", disruption_limit=3)
    assert spec.timeouts == some_timeouts(waiting="1h", configuring="2h30m", run=None)
    assert spec.history == History(successful_limit=3, failed_limit=1)
    assert spec.succeed_when is SucceedWhen.READY


def test_a_complete_spec_is_read_field_by_field() -> None:
    spec = parsed_spec(
        enabled=True,
        schedule={
            "interval": {"every": "1 00:00:00", "afterManualRun": "Keep"},
            "notBefore": "2026-12-01T01:00:00+01:00",
        },
        retries={"limit": 2, "delay": "1m", "maxDelay": "2m", "retryOn": ["Build", "Weather"], "disruptionLimit": 0},
        timeouts={"waiting": "2h", "configuring": "3h", "run": "12h"},
        history={"successfulLimit": 0, "failedLimit": 7, "maxAge": "30d"},
        succeedWhen="Completed",
        template={"spec": {"containers": []}, "metadata": {}},
    )
    assert spec.schedule == a_schedule(every="24h", after_manual_run=AfterManualRun.KEEP, not_before="2026-12-01")
    assert spec.retries == some_retries(
        limit=2, delay="1m", max_delay="2m", retry_on=[FailureClass.BUILD], disruption_limit=0
    )
    assert spec.timeouts == some_timeouts(waiting="2h", configuring="3h", run="12h")
    assert spec.history == History(successful_limit=0, failed_limit=7, max_age=timedelta(days=30))
    assert spec.succeed_when is SucceedWhen.COMPLETED
    assert spec.template == b'{"metadata":{},"spec":{"containers":[]}}'


DELAYS = {
    "both left out": ({}, "10s", "10m"),
    "delay longer than the default of maxDelay": ({"delay": "20m"}, "20m", "20m"),
    "maxDelay shorter than the default of delay": ({"maxDelay": "5s"}, "5s", "5s"),
    "unreadable ones": ({"delay": 5, "maxDelay": "soon"}, "10s", "10m"),
}


@pytest.mark.parametrize(("given", "delay", "max_delay"), DELAYS.values(), ids=DELAYS.keys())
def test_a_default_gives_way_where_only_one_delay_is_written(given: Any, delay: str, max_delay: str) -> None:
    assert parsed_spec(retries=given).retries == some_retries(delay=delay, max_delay=max_delay)


def test_equal_policies_and_templates_are_one_object_in_memory() -> None:
    one = parsed_spec(retries={"limit": 1}, template={"metadata": {"name": "a<b"}, "spec": {}})
    text = rb'{"spec": {"retries": {"limit":1}, "template": {"spec":{},"metadata":{"name":"a\u003cb"}}}}'
    other = periodic_build_from_json(text).spec
    assert one.retries is other.retries
    assert one.timeouts is other.timeouts
    assert one.template is other.template


def test_a_status_that_was_never_written_is_empty() -> None:
    assert parsed(metadata=METADATA).status == BuildStatus()
    assert parsed_status() == BuildStatus()


LOST = {
    "the whole of it": "nonsense",
    "a number that is a text": {**SCHEDULE, "epoch": "four"},
    "a negative number": {**SCHEDULE, "dueAtSince": -1},
    "no start": {**SCHEDULE, "sinceTime": None},
    "a start without zone": {**SCHEDULE, "sinceTime": "2026-11-20T00:00:00"},
    "a cursor that is no instant": {**SCHEDULE, "cursorTime": "soon"},
    "an interval without length": {**SCHEDULE, "inForce": {"enabled": True, "interval": {"seconds": 0}}},
}


@pytest.mark.parametrize("schedule", LOST.values(), ids=LOST.keys())
def test_a_schedule_in_force_that_cannot_be_trusted_counts_as_lost_and_the_rest_is_kept(schedule: Any) -> None:
    status = parsed_status(schedule=schedule, slots=SLOTS, ledger=[ENTRY], manual={"token": REQUEST})
    assert status.schedule is None
    assert status.slots == Slots(due=3, started=1, skipped=1, missed=1)
    assert len(status.ledger) == 1
    assert status.manual == Manual(token=REQUEST, run="")


def test_what_is_only_shown_may_be_nonsense() -> None:
    status = parsed_status(
        schedule={**SCHEDULE, "text": 5, "nextSlotTime": "soon", "upcoming": ["soon", "2026-11-25T00:00:00Z"]}
    )
    assert status.schedule is not None
    assert (status.schedule_text, status.next_slot, status.upcoming) == ("", None, (at("2026-11-25"),))


def test_items_of_lists_that_cannot_be_read_are_left_out_and_the_others_stay() -> None:
    status = parsed_status(ledger=[{}, ENTRY, 5, {**ENTRY, "count": "x"}], runs=[RUN, {"id": "x"}], conditions=[None])
    assert [entry.slot for entry in status.ledger] == [at("2026-11-24T02:30:00")]
    assert [run.id for run in status.runs] == ["20261124-023000"]
    assert status.conditions == ()


def test_words_of_a_newer_operator_are_read_as_what_does_the_least_harm() -> None:
    status = parsed_status(
        schedule={**SCHEDULE, "inForce": {"enabled": True, "interval": {"seconds": 60, "afterManualRun": "Skip"}}},
        waiting={"slotTime": ENTRY["slotTime"], "reason": "FullMoon", "sinceTime": ENTRY["slotTime"]},
        ledger=[
            {**ENTRY, "reason": "Whim", "outcome": "Abandoned", "outcomeReason": "Whim"},
            {**ENTRY, "decision": "Pondered"},
        ],
        runs=[{**RUN, "trigger": "Whim"}, {**RUN, "trigger": "Whim", "slotTime": ENTRY["slotTime"]}],
    )
    assert status.schedule is not None
    assert status.schedule.in_force == a_schedule(every="1m")
    assert status.waiting is not None
    assert status.waiting.reason is Blocker.API_ERROR
    (entry,) = status.ledger
    assert (entry.decision, entry.reason, entry.outcome) == (Decision.STARTED, "Whim", Outcome.CANCELLED)
    assert [run.trigger for run in status.runs] == [Trigger.MANUAL, Trigger.SCHEDULE]


def test_instants_are_kept_in_utc_and_whole_seconds() -> None:
    status = parsed_status(schedule={**SCHEDULE, "cursorTime": "2026-11-24T02:30:00.9+02:00"})
    assert status.schedule is not None
    assert status.schedule.cursor_at == at("2026-11-24T00:30:00")


def test_between_looks_the_ledger_stays_as_it_was_sent() -> None:
    raw = msgspec.json.encode({"metadata": METADATA, "status": {"ledger": [ENTRY], "slots": SLOTS}})
    stored = stored_build_from_json(raw)
    assert isinstance(stored, StoredBuild)
    assert stored.build.status.ledger == ()
    assert msgspec.json.decode(stored.ledger_json) == [ENTRY]
    assert stored.facts() == periodic_build_from_json(raw)
    assert len(stored.facts().status.ledger) == 1


def test_a_field_of_timeouts_that_admission_would_refuse_counts_as_left_out() -> None:
    assert parsed_spec(timeouts={"waiting": "1 day", "configuring": 5, "run": ""}).timeouts == Timeouts(
        waiting=timedelta(hours=1), configuring=timedelta(hours=2, minutes=30)
    )
