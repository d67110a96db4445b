"""A namespace that is deleted in mid-run: no verdict, nothing new, and no noise (R43)."""

from __future__ import annotations

import pykube
import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, eventually, see, see_gone
from tests.integration.audit_log import Request, length_of_log, requests_of_the_operator
from tests.integration.others import STAYS, let_go
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, every
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes

TRIES = 6
"""Creates that may be refused before everything is known to go: one or two for each object."""


def a_build_at_work(stage: Stage, namespace: str) -> PeriodicBuild:
    """Create a PeriodicBuild whose next slot waits behind a build that runs for ever."""
    build = stage.create("nightly", a_build_spec(FOR_EVER, schedule=every("2s")), namespace=namespace)
    return see(build, lambda one: one.read("status.waiting.reason") == "BuildInProgress", "the second slot waits")


def failed_looks(operator: OperatorProcess) -> float:
    """Count the looks that have ended in an error."""
    return operator.metric(r'periodicbuild_reconciles_total\{kind="\w+",outcome="Failed"\}')


def in_namespace(stage: Stage, namespace: str, since: int) -> list[Request]:
    """Give what the operator has written in a namespace since then."""
    asked = requests_of_the_operator(stage.cluster, since=since)
    return [one for one in asked if one.namespace == namespace and one.is_write]


def test_a_namespace_that_goes_takes_its_builds_along_without_a_verdict(
    stage: Stage, operator: OperatorProcess
) -> None:
    namespace = stage.new_namespace()
    build = a_build_at_work(stage, namespace)
    (app_server,) = stage.app_servers(build)
    app_server.patch({"metadata": {"finalizers": [STAYS]}})
    since, failed = length_of_log(stage.cluster), failed_looks(operator)

    pykube.Namespace(stage.api, {"metadata": {"name": namespace}}).delete()
    see_gone(build)
    eventually(lambda: not stage.pods(build), "the pod of the build has gone with its namespace")
    stage.outlast()

    app_server.reload()
    assert app_server.state in {"New", "ConfiguringServer"}, (
        "an attempt that went with its namespace has failed for nobody"
    )
    assert app_server.result == {}
    written = in_namespace(stage, namespace, since)
    assert not [one for one in written if (one.verb, one.resource, one.code) == ("create", "pods", 201)]
    assert not [one for one in written if (one.verb, one.resource, one.code) == ("create", "appservers", 201)]
    assert len([one for one in written if one.verb == "create"]) <= TRIES
    assert failed_looks(operator) - failed <= TRIES
    let_go(app_server)
    see_gone(app_server)
