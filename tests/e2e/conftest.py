"""One real node and one operator for all end-to-end tests; every test is followed by an audit of every ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pykube
import pytest
from tests.cluster.cluster import Cluster
from tests.e2e.audit import audit
from tests.e2e.stage import Stage
from tests.operator_process import OperatorProcess, install


@pytest.fixture(scope="session")
def operator(real_node: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """Give the one operator, under the service account it ships; a test that ends it starts it again."""
    install(real_node)
    process = OperatorProcess.of(real_node, tmp_path_factory.mktemp("operator") / "operator.log").start()
    try:
        yield process
    finally:
        process.stop()
    # A look that ends in an unexpected error is retried and may heal, so only the log still knows of it.
    assert "this is a bug" not in process.log.read_text()


@pytest.fixture(scope="session")
def api(real_node: Cluster) -> Iterator[pykube.HTTPClient]:
    """Give pykube-ng's client, as administrator."""
    client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(real_node.kubeconfig)))
    try:
        yield client
    finally:
        client.session.close()


@pytest.fixture(scope="session")
def stage(real_node: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Stage:
    """Give the place where tests play."""
    assert operator.is_ready()
    return Stage(real_node, api)


@pytest.fixture(autouse=True)
def _audited(api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[None]:
    yield
    audit(api, operator)
