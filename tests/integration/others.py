"""What other people put into a namespace: AppServers, pods, quotas, policies."""

from __future__ import annotations

import json

import pykube
from tests.cluster.cluster import KubectlError
from tests.e2e.objects import AppServer
from tests.e2e.stage import Stage, eventually
from tests.integration.simulated_specs import a_template

STAYS = "tests.local/stays"
"""A finalizer of nobody's: what carries it stays, being deleted, until `let_go`."""


def a_hand_made_app_server(stage: Stage, name: str, build: str, **metadata: object) -> AppServer:
    """Create an AppServer as a person does, with nothing but the name of a PeriodicBuild."""
    spec = {"periodicBuildRef": {"name": build}}
    return AppServer.made_of(stage.api, stage.namespace, name, spec, **metadata)


def a_foreign_pod(stage: Stage, name: str, **metadata: object) -> pykube.Pod:
    """Create a pod that has nothing to do with the operator."""
    body = {"metadata": {"name": name, "namespace": stage.namespace, **metadata}, "spec": a_template()["spec"]}
    pod = pykube.Pod(stage.api, body)
    pod.create()
    return pod


def let_go(resource: pykube.objects.APIObject) -> None:
    """Remove the finalizers, so that an object that is being deleted goes."""
    resource.patch({"metadata": {"finalizers": None}})


def a_full_quota(stage: Stage, namespace: str) -> pykube.ResourceQuota:
    """Allow no pods in a namespace, and wait until that is in force."""
    metadata = {"name": "pods", "namespace": namespace}
    quota = pykube.ResourceQuota(stage.api, {"metadata": metadata, "spec": {"hard": {"pods": "0"}}})
    quota.create()
    # A quota that is counted may still be unknown to the server's admission, which reads it from a watch.
    eventually(lambda: "exceeded quota" in _refusal_of_a_pod(stage, namespace), "the quota is in force")
    return quota


def a_restricted_namespace(stage: Stage) -> str:
    """Make a namespace whose pods must keep to the strictest of the Pod Security Standards."""
    name = stage.new_namespace()
    stage.cluster.kubectl("label", f"namespace/{name}", "pod-security.kubernetes.io/enforce=restricted")
    return name


def an_admission_policy(stage: Stage, namespace: str, reason: str, message: str) -> str:
    """Refuse every pod of a namespace, and wait until that works; return the policy's name."""
    name = f"no-pods-in-{namespace}"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules, "namespaceSelector": here},
        "validations": [{"expression": "false", "message": message, "reason": reason}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    for kind, spec in (("ValidatingAdmissionPolicy", policy), ("ValidatingAdmissionPolicyBinding", binding)):
        body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        stage.cluster.kubectl("create", "--filename=-", input=json.dumps(body))
    eventually(lambda: message in _refusal_of_a_pod(stage, namespace), "the policy works")
    return name


def remove_admission_policy(stage: Stage, name: str) -> None:
    """Remove a policy and its binding."""
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        stage.cluster.kubectl("delete", f"{kind}/{name}")


def _refusal_of_a_pod(stage: Stage, namespace: str) -> str:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": a_template()["spec"]}
    try:
        stage.cluster.kubectl(
            "create", "--dry-run=server", f"--namespace={namespace}", "--filename=-", input=json.dumps(pod)
        )
    except KubectlError as error:
        return str(error)
    return ""
