"""Pointing the Service at a server from the command line (R28)."""

from __future__ import annotations

import pytest
from tests.e2e.stage import Stage, see
from tests.integration.serving import (
    SERVER,
    SERVICE,
    a_manifest,
    a_served_build,
    active_server,
    apply,
    now_active,
    selector_of,
    switched_over,
)
from tests.integration.simulated_specs import a_server_spec, a_template
from tests.integration.test_cli_plugin import plugin_on

pytestmark = pytest.mark.simulated_nodes


def test_the_plug_in_switches_back_and_forth(stage: Stage) -> None:
    build, first, second = switched_over(stage)
    plugin = plugin_on(stage)

    answer = plugin.here("rollback", build.name)
    assert (answer.code, answer.out) == (0, f"appserver.periodicbuild.dev/{first.name} activated\n")
    assert selector_of(stage) == {SERVER: first.name}
    assert [one.state for one in stage.app_servers(build)] == ["Running", "Running"]

    answer = plugin.here("activate", build.name, "-o", "name")
    assert (answer.code, answer.out) == (0, f"appserver.periodicbuild.dev/{second.name}\n")
    manual = stage.create_by_hand(build, "by-hand")
    see(manual, lambda one: one.state == "Running" and one.condition("Ready").status == "True", "it is up")
    assert plugin.here("activate", build.name, "by-hand").code == 0
    now_active(stage, build, manual)


def test_the_plug_in_says_why_it_cannot(stage: Stage) -> None:
    apply(stage, a_manifest())
    build = a_served_build(stage)
    first = active_server(stage, build, 1)
    see(first, lambda one: one.condition("Ready").status == "True", "it is Ready")
    plain = stage.create("plain", a_server_spec(enabled=False))
    failed = stage.create_by_hand(build, "failed", template=a_template(pod={"nodeSelector": {"no": "where"}}))
    plugin = plugin_on(stage)

    refusals = {
        (
            "activate",
            plain.name,
        ): "PeriodicBuild plain has no spec.activation, so there is no Service to point anywhere",
        ("activate", build.name): f"AppServer {first.name} is active already",
        ("activate", build.name, "nobody"): f"nobody is no server of PeriodicBuild {build.name}",
        ("activate", build.name, failed.name): f"AppServer {failed.name} is not Ready, so it cannot serve",
        ("rollback", build.name): f"PeriodicBuild {build.name} has no fallback to go back to",
    }
    for arguments, sentence in refusals.items():
        answer = plugin.here(*arguments)
        assert (answer.code, answer.out) == (1, "")
        assert sentence in answer.err

    stage.kubectl("delete", "service", SERVICE)
    manual = stage.create_by_hand(build, "by-hand")
    failed.cancel()
    see(manual, lambda one: one.condition("Ready").status == "True", "another one is up")
    answer = plugin.here("activate", build.name, manual.name)
    assert (answer.code, "there is no Service front in this namespace" in answer.err) == (1, True), answer
