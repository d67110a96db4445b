"""One real node and one operator for all end-to-end tests; every test is followed by an audit of every ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pykube
import pytest
from tests.cluster.cluster import Cluster
from tests.e2e.audit import audit
from tests.e2e.stage import Builds, Stage
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
    real_node: Cluster, mail: RunningMailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """Give the one operator."""
    yield from run_operator(real_node, tmp_path_factory.mktemp("operator"), mail.flags)


@pytest.fixture(scope="session")
def api(real_node: Cluster) -> Iterator[pykube.HTTPClient]:
    """Give the administrator's client."""
    yield from open_client(real_node)


@pytest.fixture
def stage(real_node: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    """Give one test the place where it plays."""
    yield from set_stage(real_node, api, operator)


@pytest.fixture(scope="module")
def shared_stage(real_node: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    """Give all tests of a module one place, for what takes its time side by side."""
    yield from set_stage(real_node, api, operator)


@pytest.fixture(scope="module")
def builds(request: pytest.FixtureRequest, shared_stage: Stage) -> Builds:
    """Create everything in a module's SPECS, so that it is at work at the same time; each test has its own of them."""
    return shared_stage.create_all(request.module.SPECS)


@pytest.fixture(autouse=True)
def _audited(stage: Stage, operator: OperatorProcess) -> Iterator[None]:
    yield
    audit(stage.api, operator)
