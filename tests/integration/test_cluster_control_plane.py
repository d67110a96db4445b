"""The control plane level, as tests of the operator use it."""

from __future__ import annotations

import json

import pytest
from tests.cluster.cluster import Cluster, KubectlError

pytestmark = pytest.mark.control_plane


def test_the_server_says_the_version_that_is_pinned(control_plane: Cluster) -> None:
    version = json.loads(control_plane.kubectl("version", "-o", "json"))

    assert version["serverVersion"]["gitVersion"] == "v1.37.1"


def test_a_user_without_a_role_may_do_nothing(control_plane: Cluster) -> None:
    nobody = control_plane.kubeconfig_for("nobody", ["nobodies"])

    with pytest.raises(KubectlError, match='User "nobody" cannot list resource "pods"'):
        control_plane.kubectl("get", "pods", kubeconfig=nobody)


def test_a_user_may_do_what_a_role_grants_to_a_group(control_plane: Cluster) -> None:
    control_plane.kubectl("create", "clusterrole", "pod-readers", "--verb=list", "--resource=pods")
    control_plane.kubectl("create", "clusterrolebinding", "pod-readers", "--clusterrole=pod-readers", "--group=readers")

    reader = control_plane.kubeconfig_for("reader", ["readers"])

    assert control_plane.kubectl("get", "pods", "-o", "name", kubeconfig=reader) == ""


def test_a_service_account_is_itself(control_plane: Cluster) -> None:
    account = control_plane.kubeconfig_for_service_account("default", "default")

    who = json.loads(control_plane.kubectl("auth", "whoami", "-o", "json", kubeconfig=account))

    assert who["status"]["userInfo"]["username"] == "system:serviceaccount:default:default"


def test_a_node_may_not_touch_another_node(control_plane: Cluster) -> None:
    node = control_plane.kubeconfig_for("system:node:one", ["system:nodes"])
    manifest = json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "two"}})

    with pytest.raises(KubectlError, match='node "one" is not allowed to modify node "two"'):
        control_plane.kubectl("create", "-f", "-", input=manifest, kubeconfig=node)


def test_the_audit_log_says_who_did_what(control_plane: Cluster) -> None:
    control_plane.kubectl("create", "configmap", "audited")

    lines = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]

    assert ("local-admin", "create", "audited") in {
        (line["user"]["username"], line["verb"], line.get("objectRef", {}).get("name")) for line in lines
    }


def test_objects_survive_a_restart_of_the_api_server(control_plane: Cluster) -> None:
    control_plane.kubectl("create", "configmap", "survivor")

    control_plane.restart_api_server()

    assert control_plane.kubectl("get", "configmap", "survivor", "-o", "name") == "configmap/survivor\n"


def test_what_a_deleted_owner_owned_is_collected(control_plane: Cluster) -> None:
    control_plane.kubectl("create", "configmap", "owner")
    uid = control_plane.kubectl("get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    metadata = {"name": "owned", "namespace": "default", "ownerReferences": [reference]}
    manifest = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    control_plane.kubectl("create", "-f", "-", input=manifest)

    control_plane.kubectl("delete", "configmap", "owner")

    control_plane.kubectl("wait", "configmap/owned", "--for=delete", "--timeout=60s")
