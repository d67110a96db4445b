"""Who may build: whoever could make the pods himself; and only the operator answers slots (design 4, security)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.cluster.cluster import KubectlError
from tests.cluster.waiting import wait_for
from tests.operator_process import ROOT, install_roles
from tests.schema.installed import install
from tests.schema.manifests import COMPLETE_SPEC, TEMPLATE, Manifest, app_server, as_list, periodic_build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

PODS: Final = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
USERS: Final[dict[str, tuple[str, ...]]] = {
    "viewer": ("periodicbuild-view",),
    "writer": ("periodicbuild-view", "periodicbuild-edit"),
    "builder": ("periodicbuild-view", "periodicbuild-edit", "makes-pods"),
}
"""With the ClusterRoles that each has in the namespace."""
NO_PODS: Final = (
    "writer may not create pods in namespace default, and a PeriodicBuild does that in your name: ask for the right to"
    " create pods there; setting spec.enabled to false, and nothing else, is always allowed"
)
NO_PODS_BY_HAND: Final = (
    "writer may not create pods in namespace default, and an AppServer has the operator do that: ask for the right to"
    " create pods there"
)
NOT_THE_OPERATOR: Final = (
    "spec.run marks what the operator has made, as the answer to a slot or a request: leave it out to build by hand,"
    " with trigger, attempt, slotTime and epoch"
)
NO_CONTROLLER: Final = (
    "metadata.ownerReferences must not name a controller, since that is for the operator to set: leave it out"
)
OTHER: Final = {"spec": {"containers": [{"name": "server", "image": "localhost/other:2"}]}}


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster with definitions, policies, and the users with their roles."""
    install(control_plane)
    install_roles(control_plane)
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "makes-pods"}}
    bindings = [_binding(user, role_name) for user, roles in USERS.items() for role_name in roles]
    control_plane.kubectl("apply", "--filename=-", input=as_list({**role, "rules": [PODS]}, *bindings))
    control_plane.kubectl("apply", f"--filename={ROOT / 'manifests' / 'aggregated-roles.yaml'}")
    return control_plane


def _binding(user: str, role: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{user}-{role}", "namespace": "default"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
    }


@pytest.fixture(scope="module")
def users(cluster: Cluster) -> dict[str, Path]:
    """Give the kubeconfig of each user, when rights and policies work."""
    found = {user: cluster.kubeconfig_for(user) for user in USERS}
    new = ("create", "--dry-run=server", "--filename=-")
    for manifest, sentence in ((periodic_build("probe"), NO_PODS), (app_server("probe"), NO_PODS_BY_HAND)):
        wait_for(
            lambda manifest=manifest, sentence=sentence: (
                sentence  # type: ignore[misc] # a loop's variables, bound
                in refusal(cluster, found["writer"], *new, input=as_list(manifest))
            ),
            within_seconds=30,
            what="the policies work",
        )
    return found


def refusal(cluster: Cluster, who: Path, *arguments: str, input: str | None = None) -> str:
    """Give what somebody is told who is refused; empty if he is not."""
    try:
        cluster.kubectl(*arguments, input=input, kubeconfig=who)
    except KubectlError as error:
        return str(error)
    return ""


def told(cluster: Cluster, who: Path, manifest: Manifest) -> str:
    """Give what somebody is told who creates something."""
    return refusal(cluster, who, "create", "--dry-run=server", "--filename=-", input=as_list(manifest))


@pytest.fixture
def existing(cluster: Cluster) -> Iterator[str]:
    """Give a PeriodicBuild of the administrator's that is enabled."""
    cluster.kubectl("create", "--filename=-", input=as_list(periodic_build("existing", enabled=True)))
    yield "pb/existing"
    cluster.kubectl("delete", "pb/existing")


def edited(cluster: Cluster, who: Path, target: str, **patch: Any) -> str:
    """Give what somebody is told who changes something."""
    return refusal(cluster, who, "patch", target, "--type=merge", f"--patch={json.dumps(patch)}")


def test_who_may_not_create_pods_makes_no_builds(cluster: Cluster, users: dict[str, Path]) -> None:
    build, by_hand = periodic_build("new"), app_server("by-hand", template=TEMPLATE)
    assert NO_PODS in told(cluster, users["writer"], build)
    assert NO_PODS_BY_HAND in told(cluster, users["writer"], by_hand)
    assert (told(cluster, users["builder"], build), told(cluster, users["builder"], by_hand)) == ("", "")


def test_whoever_may_view_changes_nothing(cluster: Cluster, users: dict[str, Path], existing: str) -> None:
    viewer = users["viewer"]
    assert refusal(cluster, viewer, "get", existing) == ""
    for arguments in (
        ("create", "--filename=-"),
        ("patch", existing, "--type=merge", "--patch={}"),
        ("delete", existing),
        ("delete", "pb", "--all"),
        ("patch", existing, "--type=merge", "--patch={}", "--subresource=status"),
    ):
        assert "forbidden" in refusal(cluster, viewer, *arguments, input=as_list(periodic_build("new"))).lower()


def test_status_is_the_operators_alone(cluster: Cluster, users: dict[str, Path], existing: str) -> None:
    edit = ("patch", existing, "--type=merge", '--patch={"status":{"slots":{"due":7}}}', "--subresource=status")
    assert "forbidden" in refusal(cluster, users["builder"], *edit).lower()


def test_disabling_and_what_cannot_lead_to_a_pod_is_always_allowed(
    cluster: Cluster, users: dict[str, Path], existing: str
) -> None:
    writer = users["writer"]
    assert edited(cluster, writer, existing, metadata={"labels": {"team": "a"}}) == ""
    assert NO_PODS in edited(cluster, writer, existing, spec={"retries": {"limit": 2}})
    assert NO_PODS in edited(cluster, writer, existing, spec={"template": OTHER})
    assert edited(cluster, writer, existing, spec={"enabled": False}) == ""
    assert edited(cluster, writer, existing, spec={"retries": {"limit": 2}}) == ""
    assert NO_PODS in edited(cluster, writer, existing, spec={"template": OTHER})
    assert NO_PODS in edited(cluster, writer, existing, spec={"enabled": True})
    assert edited(cluster, users["builder"], existing, spec={"enabled": True, "template": OTHER}) == ""


def test_a_run_by_hand_is_a_build_also_of_one_that_is_disabled(
    cluster: Cluster, users: dict[str, Path], existing: str
) -> None:
    def asked(token: str | None) -> dict[str, Any]:
        return {"annotations": {"periodicbuild.dev/run-now": token}}

    writer, builder = users["writer"], users["builder"]
    assert edited(cluster, writer, existing, spec={"enabled": False}) == ""
    assert NO_PODS in edited(cluster, writer, existing, metadata=asked("1"))
    assert edited(cluster, builder, existing, metadata=asked("1")) == ""
    assert edited(cluster, writer, existing, metadata={"labels": {"team": "a"}}) == ""
    assert NO_PODS in edited(cluster, writer, existing, metadata=asked("2"))
    assert edited(cluster, writer, existing, metadata=asked(None)) == ""


def test_only_the_operator_makes_what_answers_a_slot(cluster: Cluster, users: dict[str, Path], operator: Path) -> None:
    complete = app_server(**COMPLETE_SPEC)
    assert NOT_THE_OPERATOR in told(cluster, users["builder"], complete)
    assert told(cluster, operator, complete) == ""
    by_hand = app_server("by-hand", template=TEMPLATE)
    cluster.kubectl("create", "--filename=-", input=as_list(by_hand))
    try:
        given = {"periodicBuildRef", "template", "cancelled"}
        completed = {key: value for key, value in COMPLETE_SPEC.items() if key not in given}
        manual = {**completed, "trigger": "Manual", "slotTime": None}
        assert NOT_THE_OPERATOR in edited(cluster, users["builder"], "appsrv/by-hand", spec=manual)
        assert edited(cluster, users["builder"], "appsrv/by-hand", spec={"cancelled": True}) == ""
        assert edited(cluster, operator, "appsrv/by-hand", spec=manual) == ""
    finally:
        cluster.kubectl("delete", "appsrv/by-hand")


def test_only_the_operator_names_a_controller(cluster: Cluster, users: dict[str, Path], operator: Path) -> None:
    owner = {
        "apiVersion": "periodicbuild.dev/v1alpha1",
        "kind": "PeriodicBuild",
        "name": "openedx",
        "uid": "0f3a1f4e-0000-4000-8000-000000000000",
    }
    owned = app_server("owned", template=TEMPLATE)
    owned["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    assert NO_CONTROLLER in told(cluster, users["builder"], owned)
    assert told(cluster, operator, owned) == ""
    owned["metadata"]["ownerReferences"] = [owner]
    assert told(cluster, users["builder"], owned) == ""


@pytest.fixture(scope="module")
def operator(cluster: Cluster) -> Path:
    """Give the operator's own kubeconfig."""
    return cluster.kubeconfig_for_service_account("periodicbuild-system", "periodicbuild")
