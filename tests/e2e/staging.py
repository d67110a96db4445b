"""Bodies of the fixtures that every level with an operator has: the operator, a client, and the stage between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pykube
from tests.cluster.cluster import Cluster
from tests.e2e.stage import Stage
from tests.operator_process import OperatorProcess, install


def run_operator(cluster: Cluster, folder: Path, arguments: Sequence[str]) -> Iterator[OperatorProcess]:
    """Give an operator under the service account it ships; a test that ends it starts it again."""
    install(cluster)
    process = OperatorProcess.of(cluster, folder / "operator.log", arguments).start()
    try:
        yield process
    finally:
        process.stop()
    # A look that ends in an unexpected error is retried and may heal, so only the log still knows of it.
    assert "this is a bug" not in process.log.read_text()


def open_client(cluster: Cluster) -> Iterator[pykube.HTTPClient]:
    """Give pykube-ng's client, as administrator."""
    client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
    try:
        yield client
    finally:
        client.session.close()


def set_stage(cluster: Cluster, api: pykube.HTTPClient, operator: OperatorProcess) -> Iterator[Stage]:
    """Give a place to play, and clear it afterwards."""
    assert operator.is_ready()
    stage = Stage(cluster, api)
    try:
        yield stage
    finally:
        stage.clear()
