"""One cluster of simulated nodes and one operator for all tests of the running operator; each test is audited."""

from __future__ import annotations

from collections.abc import Iterator

import pykube
import pytest
from tests.cluster.cluster import Cluster
from tests.e2e.audit import audit
from tests.e2e.stage import Stage
from tests.operator_process import OperatorProcess, install


@pytest.fixture(scope="session")
def operator(simulated_nodes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """Give the one operator, under the service account it ships; a test that ends it starts it again."""
    install(simulated_nodes)
    process = OperatorProcess.of(simulated_nodes, tmp_path_factory.mktemp("operator") / "operator.log").start()
    try:
        yield process
    finally:
        process.stop()
    # A look that ends in an unexpected error is retried and may heal, so only the log still knows of it.
    assert "this is a bug" not in process.log.read_text()


@pytest.fixture(scope="session")
def api(simulated_nodes: Cluster) -> Iterator[pykube.HTTPClient]:
    """Give pykube-ng's client, as administrator."""
    client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(simulated_nodes.kubeconfig)))
    try:
        yield client
    finally:
        client.session.close()


@pytest.fixture
def stage(simulated_nodes: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    """Give one test the place where it plays; afterwards every ledger must add up."""
    yield from _stage(simulated_nodes, api, operator)


@pytest.fixture(scope="module")
def shared_stage(simulated_nodes: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    """Give all tests of a module one place, for what takes its time side by side."""
    yield from _stage(simulated_nodes, api, operator)


def _stage(cluster: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    assert operator.is_ready()
    stage = Stage(cluster, api)
    try:
        yield stage
        audit(api, operator)
    finally:
        stage.clear()
