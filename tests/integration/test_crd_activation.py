"""Who names a Service in a PeriodicBuild must be allowed to patch it (R28): no one else's traffic can be taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.cluster.cluster import KubectlError
from tests.cluster.waiting import wait_for
from tests.schema.installed import install, refusal
from tests.schema.manifests import Manifest, as_list, periodic_build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

AUTHOR = "author"
"""May write PeriodicBuilds, and so create pods, and patch the Service `own`."""
RULES = [
    {"apiGroups": ["periodicbuild.dev"], "resources": ["periodicbuilds"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["services"], "resourceNames": ["own"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
]
REFUSAL = (
    "spec.activation.serviceName lets the operator change the selector of Service payments, which you may not: ask for"
    " the right to patch it, or leave activation out"
)


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions and the policies, and the author."""
    install(control_plane)
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": AUTHOR}, "rules": RULES}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": AUTHOR},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": AUTHOR},
        "subjects": [{"kind": "User", "name": AUTHOR, "apiGroup": "rbac.authorization.k8s.io"}],
    }
    control_plane.kubectl("apply", "--filename=-", input=as_list(role, binding))
    return control_plane


@pytest.fixture(scope="module")
def author(cluster: Cluster) -> Path:
    """Give the author's kubeconfig, when rights and policy work."""
    path = cluster.kubeconfig_for(AUTHOR)
    wait_for(lambda: said(cluster, path, build("payments")) == [REFUSAL], within_seconds=30, what="the policy works")
    return path


def build(service: str | None, name: str = "openedx") -> Manifest:
    """Give a PeriodicBuild that points a Service, or none."""
    return periodic_build(name, **({} if service is None else {"activation": {"serviceName": service}}))


def said(cluster: Cluster, author: Path, manifest: Manifest) -> list[str]:
    """Give the sentence with which the author is refused; none if he is not."""
    create = ("create", "--dry-run=server", "--filename=-")
    return refusals(cluster, author, *create, input=as_list(manifest))


def refusals(cluster: Cluster, author: Path, *arguments: str, input: str | None = None) -> list[str]:
    """Give our sentence, if that is why something is refused; anything else fails."""
    try:
        cluster.kubectl(*arguments, input=input, kubeconfig=author)
    except KubectlError as error:
        text = str(error)
        assert "periodicbuild-activation.periodicbuild.dev" in text, text
        return [text[text.index("spec.activation.serviceName") :].strip()]
    return []


def test_he_may_name_a_service_that_he_may_patch_and_no_other(cluster: Cluster, author: Path) -> None:
    assert said(cluster, author, build("own")) == []
    assert said(cluster, author, build(None)) == []
    assert said(cluster, author, build("payments")) == [REFUSAL]


@pytest.fixture
def existing(cluster: Cluster) -> Iterator[str]:
    """Give a PeriodicBuild that the administrator has made, and that points at a Service that is not the author's."""
    cluster.kubectl("create", "--filename=-", input=as_list(build("payments", "existing")))
    yield "pb/existing"
    cluster.kubectl("delete", "pb/existing")


def patch_of(**spec: object) -> tuple[str, str]:
    return "--type=merge", f"--patch={json.dumps({'spec': spec})}"


def test_only_a_change_of_the_name_is_asked_about(cluster: Cluster, author: Path, existing: str) -> None:
    """Who may edit the rest may go on doing so, and may take the name away."""
    edit = ("patch", existing)
    assert refusals(cluster, author, *edit, *patch_of(enabled=False)) == []
    assert refusals(cluster, author, *edit, *patch_of(activation={"fallbackFor": "1h"})) == []
    assert refusals(cluster, author, *edit, *patch_of(activation={"serviceName": "own"})) == []
    assert refusals(cluster, author, *edit, *patch_of(activation={"serviceName": "payments"})) == [REFUSAL]
    assert refusals(cluster, author, *edit, *patch_of(activation=None)) == []
    assert refusals(cluster, author, *edit, *patch_of(activation={"serviceName": "payments"})) == [REFUSAL]


INVALID: dict[str, tuple[Manifest, str]] = {
    "a build that ends": (
        {"succeedWhen": "Completed", "activation": {"serviceName": "own"}},
        "activation points a Service at a server that stays up, and succeedWhen: Completed makes none",
    ),
    "without a name": ({"activation": {}}, "spec.activation.serviceName: Required value"),
    "a name that no Service can have": ({"activation": {"serviceName": "Own"}}, "spec.activation.serviceName"),
    "a strange recovery": ({"recovery": "Perhaps"}, "spec.recovery: Unsupported value"),
    "no time at all": ({"activation": {"serviceName": "own", "fallbackFor": "0s"}}, "spec.activation.fallbackFor"),
}


@pytest.mark.parametrize(("spec", "sentence"), INVALID.values(), ids=list(INVALID))
def test_what_makes_no_sense_is_refused(cluster: Cluster, spec: Manifest, sentence: str) -> None:
    assert sentence in refusal(cluster, periodic_build(**spec))


def test_the_default_is_to_recover(cluster: Cluster, existing: str) -> None:
    assert cluster.kubectl("get", existing, "--output=jsonpath={.spec.recovery}") == "Restart"
