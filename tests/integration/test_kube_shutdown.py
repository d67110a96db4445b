"""SIGTERM ends the process within two seconds, whatever the API server does at that moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.integration.kube_support import FaultProxy, eventually, new_namespace, opened
from tests.operator_process import OperatorProcess, install

from periodicbuild.kube.credentials import load_credentials

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
            FaultProxy(await load_credentials(control_plane.kubeconfig), tmp_path) as proxy,
        ):
            namespace = await new_namespace(admin)
            operator = OperatorProcess(proxy.kubeconfig, tmp_path / "operator.log", [f"--namespace={namespace}"])
            await asyncio.to_thread(operator.start)
            requests = proxy.requests
            if is_stalled:
                proxy.hold()
            await asyncio.to_thread(control_plane.kubectl, "-n", namespace, "apply", "-f", "-", input=A_BUILD)
            await eventually(lambda: proxy.requests > requests)
            seconds = await asyncio.to_thread(operator.stop)
            proxy.let_through()
            return seconds

    assert asyncio.run(scenario()) < AT_MOST_SECONDS
