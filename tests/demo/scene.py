"""What is set up on a cluster: definitions and roles, the operator as its own service account, and the examples."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from tests.cluster import processes
from tests.cluster.cluster import TEST_IMAGE, Cluster, LocalCluster
from tests.cluster.errors import ClusterError
from tests.cluster.waiting import wait_for
from tests.demo.closing import Kept
from tests.demo.examples import IMAGE, as_list, played_examples, with_image, with_simulated_life
from tests.demo.observation import KINDS, Observation, observe
from tests.demo.stage import Say, Wishes, a_cluster, let_stay, undisturbed
from tests.operator_process import ROOT, OperatorProcess, install

NAMESPACE = "demo"

INSTALLED = (str(ROOT / "crds"), str(ROOT / "manifests" / "rbac.yaml"))
"""What `install` applies."""

USABLE_WITHIN_SECONDS = 30
"""A namespace has its service account within a second on quiet cores."""

LOG_LINES_SHOWN = 20
"""A traceback and what led to it."""

DELETED_WITHIN = "60s"

SIMULATED = "Simulated"
"""The reason with which simulated nodes are ready."""

RUN_NOW = "periodicbuild.dev/run-now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A cluster on which the demo plays."""

    cluster: Cluster
    operator: OperatorProcess
    nodes: Nodes
    order: tuple[str, ...]
    """The names of the builds, in the order in which they are shown."""

    def look(self) -> Observation:
        """See what the cluster shows now; raise RuntimeError where the operator has ended."""
        self.operator.is_ready()
        return observe(self.cluster.kubectl("get", KINDS, f"--namespace={NAMESPACE}", "--output=json"), self.order)

    @property
    def kept(self) -> Kept:
        """Say what stays of it if it is to be kept."""
        own = isinstance(self.cluster, LocalCluster)
        python = shlex.quote(sys.executable)
        remove = f"kubectl delete namespace {NAMESPACE}", "kubectl delete -f manifests/rbac.yaml -f crds"
        down = f"{python} -m tests.cluster down --name {self.cluster.folder.name}"
        return Kept(
            kubeconfig=self.cluster.kubeconfig,
            kubectl=self.cluster.kubectl_path,
            clean_up=(down,) if own else remove,
            operator_ends=not own,
        )

    def log_tail(self) -> str:
        """Return the last lines of the operator's log, for the person who asks why."""
        lines = self.operator.log.read_text().splitlines()[-LOG_LINES_SHOWN:]
        return "\n".join(["The end of the operator's log:", *lines])

    def spawn(self, build: str, token: str) -> None:
        """Ask for a run by hand."""
        self.cluster.kubectl(
            "annotate", "periodicbuild", build, f"{RUN_NOW}={token}", "--overwrite", f"--namespace={NAMESPACE}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """What must be known of the nodes before anything is applied."""

    are_simulated: bool
    have_test_image: bool
    """Then they are those of the local cluster, which cannot pull any other."""

    @classmethod
    def of(cls, cluster: Cluster) -> Nodes:
        """Ask the cluster."""
        statuses = [node["status"] for node in json.loads(cluster.kubectl("get", "nodes", "--output=json"))["items"]]
        reasons = {condition["reason"] for status in statuses for condition in status["conditions"]}
        images = {name for status in statuses for image in status.get("images", ()) for name in image["names"]}
        return cls(are_simulated=SIMULATED in reasons, have_test_image=TEST_IMAGE in images)


@contextmanager
def a_scene(wishes: Wishes, say: Say) -> Iterator[Scene]:
    """Set everything up; afterwards nothing of it is left, unless it is to be kept and nothing went wrong."""
    with a_cluster(wishes, say) as cluster:
        nodes = Nodes.of(cluster)
        with _installed(cluster, wishes, say), _operator(cluster, say) as operator:
            order = _apply_examples(cluster, nodes, say)
            yield Scene(cluster=cluster, operator=operator, nodes=nodes, order=order)
        if wishes.keep and isinstance(cluster, LocalCluster):
            _leave_running(cluster, operator)


@contextmanager
def _installed(cluster: Cluster, wishes: Wishes, say: Say) -> Iterator[None]:
    """Apply definitions, roles and the namespace; take back from a cluster that is not ours what was not there."""
    if cluster.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "--output=name"):
        raise ClusterError(f"That cluster has a namespace {NAMESPACE} already: kubectl delete namespace {NAMESPACE}")
    had_ours = ".periodicbuild.dev" in cluster.kubectl("get", "crds", "--output=name")
    try:
        say("Applying the definitions (crds/) and the roles (manifests/rbac.yaml).")
        install(cluster)
        cluster.kubectl("create", "namespace", NAMESPACE)
        yield
    except BaseException:
        _take_back(cluster, say, everything=not had_ours)
        raise
    if not wishes.keep:
        _take_back(cluster, say, everything=not had_ours)


def _take_back(cluster: Cluster, say: Say, *, everything: bool) -> None:
    if isinstance(cluster, LocalCluster):
        return  # it goes as a whole
    say(f"Removing the namespace {NAMESPACE}" + (", the definitions and the roles." if everything else "."))
    targets = [["namespace", NAMESPACE]]
    targets += [["--filename", path] for path in reversed(INSTALLED)] if everything else []
    with undisturbed():
        for target in targets:
            cluster.kubectl("delete", *target, "--ignore-not-found", f"--timeout={DELETED_WITHIN}")


@contextmanager
def _operator(cluster: Cluster, say: Say) -> Iterator[OperatorProcess]:
    say("Starting the operator under its own service account, with the roles it ships and no more.")
    operator = OperatorProcess.of(cluster, cluster.folder / "operator.log")
    if isinstance(cluster, LocalCluster):
        # Should this process be killed, whoever removes the cluster finds the operator too.
        operator.environment = {processes.CLUSTER_MARK: str(cluster.folder)}
    try:
        yield operator.start()
    finally:
        with undisturbed():
            operator.stop()


def _leave_running(cluster: LocalCluster, operator: OperatorProcess) -> None:
    """Start the operator again, as a part of the cluster, so that both end by `python -m tests.cluster down`."""
    processes.start("operator", operator.command, state=cluster.folder, log=operator.log)
    let_stay(cluster)


def _apply_examples(cluster: Cluster, nodes: Nodes, say: Say) -> tuple[str, ...]:
    examples = played_examples()
    if nodes.have_test_image:
        say(f"This node can pull no image: the examples run in {TEST_IMAGE} instead of {IMAGE}.")
        examples = [with_image(example, TEST_IMAGE) for example in examples]
    if nodes.are_simulated:
        say("The nodes are simulated: annotations tell each pod how its script would have ended.")
        examples = [with_simulated_life(example) for example in examples]
    wait_for(
        partial(_is_usable, cluster), within_seconds=USABLE_WITHIN_SECONDS, what=f"{NAMESPACE} has no service account"
    )
    say(f"Applying five examples (manifests/examples/) into the namespace {NAMESPACE}.")
    cluster.kubectl("apply", f"--namespace={NAMESPACE}", "--filename=-", input=as_list(examples))
    return tuple(str(example["metadata"]["name"]) for example in examples)


def _is_usable(cluster: Cluster) -> bool:
    with suppress(ClusterError):
        cluster.kubectl("get", "serviceaccount", "default", f"--namespace={NAMESPACE}")
        return True
    return False
