"""The chart in a real cluster: installed, upgraded, rolled back, uninstalled, installed again, while builds go on."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.helm import CHART, NAMESPACE, RELEASE, HelmError
from tests.e2e.stage import eventually, see
from tests.e2e.templates import a_build_spec, every

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chart.stages import Site
    from tests.e2e.objects import PeriodicBuild

pytestmark = pytest.mark.real_node

with_helm_4 = pytest.mark.parametrize("site", [4], indirect=True)
"""For what does not depend on the generation."""


def an_older_chart(folder: Path) -> Path:
    """Give a chart as it might have been before: an older version, whose kinds know less."""
    chart = folder / "older"
    shutil.copytree(CHART, chart)
    text = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(text.replace("\nversion: ", "\nversion: 0.0.1 # "))
    file = chart / "files" / "crds" / "periodicbuilds.yaml"
    definition = yaml.safe_load(file.read_text())
    spec = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["breaker"]
    definition["metadata"]["annotations"] = {"periodicbuild.dev/definition": "older"}
    file.write_text(yaml.safe_dump(definition))
    return chart


def knows_breaker(site: Site) -> bool:
    """Tell whether the kind that is installed is today's."""
    crd = json.loads(site.cluster.kubectl("get", "crd", "periodicbuilds.periodicbuild.dev", "--output=json"))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return "breaker" in spec["properties"]


def ask_doctor(site: Site) -> str:
    """Run the chart's own test, and give what it says; raises HelmError if something is not in order."""
    return site.helm.run("test", RELEASE, f"--namespace={NAMESPACE}", "--logs", "--timeout=60s")


def go_on(build: PeriodicBuild, what: str) -> None:
    """See two more builds start."""
    build.reload()
    started = build.slots.get("started", 0)
    see(build, lambda one: one.slots.get("started", 0) >= started + 2, f"builds go on {what}")


def test_a_release_lives_and_builds_go_on(site: Site, tmp_path: Path) -> None:
    site.install(chart=an_older_chart(tmp_path))
    assert not knows_breaker(site)
    build = site.stage.create("often", a_build_spec(schedule=every("2s"), history={"successfulLimit": 2}))
    go_on(build, "after the installation")
    with pytest.raises(HelmError, match=r"FAILED +it is older than this plug-in and lacks spec.breaker"):
        ask_doctor(site)

    site.install()
    assert knows_breaker(site)
    assert "Succeeded" in ask_doctor(site)
    go_on(build, "after an upgrade")
    site.install(values={"operator": {"logLevel": "debug"}, "replicas": 1})
    go_on(build, "after a change of values")
    site.helm.run("rollback", RELEASE, "2", f"--namespace={NAMESPACE}", "--wait", "--timeout=120s")
    go_on(build, "after a rollback")
    build.reload()
    assert build.slots.get("missed", 0) == 0

    site.uninstall()
    assert build.exists()
    assert knows_breaker(site)
    site.install()
    go_on(build, "after it was installed again")
    counts = build.slots
    assert counts["due"] - counts["started"] - counts.get("skipped", 0) - counts.get("missed", 0) in {0, 1}
    build.disable()


@with_helm_4
def test_a_second_operator_for_the_same_builds_is_refused(site: Site) -> None:
    site.install(wait=False)
    site.make_namespace("another")
    try:
        for values in ({}, {"watchNamespaces": ["default"]}):
            with pytest.raises(HelmError, match="an operator runs the builds of all namespaces already"):
                site.install(release="second", namespace="another", values=values, wait=False)
    finally:
        site.cluster.kubectl("delete", "namespace", "another")


@with_helm_4
def test_two_operators_for_different_namespaces_live_side_by_side(site: Site) -> None:
    stage = site.stage
    one, other = stage.new_namespace(), stage.new_namespace()
    site.make_namespace("another")
    try:
        site.install(values={"watchNamespaces": [one], "replicas": 1})
        site.install(release="second", namespace="another", values={"watchNamespaces": [other], "replicas": 1})
        for namespace in (one, other):
            build = stage.create("once", a_build_spec(), namespace=namespace)
            see(build, lambda it: it.fates == ["Started/Due: Succeeded"], f"it is built in {namespace}")
        with pytest.raises(HelmError, match=f"an operator runs the builds of {one} already"):
            site.install(release="third", namespace="another", values={"watchNamespaces": [one]}, wait=False)
    finally:
        site.uninstall(release="second", namespace="another")
        site.cluster.kubectl("delete", "namespace", "another")


@with_helm_4
def test_a_secret_that_is_missing_is_named_by_the_pod(site: Site) -> None:
    mail = {"smtpHost": "smtp.example.com", "from": "builds@example.com", "existingSecret": "no-such-secret"}
    site.install(values={"mail": mail, "replicas": 1}, wait=False)

    def said() -> bool:
        events = site.cluster.kubectl(
            "get", "events", f"--namespace={NAMESPACE}", "--output=jsonpath={.items[*].message}"
        )
        return 'secret "no-such-secret" not found' in events

    eventually(said, "an Event of the pod names the Secret")


def test_kinds_that_somebody_else_has_brought_are_left_to_him(site: Site, tmp_path: Path) -> None:
    older = an_older_chart(tmp_path) / "files" / "crds"
    site.cluster.kubectl("apply", "--server-side", f"--filename={older}")
    try:
        said = site.install(wait=False)
        assert "WARNING: CustomResourceDefinition periodicbuilds.periodicbuild.dev was not installed by this" in said
        assert "appservers.periodicbuild.dev was not installed" not in said
        assert not knows_breaker(site)
        site.uninstall()
    finally:
        site.cluster.kubectl("delete", f"--filename={older}", "--ignore-not-found")


@with_helm_4
def test_kubectl_alone_will_do(site: Site, tmp_path: Path) -> None:
    repository, tag = site.image.reference
    overlay: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["manifests"],
        "images": [{"name": "periodicbuild/periodicbuild", "newName": repository, "newTag": tag}],
    }
    for folder in ("manifests", "crds"):
        shutil.copytree(CHART.parents[1] / folder, tmp_path / folder)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    site.cluster.kubectl("apply", "--server-side", "--force-conflicts", f"--kustomize={tmp_path}")
    try:
        site.cluster.kubectl(
            "rollout", "status", "deployment/periodicbuild", f"--namespace={NAMESPACE}", "--timeout=120s"
        )
        build = site.stage.create("once", a_build_spec())
        see(build, lambda it: it.fates == ["Started/Due: Succeeded"], "it is built")
    finally:
        site.cluster.kubectl("delete", "--ignore-not-found", f"--kustomize={tmp_path}")
