"""What a cluster refuses, or does not have: one sentence with the way out, and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage
from tests.integration.simulated_specs import a_build_spec
from tests.integration.test_cli_plugin import Answer, Plugin, plugin_on

pytestmark = pytest.mark.simulated_nodes


@pytest.fixture(scope="module")
def plugin(shared_stage: Stage) -> Plugin:
    """Give the plug-in as the administrator has it."""
    return plugin_on(shared_stage)


@pytest.fixture(scope="module", autouse=True)
def build(shared_stage: Stage) -> PeriodicBuild:
    """Give one PeriodicBuild that starts nothing."""
    return shared_stage.create("nightly", a_build_spec(enabled=False))


@pytest.fixture(scope="module")
def stranger(shared_stage: Stage, plugin: Plugin) -> Plugin:
    """Give the plug-in as somebody without any rights has it."""
    return plugin.by(shared_stage.cluster.kubeconfig_for("stranger"))


def changed(plugin: Plugin, folder: Path, cluster: dict[str, object], user: dict[str, str] | None = None) -> Plugin:
    """Give the plug-in with a kubeconfig that says something else about the cluster (None removes), or who calls."""
    content = yaml.safe_load(plugin.kubeconfig.read_text())
    merged = content["clusters"][0]["cluster"] | cluster
    content["clusters"][0]["cluster"] = {name: value for name, value in merged.items() if value is not None}
    if user is not None:
        content["users"][0]["user"] = user
    path = folder / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(content))
    return plugin.by(path)


def test_a_name_that_does_not_exist_is_answered_by_the_namespace_and_near_names(plugin: Plugin) -> None:
    answers = {
        name: plugin(*command, name, "-n", namespace)
        for command, name, namespace in (
            (["status"], "nihgtly", plugin.namespace),
            (["history"], "zzz", plugin.namespace),
            (["run"], "nightly", "kube-public"),
            (["enable"], "other", "kube-public"),
        )
    }

    assert {name: answer.code for name, answer in answers.items()} == dict.fromkeys(answers, 1)
    assert answers["nihgtly"] == refusal(
        1, f"PeriodicBuild 'nihgtly' does not exist in namespace {plugin.namespace}: did you mean nightly?"
    )
    assert answers["zzz"] == refusal(
        1, f"PeriodicBuild 'zzz' does not exist in namespace {plugin.namespace}: there are nightly"
    )
    elsewhere = "PeriodicBuild 'nightly' does not exist in namespace kube-public, but in "
    assert answers["nightly"].err.startswith(f"error: {elsewhere}")
    assert answers["other"] == refusal(
        1, "PeriodicBuild 'other' does not exist in namespace kube-public, and no other: name the right one with -n"
    )


@pytest.mark.parametrize("command", ["status", "run"])
def test_who_has_no_rights_is_told_which_one_is_missing(stranger: Plugin, command: str) -> None:
    answer = stranger.here(command, "nightly")

    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("error: not allowed: periodicbuilds.periodicbuild.dev")
    assert 'User "stranger" cannot get' in answer.err
    assert answer.err.endswith("ask whoever runs the cluster for the right to get periodicbuilds\n")


def test_who_may_read_and_not_write_is_told_so_and_nothing_changes(shared_stage: Stage, plugin: Plugin) -> None:
    shared_stage.kubectl("create", "role", "reader", "--verb=get,list", "--resource=periodicbuilds,appservers")
    shared_stage.kubectl("create", "rolebinding", "reader", "--role=reader", "--user=reader")
    reader = plugin.by(shared_stage.cluster.kubeconfig_for("reader"))

    answers = [reader.here(command, "nightly") for command in ("enable", "run")]

    assert [answer.code for answer in answers] == [3, 3]
    assert all("for the right to patch periodicbuilds" in answer.err for answer in answers)
    assert reader.here("status").code == 0
    assert reader.here("disable", "nightly").out.endswith("unchanged: it was disabled already\n")
    assert reader.here("status", "nihgtly").err.endswith("did you mean nightly?\n")


def test_a_token_that_is_not_accepted_is_told_so(plugin: Plugin, tmp_path: Path) -> None:
    answer = changed(plugin, tmp_path, {}, {"token": "expired"}).here("status")

    assert answer == refusal(
        3,
        "the API server does not accept these credentials (401, periodicbuilds"
        f" {plugin.namespace}): log in to the cluster again",
    )


def test_a_certificate_that_is_not_trusted_is_told_so(plugin: Plugin, tmp_path: Path) -> None:
    content = yaml.safe_load(plugin.kubeconfig.read_text())
    server = content["clusters"][0]["cluster"]["server"]

    answer = changed(plugin, tmp_path, {"certificate-authority-data": None}).here("status")

    assert answer.code == 3
    assert answer.err.startswith(f"error: the certificate of {server} is not one that the kubeconfig trusts (")


def test_a_cluster_without_the_kinds_is_told_what_to_apply(plugin: Plugin, tmp_path: Path) -> None:
    """An API server answers for a path that nobody has registered as it does for a kind that nobody has."""
    server = yaml.safe_load(plugin.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]

    answer = changed(plugin, tmp_path, {"server": f"{server}/not-here"}).here("status")

    assert answer == refusal(3, "this cluster does not know PeriodicBuilds: kubectl apply -f crds/")


def refusal(code: int, sentence: str) -> Answer:
    """Give what is printed of an error, and nothing else."""
    return Answer(code, "", f"error: {sentence}\n")
