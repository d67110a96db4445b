"""The API server itself guards the ledger: a status that does not add up is refused, whoever writes it."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.schema.installed import install, refusal_of
from tests.schema.manifests import as_list, periodic_build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

SLOT = "2026-11-22T02:30:00Z"
WAITING = {"slotTime": SLOT, "reason": "BuildInProgress", "sinceTime": SLOT}
BALANCED = {"due": 41, "started": 37, "skipped": 2, "missed": 1}
"""Adds up with the one slot that waits."""

ENTRY = {"slotTime": SLOT, "epoch": 4, "decision": "Started", "reason": "Due", "time": SLOT, "run": "20261122-023000"}

CALENDAR = {"days": ["Mon", "Tue"], "time": "02:30", "timeZone": "Europe/Berlin"}
CRON = {"expression": "30 2 * * 1-5", "timeZone": "Europe/Berlin"}
SCHEDULE = {"inForce": {"enabled": True}, "epoch": 4, "sinceTime": SLOT, "dueAtSince": 37}
"""What a schedule must have."""

_numbers = itertools.count()


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions."""
    install(control_plane)
    return control_plane


@pytest.fixture
def build(cluster: Cluster) -> Iterator[str]:
    """Give a PeriodicBuild whose ledger adds up, as `kind/name`."""
    name = f"ledger-{next(_numbers)}"
    cluster.kubectl("create", "--filename=-", input=as_list(periodic_build(name)))
    assert refused(cluster, f"pb/{name}", {"slots": BALANCED, "waiting": WAITING}) == ""
    yield f"pb/{name}"
    cluster.kubectl("delete", f"pb/{name}")


def refused(cluster: Cluster, build: str, status: Any) -> str:
    """Write a status as the operator does, by a merge patch; return the API server's refusal."""
    patch = json.dumps({"status": status})
    return refusal_of(cluster, "patch", build, "--subresource=status", "--type=merge", f"--patch={patch}")


def stored_status(cluster: Cluster, build: str) -> str:
    """Return the status as it is now; empty if there is none."""
    return cluster.kubectl("get", build, "--output=jsonpath={.status}")


LOST = "status.slots must add up, due = started + skipped + missed + (1 if status.waiting is there)"

UNBALANCED = {
    "a slot that is due and has no fate": {"slots": {**BALANCED, "due": 42}},
    "a fate without a slot": {"slots": {**BALANCED, "missed": 2}},
    "the waiting slot dropped without a fate": {"waiting": None},
}


@pytest.mark.parametrize("status", UNBALANCED.values(), ids=UNBALANCED)
def test_a_slot_cannot_be_lost(cluster: Cluster, build: str, status: Any) -> None:
    assert LOST in refused(cluster, build, status)


def test_the_waiting_slot_can_get_its_fate(cluster: Cluster, build: str) -> None:
    assert refused(cluster, build, {"waiting": None, "slots": {**BALANCED, "started": 38}, "ledger": [ENTRY]}) == ""


def test_counters_never_go_down_even_if_they_add_up(cluster: Cluster, build: str) -> None:
    assert "counters in status.slots must not go down: to reset, remove the whole status" in refused(
        cluster, build, {"slots": {"due": 40, "started": 36, "skipped": 2, "missed": 1}}
    )


@pytest.mark.parametrize("status", [{"slots": None}, {"slots": None, "waiting": None}])
def test_the_counters_cannot_be_removed_alone(cluster: Cluster, build: str, status: Any) -> None:
    assert "status.slots must not be removed: to reset, remove the whole status" in refused(cluster, build, status)


def test_an_empty_status_is_no_way_around(cluster: Cluster, build: str) -> None:
    patch = json.dumps([{"op": "replace", "path": "/status", "value": {}}])

    assert "status.slots must not be removed" in refusal_of(
        cluster, "patch", build, "--subresource=status", "--type=json", f"--patch={patch}"
    )


def test_removing_the_whole_status_by_a_merge_patch_resets_it(cluster: Cluster, build: str) -> None:
    assert refused(cluster, build, None) == ""

    assert stored_status(cluster, build) == ""
    assert refused(cluster, build, {"slots": {"due": 1, "started": 1, "skipped": 0, "missed": 0}}) == ""


def test_replacing_the_object_without_its_status_resets_it(cluster: Cluster, build: str) -> None:
    stored = json.loads(cluster.kubectl("get", build, "--output=json"))
    del stored["status"]

    cluster.kubectl("replace", "--subresource=status", "--filename=-", input=json.dumps(stored))

    assert stored_status(cluster, build) == ""


def test_an_edit_of_the_spec_leaves_the_ledger_alone(cluster: Cluster, build: str) -> None:
    before = stored_status(cluster, build)

    cluster.kubectl("patch", build, "--type=merge", '--patch={"spec": {"enabled": true}, "status": {"slots": null}}')

    assert stored_status(cluster, build) == before


REFUSED = {
    "a ledger of 21 entries": ({"ledger": [ENTRY] * 21}, "must have at most 20 items"),
    "eleven runs": ({"runs": [{"id": "a", "trigger": "Manual", "attempt": 1}] * 11}, "must have at most 10 items"),
    "a negative counter": ({"consecutiveFailures": -1}, "should be greater than or equal to 0"),
    "a reason that is no word": ({"waiting": {**WAITING, "reason": "build in progress"}}, "should match"),
    "a date that is none": ({"schedule": {**SCHEDULE, "usedDate": "22 Nov"}}, "schedule.usedDate in body should match"),
    "a time of day that is none": (
        {"schedule": {**SCHEDULE, "inForce": {"enabled": True, "calendar": {**CALENDAR, "time": "2:30"}}}},
        "calendar.time in body should match",
    ),
    "a time that is none": ({"waiting": {**WAITING, "slotTime": "soon"}}, "must be of type date-time"),
    "an entry without a decision": ({"ledger": [{"slotTime": SLOT}]}, "ledger[0].decision: Required value"),
}


@pytest.mark.parametrize(("status", "sentence"), REFUSED.values(), ids=REFUSED)
def test_status_has_bounds(cluster: Cluster, build: str, status: Any, sentence: str) -> None:
    assert sentence in refused(cluster, build, status)


def test_words_of_a_newer_operator_are_accepted(cluster: Cluster, build: str) -> None:
    newer = {**ENTRY, "decision": "Postponed", "reason": "SolarStorm", "outcome": "Half"}

    assert refused(cluster, build, {"ledger": [newer], "waiting": {**WAITING, "reason": "PoolFull"}}) == ""


def test_a_full_status_is_accepted_and_shown_in_the_columns(cluster: Cluster, build: str) -> None:
    condition = {"lastTransitionTime": SLOT, "message": "", "observedGeneration": 1, "status": "True"}
    status = {
        "observedGeneration": 1,
        "schedule": {
            "text": "every 24h",
            "inForce": {
                "enabled": True, "interval": {"seconds": 86400, "afterManualRun": "Restart"}, "notBeforeTime": SLOT,
            },
            "epoch": 4, "sinceTime": SLOT, "cursorTime": SLOT, "anchorTime": SLOT, "dueAtSince": 37,
            "nextSlotTime": SLOT, "upcoming": [SLOT] * 3,
        },
        "lastScheduled": {"slotTime": SLOT, "startTime": SLOT, "run": "20261122-023000"},
        "ledger": [
            {**ENTRY, "outcome": "Failed", "outcomeReason": "RetriesUsedUp"},
            {**ENTRY, "untilSlotTime": SLOT, "count": 31},
        ],
        "runs": [{
            "id": "m-12345678", "trigger": "Manual", "slotTime": SLOT, "startTime": SLOT, "attempt": 2,
            "disruptions": 1, "appServer": "openedx-m-12345678-2", "uid": "0-0-0", "nextAttemptTime": SLOT,
            "replacedBySlotTime": SLOT,
        }],
        "manual": {"token": "1700000000", "run": "m-12345678"},
        "lastSuccess": {"run": "20261121-023000", "appServer": "a", "time": SLOT},
        "lastFailure": {
            "run": "20261120-023000", "appServer": "a", "time": SLOT, "failureClass": "Build", "reason": "NonZeroExit",
            "message": "x" * 1024,
        },
        "consecutiveFailures": 0,
        "durationsSeconds": list(range(20)),
        "conditions": [
            {**condition, "type": "Ready", "reason": "Accepted"},
            {**condition, "type": "Scheduled", "reason": "Scheduled"},
            {**condition, "type": "LastRunSucceeded", "reason": "Succeeded"},
        ],
    }  # fmt: skip

    assert refused(cluster, build, status) == ""

    stored = json.loads(stored_status(cluster, build))
    assert stored == {**status, "slots": BALANCED, "waiting": WAITING}
    header, row = cluster.kubectl("get", build).splitlines()
    assert header.split() == ["NAME", "READY", "ENABLED", "SCHEDULE", "NEXT", "WAITING", "LAST", "SUCCEEDED", "AGE"]
    *told, _last, succeeded, _age = row.split()
    assert (told[1:], succeeded) == (["True", "false", "every", "24h", SLOT, WAITING["reason"]], "True")


@pytest.mark.parametrize("arm", [{"calendar": CALENDAR}, {"cron": CRON}], ids=lambda arm: next(iter(arm)))
def test_every_kind_of_schedule_can_be_in_force(cluster: Cluster, build: str, arm: Any) -> None:
    schedule = {**SCHEDULE, "text": "x" * 256, "inForce": {"enabled": True, **arm}, "usedDate": "2026-11-22"}

    assert refused(cluster, build, {"schedule": schedule}) == ""

    assert json.loads(stored_status(cluster, build))["schedule"] == schedule


def test_days_and_zones_of_a_newer_operator_are_accepted(cluster: Cluster, build: str) -> None:
    newer = {"calendar": {**CALENDAR, "days": ["LastFri"], "timeZone": "Mars/Olympus Mons"}}

    assert refused(cluster, build, {"schedule": {**SCHEDULE, "inForce": {"enabled": True, **newer}}}) == ""
