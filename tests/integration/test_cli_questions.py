"""A person asks the plug-in what comes next, why nothing ran, and whether the ledger is complete; and moves a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, every, text_of
from tests.integration.test_cli_plugin import Plugin, plugin_on
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes

FAR_AWAY = f"{datetime.now(UTC) + timedelta(hours=12):%H:%M}"
"""By the clock in UTC: not due while these tests run."""
SPECS = {
    "fails": a_build_spec(exit_code=3),
    "waits": a_build_spec(FOR_EVER, schedule=every("3s")),
    "nightly": a_build_spec(schedule={"calendar": {"time": FAR_AWAY}}),
    "off": a_build_spec(enabled=False),
}


@pytest.fixture(scope="module")
def plugin(shared_stage: Stage) -> Plugin:
    """Give the plug-in as the administrator has it."""
    return plugin_on(shared_stage)


@pytest.fixture(scope="module")
def builds(shared_stage: Stage) -> dict[str, PeriodicBuild]:
    """Give builds that have come to what their names say."""
    builds = dict(shared_stage.create_all(SPECS))
    see(builds["fails"], lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "it has failed")
    see(builds["waits"], lambda one: one.read("status.waiting.reason") == "BuildInProgress", "its second slot waits")
    for name in ("nightly", "off"):
        see(builds[name], lambda one: one.read("status.observedGeneration"), "the operator has looked at it")
    return builds


def test_the_next_slots_are_those_of_the_operator(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    slots = plugin.document("next", "nightly", "--count", "4")
    said, waits = plugin.here("next", "nightly"), plugin.here("next", "waits")

    assert [one["slotTime"] for one in slots[:3]] == builds["nightly"].read("status.schedule.upcoming")
    assert len(slots) == 4
    assert said.out.startswith(f"{plugin.namespace}/nightly: daily {FAR_AWAY} Etc/UTC\n\nSLOT ")
    assert len(said.out.splitlines()) == 3 + 10
    assert f"Note: the slot {builds['waits'].read('status.waiting.slotTime')} (" in waits.out


def in_progress(told: dict[str, Any]) -> dict[str, Any]:
    """Give what was seen of the builds in progress."""
    (check,) = (one for one in told["waiting"]["checks"] if one["check"] == "build in progress")
    return dict(check)


def test_why_names_what_a_slot_waits_for(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    told, said = plugin.document("why", "waits"), plugin.here("why", "waits")

    app_server = builds["waits"].runs[0]["appServer"]
    assert [one["blocks"] for one in told["waiting"]["checks"]] == [False, False, True, None, None, None]
    assert f"AppServer {app_server} is " in in_progress(told)["saw"]
    assert said.out.startswith(f"The slot {told['waiting']['slotTime']} (")
    assert f"AppServer {app_server} is " in said.out


def test_who_may_not_see_pods_is_told_what_the_rest_says(
    shared_stage: Stage, plugin: Plugin, builds: dict[str, PeriodicBuild]
) -> None:
    shared_stage.kubectl("create", "role", "asker", "--verb=get,list", "--resource=periodicbuilds,appservers")
    shared_stage.kubectl("create", "rolebinding", "asker", "--role=asker", "--user=asker")
    asker = plugin.by(shared_stage.cluster.kubeconfig_for("asker"))

    told = asker.document("why", "waits")

    assert builds["waits"].runs[0]["appServer"] in in_progress(told)["saw"]


def test_why_tells_what_became_of_the_slot_of_an_instant(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    slot = builds["fails"].read("status.ledger")[0]["slotTime"]

    told = plugin.document("why", "fails", "--at", slot)
    before = plugin.here("why", "fails", "--at", "2026-01-01T00:00:00+01:00")
    ahead = plugin.here("why", "fails", "--at", "9000-01-01T00:00Z")

    assert (told["found"], told["wasDue"], told["slotTime"]) == ("decided", True, slot)
    assert told["entry"]["outcomeReason"] == "RetriesUsedUp"
    (attempt,) = told["entry"]["attempts"]
    assert (attempt["container"], attempt["exitCode"], attempt["reason"]) == ("main", 3, "NonZeroExit")
    assert before.out.startswith(f"No slot was due by 2025-12-31T23:00:00Z. The next one was {slot} (")
    assert (ahead.code, ahead.err) == (
        2,
        "error: --at 9000-01-01T00:00:00Z lies ahead: what comes is told by kubectl periodicbuild next fails\n",
    )


def test_why_about_one_without_a_wait_tells_the_last_failure(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    said, off = plugin.here("why", "fails"), plugin.here("why", "off")

    assert said.out.startswith(f"The last slot was {builds['fails'].read('status.ledger')[0]['slotTime']} (")
    assert "its run has failed: Build/NonZeroExit: container main ended with exit code 3. The next slot is " in said.out
    assert off.out.startswith("It is disabled, so nothing is due: kubectl periodicbuild enable off\n")


@pytest.mark.usefixtures("builds")
def test_an_audit_of_a_healthy_namespace_ends_with_0(plugin: Plugin) -> None:
    everything, one = plugin.here("audit", "--all"), plugin.document("audit", "waits")

    assert (everything.code, everything.err) == (0, "")
    assert everything.column("STATE") == {
        "fails": "judged",
        "nightly": "judged",
        "off": "disabled",
        "waits": "judged",
    }
    assert "3 of 3 judged add up, 1 is not judged." in everything.out
    assert [(found["counted"], found["waiting"], found["difference"]) for found in one] == [(2, 1, 0)]


def test_an_audit_finds_the_slot_that_was_taken_out_of_the_counters(
    plugin: Plugin, builds: dict[str, PeriodicBuild], operator: OperatorProcess
) -> None:
    """R12: the API server guards the equation, and nobody but the recount guards where an epoch began."""
    build = builds["nightly"]
    try:
        build.patch({"status": {"schedule": {"dueAtSince": 1}}}, subresource="status")
        everything, one = plugin.here("audit", "--all"), plugin.here("audit", "nightly", "-o", "json")
    finally:
        build.patch({"status": {"schedule": {"dueAtSince": 0}}}, subresource="status")
    eventually(lambda: operator.metric("periodicbuild_unaccounted_slots") == 0, "the operator has seen it mended")

    missing = f"{plugin.namespace}/nightly: 1 slot missing from its counters"
    assert (everything.code, everything.err) == (1, f"error: 1 of 4 does not add up: {missing}\n")
    assert everything.column("DIFFERENCE") == {"fails": "0", "nightly": "-1", "off": "-", "waits": "0"}
    assert (one.code, one.err) == (1, f"error: 1 of 1 does not add up: {missing}\n")
    assert plugin.here("audit", "nightly").code == 0


def test_a_run_is_moved_and_nothing_runs_now(
    shared_stage: Stage, plugin: Plugin, builds: dict[str, PeriodicBuild]
) -> None:
    build = builds["fails"]
    own, later = build.read("status.schedule.nextSlotTime"), text_of(datetime.now(UTC) + timedelta(days=2))

    too_early, moved = plugin.here("reschedule", "fails", "+2h"), plugin.here("reschedule", "fails", later)

    assert (too_early.code, too_early.out) == (1, "")
    assert too_early.err.startswith(f"error: the next slot of 'fails' is {own} (in 23h")
    assert moved.out.startswith(
        f"periodicbuild.periodicbuild.dev/fails rescheduled: the next slot is {later} (in 1d23h"
    )
    see(build, lambda one: one.read("status.schedule.nextSlotTime") == later, "the operator says the same")
    assert len(shared_stage.app_servers(build)) == 1


def test_a_slot_that_waits_is_given_up_only_if_that_is_said(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    refused = plugin.here("reschedule", "waits", "+2h")
    moved = plugin.here("reschedule", "waits", "+2h", "--skip-waiting", "-o", "name")

    assert (refused.code, refused.out) == (1, "")
    assert "waits (BuildInProgress) and would be skipped as ScheduleEdited: add --skip-waiting" in refused.err
    assert (moved.code, moved.out) == (0, "periodicbuild.periodicbuild.dev/waits\n")
    see(builds["waits"], lambda one: one.fates[0] == "Skipped/ScheduleEdited", "the slot was closed")
    told = plugin.document("why", "waits", "--at", builds["waits"].read("status.ledger")[0]["slotTime"])
    assert told["entry"]["reason"] == "ScheduleEdited"
