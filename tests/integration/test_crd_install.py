"""Plain `kubectl apply -f crds/` installs the definitions, and applying them again changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.cluster.waiting import wait_for
from tests.schema.definitions import CRDS, POD_TEMPLATE, SOURCES, definition, schema_of
from tests.schema.fields import fields
from tests.schema.installed import DEFINITIONS, install
from tests.schema.manifests import COMPLETE_SPEC, app_server, as_list, periodic_build
from tests.schema.pod_template import fetch_pod_template, pod_template_text

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

POLICIES = (
    "appserver-rights.periodicbuild.dev",
    "appserver-template.periodicbuild.dev",
    "periodicbuild-activation.periodicbuild.dev",
    "periodicbuild-rights.periodicbuild.dev",
    "periodicbuild-warnings.periodicbuild.dev",
)
INSTALLED = (
    *DEFINITIONS,
    *(f"validatingadmissionpolicy/{name}" for name in POLICIES),
    *(f"validatingadmissionpolicybinding/{name}" for name in POLICIES),
)


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions."""
    install(control_plane)
    return control_plane


def resource_versions(cluster: Cluster) -> str:
    """Return the version of each installed object; it changes with every write that changes something."""
    return cluster.kubectl("get", *INSTALLED, "--output=jsonpath={.items[*].metadata.resourceVersion}")


def test_the_committed_pod_template_is_that_of_the_cluster(cluster: Cluster) -> None:
    assert pod_template_text(fetch_pod_template(cluster.kubectl)) == POD_TEMPLATE.read_text("utf-8")


def test_applying_again_on_the_client_side_says_unchanged(cluster: Cluster) -> None:
    cluster.kubectl("apply", f"--filename={CRDS}")

    answers = cluster.kubectl("apply", f"--filename={CRDS}").splitlines()

    assert len(answers) == len(INSTALLED)
    assert all(answer.endswith(" unchanged") for answer in answers)


def test_applying_again_on_the_server_side_changes_nothing_and_conflicts_with_nobody(cluster: Cluster) -> None:
    cluster.kubectl("apply", f"--filename={CRDS}")
    cluster.kubectl("apply", "--server-side", f"--filename={CRDS}")
    before = resource_versions(cluster)

    cluster.kubectl("apply", "--server-side", f"--filename={CRDS}")

    assert resource_versions(cluster) == before


@pytest.mark.parametrize("crd", DEFINITIONS)
def test_the_definitions_are_structural_and_established(cluster: Cluster, crd: str) -> None:
    conditions = json.loads(cluster.kubectl("get", crd, "--output=jsonpath={.status.conditions}"))

    assert {condition["type"]: condition["status"] for condition in conditions} == {
        "NamesAccepted": "True",
        "Established": "True",
    }


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_passes_the_type_check(cluster: Cluster, name: str) -> None:
    def checked() -> dict[str, object] | None:
        policy = json.loads(cluster.kubectl("get", f"validatingadmissionpolicy/{name}", "--output=json"))
        status: dict[str, object] | None = policy.get("status")
        is_checked = status is not None and status.get("observedGeneration") == policy["metadata"]["generation"]
        return status if is_checked else None

    status = wait_for(checked, within_seconds=30, what="the controller manager has checked the policy's types")

    assert status["typeChecking"] == {}


@pytest.mark.parametrize("source", SOURCES)
def test_explain_describes_every_field_of_the_spec(cluster: Cluster, source: str) -> None:
    crd = definition(source)
    kind = crd["spec"]["names"]["singular"]
    top_level = [name for name in schema_of(crd)["properties"]["spec"]["properties"]]

    text = cluster.kubectl("explain", f"{kind}.spec")

    assert all(f"\n  {name}\t" in text for name in top_level)
    assert "<no description>" not in text


def test_explain_knows_the_fields_of_a_pod(cluster: Cluster) -> None:
    assert "limits\t<map[string]Object>" in cluster.kubectl("explain", "pb.spec.template.spec.containers.resources")


def test_explain_reaches_the_deepest_field(cluster: Cluster) -> None:
    schema = schema_of(definition("periodicbuilds.yaml"))["properties"]["spec"]
    deepest, field, _ = max(fields(schema), key=lambda field: field[0].count("."))

    text = cluster.kubectl("explain", f"pb.{deepest.replace('[]', '')}")
    assert " ".join(text.partition("DESCRIPTION:")[2].split()) == " ".join(field["description"].split())


def test_all_kinds_have_short_names_and_one_category(cluster: Cluster) -> None:
    listed = cluster.kubectl("api-resources", "--api-group=periodicbuild.dev", "--categories=periodic")

    rows = [row.split() for row in listed.splitlines()[1:]]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("appservers", "appsrv", "AppServer"),
        ("buildgates", "bgate", "BuildGate"),
        ("periodicbuilds", "pb", "PeriodicBuild"),
    ]


def test_lists_can_be_narrowed_by_fields(cluster: Cluster) -> None:
    cluster.kubectl(
        "apply", "--filename=-", input=as_list(periodic_build("selected"), app_server("s-1", **COMPLETE_SPEC))
    )

    try:
        for selector in ("spec.periodicBuildRef.name=openedx", "spec.run=20261122-023000", "spec.trigger=Schedule"):
            assert "s-1" in cluster.kubectl("get", "appsrv", f"--field-selector={selector}")
        assert "selected" in cluster.kubectl("get", "pb", "--field-selector=spec.enabled=false")
        assert "selected" not in cluster.kubectl("get", "pb", "--field-selector=spec.enabled=true")
    finally:
        cluster.kubectl("delete", "pb/selected", "appsrv/s-1")


def test_an_app_server_shows_its_state(cluster: Cluster) -> None:
    now = "2026-11-22T02:31:00Z"
    state = {"type": "Succeeded", "status": "True", "reason": "Running", "message": "", "lastTransitionTime": now}
    patch = json.dumps({"status": {"conditions": [state], "node": "node-1", "finishTime": now}})
    cluster.kubectl("apply", "--filename=-", input=as_list(app_server("shown", **COMPLETE_SPEC)))

    try:
        cluster.kubectl("patch", "appsrv/shown", "--subresource=status", "--type=merge", f"--patch={patch}")
        header, row = cluster.kubectl("get", "appsrv/shown").splitlines()
        assert header.split() == ["NAME", "STATE", "PERIODICBUILD", "TRIGGER", "ATTEMPT", "AGE"]
        assert row.split()[:5] == ["shown", "Running", "openedx", "Schedule", "1"]
    finally:
        cluster.kubectl("delete", "appsrv/shown")
