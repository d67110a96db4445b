"""One cluster of simulated nodes and one operator for all tests of the running operator; each test is audited."""

from __future__ import annotations

from collections.abc import Iterator

import pykube
import pytest
from tests.cluster.cluster import Cluster
from tests.e2e.audit import audit
from tests.e2e.stage import Stage
from tests.e2e.staging import open_client, run_operator, set_stage
from tests.mail.running import RunningMailServer, running_mail_server
from tests.operator_process import OperatorProcess


@pytest.fixture(scope="session")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMailServer]:
    """Give the mail server of the one operator."""
    with running_mail_server(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture(scope="session")
def operator(
    simulated_nodes: Cluster, mail: RunningMailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """Give the one operator."""
    flags = (*mail.flags, "--source-private-hosts=http://127.0.0.1")
    yield from run_operator(simulated_nodes, tmp_path_factory.mktemp("operator"), flags)


@pytest.fixture(scope="session")
def api(simulated_nodes: Cluster) -> Iterator[pykube.HTTPClient]:
    """Give the administrator's client."""
    yield from open_client(simulated_nodes)


@pytest.fixture
def stage(simulated_nodes: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    """Give one test the place where it plays; afterwards every ledger must add up."""
    for stage in set_stage(simulated_nodes, api, operator):
        yield stage
        audit(api, operator)


@pytest.fixture(scope="module")
def shared_stage(simulated_nodes: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    """Give all tests of a module one place, for what takes its time side by side."""
    for stage in set_stage(simulated_nodes, api, operator):
        yield stage
        audit(api, operator)
