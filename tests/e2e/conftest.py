"""One real node and one operator for all end-to-end tests; every test is followed by an audit of every ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pykube
import pytest
from tests.background import in_background
from tests.cluster.cluster import Cluster
from tests.e2e.audit import audit
from tests.e2e.stage import Builds, Stage
from tests.e2e.staging import open_client, run_operator, set_stage
from tests.mail.running import Mailbox, postfix_mailbox
from tests.operator_process import OperatorProcess
from tests.receivers import Receiver, receiving


@pytest.fixture(scope="session")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    """Give the mailbox of a real mail server, to which the one operator sends."""
    with postfix_mailbox(tmp_path_factory.mktemp("mail")) as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def hooks() -> Iterator[Receiver]:
    """Give what takes the webhooks of the one operator, and its messages to a chat."""
    with in_background(receiving) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def operator(
    real_node: Cluster, mail: Mailbox, hooks: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """Give the one operator, which tells people in every way there is."""
    folder = tmp_path_factory.mktemp("operator")
    flags = [*mail.flags, "--source-private-hosts=http://127.0.0.1"]
    for what in ("webhook", "slack"):
        file = folder / f"{what}-url"
        file.write_text(f"{hooks.url}/{what}")
        flags.append(f"--{what}-url-file={file}")
    yield from run_operator(real_node, folder, flags)


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
