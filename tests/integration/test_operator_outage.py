"""An API server that is gone, has no memory, or refuses: nothing lost, nothing doubled, and no restart (R22, R41)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cluster.cluster import Cluster, LocalCluster
from tests.cluster.control_plane import ETCD
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.faults.effects import Refuse
from tests.faults.line import line_to
from tests.faults.script import ALWAYS, Fault
from tests.integration.simulated_specs import FOR_EVER, LIFE, a_build_spec, every, in_seconds, text_of
from tests.operator_process import ACCOUNT, NAMESPACE, OperatorProcess
from tests.outages.patient import Patient

pytestmark = pytest.mark.simulated_nodes

GONE_FOR_SECONDS = 60
BACK_WITHIN_SECONDS = 120
"""Scheduler, controllers and simulated node have to find the API server again, too."""


@pytest.fixture
def _api_server_is_back(simulated_nodes: Cluster) -> Iterator[None]:
    """Leave no later test without API server, whatever happens in this one."""
    try:
        yield
    finally:
        simulated_nodes.start_api_server()


@pytest.fixture
def _etcd_is_back(simulated_nodes: Cluster) -> Iterator[None]:
    """Likewise."""
    assert isinstance(simulated_nodes, LocalCluster)
    try:
        yield
    finally:
        if ETCD in simulated_nodes.missing_components():
            simulated_nodes.start_etcd()


def soon(stage: Stage) -> datetime:
    """Give a slot that is about to come; its namespace is there first, which after an outage may take a while."""
    assert stage.namespace
    return in_seconds(6)


def a_build_due_at(stage: Stage, name: str, slot: datetime) -> PeriodicBuild:
    """Create one, and wait until its slot is known."""
    build = stage.create(name, a_build_spec(schedule=every("24h", notBefore=text_of(slot))))
    return see(build, lambda one: one.read("status.schedule.nextSlotTime") == text_of(slot), "its slot is known")


def see_started_once(stage: Stage, build: PeriodicBuild) -> None:
    """See that what fell due in an outage was built late, and once."""
    see(
        build, lambda one: one.fates == ["Started/Due: Succeeded"], "it starts late", within_seconds=BACK_WITHIN_SECONDS
    )
    assert len(stage.app_servers(build)) == 1


def outlive(operator: OperatorProcess, seconds: float) -> None:
    """See the operator alive and well for so long."""
    end = time.monotonic() + seconds
    eventually(lambda: _is_alive(operator) and time.monotonic() >= end, "the time is over", within_seconds=seconds + 30)


def _is_alive(operator: OperatorProcess) -> bool:
    assert operator.ask("/healthz")[0] == 200, "an outage of the API server is not cured by a restart of ours"
    return True


@pytest.mark.usefixtures("_api_server_is_back")
def test_a_minute_without_api_server_costs_no_slot_and_no_run(stage: Stage, operator: OperatorProcess) -> None:
    at_work = stage.create("at-work", a_build_spec(FOR_EVER))
    see(at_work, lambda one: len(one.runs) == 1, "it is at work")
    eventually(lambda: stage.pods(at_work), "its pod is there")
    slot = in_seconds(20)
    due = a_build_due_at(stage, "due-meanwhile", slot)
    pid = operator.pid

    stage.cluster.stop_api_server()
    outlive(operator, GONE_FOR_SECONDS)
    stage.cluster.start_api_server()

    see_started_once(stage, due)
    assert due.read("status.ledger")[0]["slotTime"] == text_of(slot)
    (app_server,) = stage.app_servers(at_work)
    stage.pod(app_server).patch({"metadata": {"annotations": {f"{LIFE}/runs-for": "10ms"}}})
    see(at_work, lambda one: one.fates == ["Started/Due: Succeeded"], "the run goes on", within_seconds=60)
    assert len(stage.app_servers(at_work)) == 1
    assert (operator.pid, operator.ask("/healthz")[0]) == (pid, 200)


@pytest.mark.usefixtures("_etcd_is_back")
def test_etcd_may_be_restarted(stage: Stage, operator: OperatorProcess) -> None:
    cluster = stage.cluster
    slot = soon(stage)
    due = a_build_due_at(stage, "due-without-etcd", slot)
    assert isinstance(cluster, LocalCluster)

    cluster.stop_etcd()
    outlive(operator, (slot - datetime.now(UTC)).total_seconds() + 1)
    cluster.start_etcd()

    see_started_once(stage, due)


def test_too_many_requests_are_one_warning_of_each_part_and_cost_no_slot(
    stage: Stage, operator: OperatorProcess, tmp_path: Path
) -> None:
    way = tmp_path / "line.yaml"
    operator.stop()
    refused = OperatorProcess(way, tmp_path / "refused.log", ["--log-format=json"])
    try:
        with line_to(stage.cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT), way) as line:
            refused.start()
            slot = soon(stage)
            due = a_build_due_at(stage, "due-and-refused", slot)
            with Patient(refused) as patient:
                line.put(Fault(Refuse(status=429, retry_after_seconds=1), times=ALWAYS))
                outlive(refused, (slot - datetime.now(UTC)).total_seconds() + 1)
                line.mend()
                see_started_once(stage, due)
                patient.await_end()
            refused.stop()
    finally:
        refused.stop()
        operator.start()
    assert patient.failed_probes == 0
    assert patient.unended == set()
    assert [what for what, count in patient.loud_lines.items() if count > 1] == []
