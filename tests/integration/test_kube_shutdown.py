"""SIGTERM ends the process within two seconds, whatever the API server does at that moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.faults.effects import Delay
from tests.faults.proxy import proxy_between
from tests.faults.script import ALWAYS, Fault
from tests.integration.kube_support import eventually, new_namespace, opened
from tests.operator_process import OperatorProcess, install

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

AT_MOST_SECONDS = 4.0
"""Two by design, and as much again for a machine that does other things."""

A_BUILD = """
apiVersion: periodicbuild.dev/v1alpha1
kind: PeriodicBuild
metadata: {name: nightly}
spec: {template: {spec: {containers: [{name: main, image: none}]}}}
"""


@pytest.mark.parametrize("is_stalled", [False, True], ids=["a server that answers", "a server that has gone silent"])
def test_sigterm_ends_it_in_time(control_plane: Cluster, tmp_path: Path, *, is_stalled: bool) -> None:
    install(control_plane)

    async def scenario() -> float:
        async with (
            opened(control_plane.kubeconfig) as admin,
            proxy_between(control_plane.kubeconfig, tmp_path / "through-proxy.yaml") as proxy,
        ):
            namespace = await new_namespace(admin)
            operator = OperatorProcess(proxy.kubeconfig, tmp_path / "operator.log", [f"--namespace={namespace}"])
            await asyncio.to_thread(operator.start)
            requests = proxy.requests
            if is_stalled:
                proxy.add(Fault(Delay(), times=ALWAYS))
            await asyncio.to_thread(control_plane.kubectl, "-n", namespace, "apply", "-f", "-", input=A_BUILD)
            await eventually(lambda: proxy.requests > requests)
            return await asyncio.to_thread(operator.stop)

    assert asyncio.run(scenario()) < AT_MOST_SECONDS
