"""Where measurements take place: a cluster of the bench's own, gone afterwards whatever happens."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.cluster import lifecycle
from tests.cluster.console import say
from tests.cluster.site import CONTROLLER_QPS
from tests.cluster.waiting import wait_for
from tests.operator_process import OperatorProcess, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.cluster import Cluster, LocalCluster
    from tests.cluster.levels import Level

NAMESPACE_READY_WITHIN_SECONDS = 60
"""The service account that pods need comes from the controller manager, about a second later."""


@contextmanager
def own_cluster(
    level: Level, *, collects_garbage: bool = True, controller_qps: int = CONTROLLER_QPS
) -> Iterator[LocalCluster]:
    """Give a new cluster with the definitions and roles in it; an explicit KUBECONFIG is not asked.

    Where seconds are compared, garbage is collected between the rounds and not in them (`collect_garbage`): otherwise
    it takes half of the machine for seconds, in some rounds and not in others.
    """
    name = f"bench-{os.getpid()}"
    say(f"Starting a cluster for this measurement alone ({level}).")
    try:
        wish = lifecycle.Wish(
            name=name,
            level=level,
            collects_garbage=collects_garbage,
            controller_qps=controller_qps,
            ends_with_this_process=True,
        )
        cluster = lifecycle.up(wish)
        install(cluster)
        yield cluster
    finally:
        say("Taking the cluster down.")
        lifecycle.down(name)


@contextmanager
def running_operator(cluster: Cluster, *arguments: str) -> Iterator[OperatorProcess]:
    """Give a ready operator under the service account that it ships."""
    operator = OperatorProcess.of(cluster, cluster.folder / "operator.log", arguments)
    try:
        yield operator.start()
    finally:
        operator.stop()


def new_namespace(cluster: Cluster, name: str) -> str:
    """Make a namespace in which pods can be created."""
    cluster.kubectl("create", "namespace", name)
    wait_for(
        lambda: "default" in cluster.kubectl("get", "serviceaccounts", f"--namespace={name}", "--output=name"),
        within_seconds=NAMESPACE_READY_WITHIN_SECONDS,
        what=f"the namespace {name} has no service account",
    )
    return name
