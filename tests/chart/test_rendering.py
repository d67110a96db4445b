"""What the chart renders, and what it refuses before anything is changed; no cluster is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.chart import generate, values_page
from tests.chart.helm import CHART, GENERATIONS, Helm, HelmError, Object, named
from tests.release.version import version

from periodicbuild.wiring.settings import parse_settings

MAIL = {"smtpHost": "smtp.example.com", "from": "Builds <builds@example.com>", "existingSecret": "smtp"}
EVERYTHING: dict[str, Any] = {
    "mail": {**MAIL, "caConfigMap": "ca", "to": ["a@example.com", "b@example.com"], "allowedDomains": ["example.com"]},
    "webhook": {"existingSecret": "hook", "signingKeyKey": "key", "caConfigMap": "hook-ca"},
    "slack": {"existingSecret": "slack"},
    "sources": {
        "allowedHosts": ["github.com", "*.example.com"],
        "privateHosts": ["http://git.tools.svc"],
        "existingSecret": "hosts",
        "caConfigMap": "hosts-ca",
    },
    "metrics": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
        "labels": {"release": "prometheus"},
    },
    "networkPolicy": {"enabled": True},
    "flowControl": {"enabled": True},
    "extraObjects": ["{apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ .Release.Name }}-more'}}"],
}


@pytest.fixture(scope="module", params=GENERATIONS, ids=lambda generation: f"helm {generation}")
def helm(request: pytest.FixtureRequest) -> Helm:
    """Give both generations, one after the other."""
    return Helm.of(request.param)


def refusal(helm: Helm, *arguments: str, values: dict[str, Any] | None = None) -> str:
    """Give what Helm says when it will not."""
    with pytest.raises(HelmError) as error:
        helm.run("template", "periodicbuild", CHART, *arguments, values=values or {})
    return str(error.value)


def arguments_of(objects: list[Object]) -> list[str]:
    """Give the operator's command line."""
    arguments: list[str] = named(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    return arguments


def test_the_chart_is_without_fault(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.run("lint", "--strict", CHART)
    assert "0 chart(s) failed" in helm.run("lint", "--strict", CHART, values=EVERYTHING)


def test_what_is_made_from_other_files_is_up_to_date() -> None:
    assert list(generate.outdated()) == []


def test_the_version_is_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version(), version())


def test_every_value_has_its_comment_and_its_place_in_the_schema() -> None:
    values_page.check_all_documented()
    schema = json.loads((CHART / "values.schema.json").read_text())

    def known(values: Any, schema: dict[str, Any], path: str) -> list[str]:
        if schema.get("additionalProperties") is not False:
            return []
        properties = schema["properties"]
        wrong = [f"{path}{key}" for key in set(properties) ^ set(values) if key != "global"]
        return wrong + [
            one for key in set(properties) & set(values) for one in known(values[key], properties[key], f"{path}{key}.")
        ]

    assert known(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "") == []


def test_the_release_is_safe_as_it_comes(helm: Helm) -> None:
    pod = named(helm.render(), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]["type"]) == (
        True,
        "RuntimeDefault",
    )
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
    assert "latest" not in container["image"]


def test_two_replicas_take_turns_and_one_stays_while_nodes_are_drained(helm: Helm) -> None:
    objects = helm.render()
    assert named(objects, "Deployment")["spec"]["replicas"] == 2
    assert named(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert "--leader-elect-identity=$(POD_NAME)" in arguments_of(objects)
    assert not [one for one in helm.render({"replicas": 1}) if one["kind"] == "PodDisruptionBudget"]


def test_credentials_are_files_and_come_from_secrets_that_exist(helm: Helm) -> None:
    objects = helm.render(EVERYTHING)
    pod = named(objects, "Deployment")["spec"]["template"]["spec"]
    secrets = {one["secret"]["secretName"] for one in pod["volumes"] if "secret" in one}
    assert secrets == {"smtp", "hook", "slack", "hosts"}
    assert not [one for one in pod["volumes"] if one.get("secret", {}).get("optional")]
    mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    files = [one.partition("=")[2] for one in arguments_of(objects) if "-file=" in one]
    assert len(files) == 8
    assert {file.rpartition("/")[0] for file in files} <= mounts
    assert not [one for one in objects if one["kind"] == "Secret"]


def test_hosts_of_sources_are_one_flag_each_and_their_credentials_a_folder(helm: Helm) -> None:
    objects = helm.render(EVERYTHING)
    flags = [one for one in arguments_of(objects) if one.startswith("--source-")]
    assert flags == [
        "--source-allowed-hosts=github.com,*.example.com",
        "--source-private-hosts=http://git.tools.svc",
        "--source-credentials-folder=/etc/periodicbuild/sources",
        "--source-ca-file=/etc/periodicbuild/sources-ca/ca.crt",
    ]
    assert parse_settings(["run", *flags]).sources.rules.plain == {"git.tools.svc"}
    volumes = {one["name"]: one for one in named(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]}
    assert volumes["sources"]["secret"] == {"secretName": "hosts"}, "every key is a host"
    assert not [one for one in arguments_of(helm.render()) if one.startswith("--source-")]


def test_in_namespaced_mode_there_is_no_right_beyond_the_namespaces(helm: Helm) -> None:
    objects = helm.render({"watchNamespaces": ["team-a", "team-b"]})
    assert not [one for one in objects if one["kind"].startswith("ClusterRole")]
    roles = [one for one in objects if one["kind"] == "Role" and one["metadata"]["name"] == "periodicbuild-operator"]
    assert [role["metadata"]["namespace"] for role in roles] == ["team-a", "team-b"]
    assert [one for one in arguments_of(objects) if one.startswith("--namespace")] == [
        "--namespace=team-a",
        "--namespace=team-b",
    ]
    cluster_wide = named(helm.render(), "ClusterRole", "periodicbuild-operator")
    assert roles[0]["rules"] == roles[1]["rules"]
    more = [rule for rule in cluster_wide["rules"] if rule not in roles[0]["rules"]]
    assert {resource for rule in more for resource in rule["resources"]} == {"buildgates", "buildgates/status"}
    assert len(cluster_wide["rules"]) == len(roles[0]["rules"]) + len(more)


def test_no_role_has_a_wildcard_a_secret_or_an_exec(helm: Helm) -> None:
    for role in (one for one in helm.render() if one["kind"] in {"Role", "ClusterRole"}):
        for rule in role["rules"]:
            words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not words & {"*", "secrets", "configmaps", "pods/exec", "pods/attach", "impersonate", "escalate"}


def test_kinds_stay_when_the_release_goes_unless_that_is_not_wanted(helm: Helm) -> None:
    def kept(objects: list[Object]) -> list[bool]:
        return [
            one["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
            for one in objects
            if one["kind"] == "CustomResourceDefinition"
        ]

    assert kept(helm.render()) == [True] * 3
    assert kept(helm.render({"crds": {"keep": False}})) == [False] * 3
    assert kept(helm.render({"crds": {"install": False}})) == []


def test_policies_are_installed_unless_that_is_not_wanted(helm: Helm) -> None:
    def count(values: dict[str, Any]) -> int:
        return sum(one["kind"] == "ValidatingAdmissionPolicy" for one in helm.render(values))

    assert (count({}), count({"admissionPolicies": {"install": False}})) == (5, 0)


def test_more_objects_may_use_templates(helm: Helm) -> None:
    assert named(helm.render(EVERYTHING), "ConfigMap", "periodicbuild-more")


def test_the_alerts_lead_to_the_runbooks_and_the_dashboard_of_the_place(helm: Helm) -> None:
    links = {"runbookUrl": "https://wiki.example.com/builds/", "grafanaUrl": "https://grafana.example.com"}
    objects = helm.render({"metrics": {"prometheusRule": {"enabled": True, **links}}})
    rules = [rule for group in named(objects, "PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
    assert rules[0]["annotations"]["runbook_url"] == "https://wiki.example.com/builds/PeriodicBuildOverdue"
    assert rules[0]["annotations"]["dashboard_url"] == "https://grafana.example.com/d/periodicbuild"
    assert "{{ $labels.name }}" in rules[0]["annotations"]["summary"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"mail": {"password": "hunter2"}}, "password"),
        ({"replicas": 0}, "replicas"),
        ({"replicas": "two"}, "replicas"),
        ({"watchNamespaces": ["Team_A"]}, "watchNamespaces"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"mail": {"tls": "tls"}}, "tls"),
        ({"sources": {"allowedHosts": ["https://github.com/team"]}}, "allowedHosts"),
        ({"mail": {"smtpHost": "smtp.example.com"}}, "mail.smtpHost is set and mail.from is not"),
        ({"mail": {"to": ["a@example.com"]}}, "need mail.smtpHost: without a server nobody gets mail"),
        ({"mail": {**MAIL, "heartbeat": "24h"}}, "mail.heartbeat needs mail.to"),
        ({"webhook": {"signingKeyKey": "key"}}, "webhook.signingKeyKey needs webhook.existingSecret"),
        (
            {"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}},
            "everything would be scraped twice: choose one",
        ),
        (
            {"metrics": {"serviceMonitor": {"enabled": True}, "service": {"enabled": False}}},
            "set metrics.service.enabled, or use metrics.podMonitor.enabled",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(helm: Helm, values: dict[str, Any], said: str) -> None:
    assert said in refusal(helm, values=values)


def test_an_old_kubernetes_is_refused(helm: Helm) -> None:
    said = refusal(helm, "--kube-version=1.29.9")
    assert "chart requires kubeVersion: >=1.30.0-0 which is incompatible with Kubernetes v1.29.9" in said
