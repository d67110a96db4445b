"""Clusters for tests: one per session and level, started when the first test asks, gone when the session ends.

A test that needs a level this machine cannot have fails with the sentence that says what to do; it is skipped only
where PERIODICBUILD_ALLOW_SKIP is set, so that a green run hides nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.cluster import lifecycle
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterError, LevelUnavailableError
from tests.cluster.external import ExternalCluster, explicit_kubeconfig
from tests.cluster.levels import Level
from tests.rights import leave_requests

ALLOW_SKIP = "PERIODICBUILD_ALLOW_SKIP"


def pytest_report_header() -> str | None:
    """Name the cluster that is not ours: nobody should find out afterwards which one the tests wrote to."""
    path = os.environ.get("PERIODICBUILD_TEST_KUBECONFIG") or os.environ.get("KUBECONFIG")
    return f"cluster: the one of {path}, not one of our own" if path else None


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give an API server with etcd and the controllers; pods stay pending."""
    yield from _cluster(Level.CONTROL_PLANE, tmp_path_factory)


@pytest.fixture(scope="session")
def simulated_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a cluster whose pods get ready and complete as their annotations say, with nothing running in them."""
    yield from _cluster(Level.SIMULATED, tmp_path_factory)


@pytest.fixture(scope="session")
def real_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a cluster whose one node really runs pods of the test image."""
    yield from _cluster(Level.NODE, tmp_path_factory)


@contextmanager
def unavailable_is_told() -> Iterator[None]:
    """Fail with the one sentence of what this machine cannot have, or skip if that is allowed."""
    try:
        yield
    except LevelUnavailableError as error:
        if os.environ.get(ALLOW_SKIP):
            pytest.skip(str(error))
        pytest.fail(f"{error}\n(To skip such tests set {ALLOW_SKIP}=1.)", pytrace=False)
    except ClusterError as error:
        pytest.fail(str(error), pytrace=False)


def _cluster(level: Level, folders: pytest.TempPathFactory) -> Iterator[Cluster]:
    name = f"test-{os.getpid()}-{level.value}"
    cluster: Cluster
    with unavailable_is_told():
        kubeconfig = explicit_kubeconfig()
        if kubeconfig:
            cluster = ExternalCluster.of(kubeconfig, level, folders.mktemp("kubeconfigs"))
        else:
            cluster = lifecycle.up(lifecycle.Wish(name=name, level=level, ends_with_this_process=True))
    if kubeconfig:
        yield cluster
        return
    try:
        yield cluster
    finally:
        leave_requests(cluster)
        lifecycle.down(name)
