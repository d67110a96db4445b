"""An API server that is gone for a minute and comes back: nothing lost, nothing doubled, and no restart (R22, R41)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.cluster.cluster import Cluster
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import FOR_EVER, LIFE, a_build_spec, every, in_seconds, text_of
from tests.operator_process import OperatorProcess

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
    slot = text_of(in_seconds(20))
    due = stage.create("due-meanwhile", a_build_spec(schedule=every("24h", notBefore=slot)))
    see(due, lambda one: one.read("status.schedule.nextSlotTime") == slot, "it is due while nobody can be asked")
    pid = operator.pid

    stage.cluster.stop_api_server()
    outlive(operator, GONE_FOR_SECONDS)
    stage.cluster.start_api_server()

    see(due, lambda one: one.fates == ["Started/Due: Succeeded"], "it starts late", within_seconds=BACK_WITHIN_SECONDS)
    assert due.read("status.ledger")[0]["slotTime"] == slot
    (app_server,) = stage.app_servers(at_work)
    stage.pod(app_server).patch({"metadata": {"annotations": {f"{LIFE}/runs-for": "10ms"}}})
    see(at_work, lambda one: one.fates == ["Started/Due: Succeeded"], "the run goes on", within_seconds=60)
    assert len(stage.app_servers(at_work)) == len(stage.app_servers(due)) == 1
    assert (operator.pid, operator.ask("/healthz")[0]) == (pid, 200)
