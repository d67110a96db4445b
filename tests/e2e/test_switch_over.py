"""Real traffic through a switch, a failed build, a switch back and the loss of the pod that serves (R28-R30)."""

from __future__ import annotations

import pytest
from tests.e2e.stage import Stage, eventually, see
from tests.e2e.switch_over import ENOUGH, SERVICE, SIGN, a_served_build, build_another, see_serving, switch_over
from tests.e2e.templates import PORT
from tests.e2e.traffic import Traffic

pytestmark = pytest.mark.real_node


def test_no_request_fails_while_servers_are_switched_and_none_reaches_a_failed_build(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clients use an address for a second after it has gone from the slices: the server before stays up."""
    seen = switch_over(stage)

    with capsys.disabled():
        print(f"\n  {seen.report}")  # noqa: T201 - the figure is the point of it
    assert seen.report.failures == []
    assert set(seen.report.answers) == {seen.first, seen.second}
    assert seen.report.requests >= 3 * ENOUGH


def test_a_server_that_fails_soon_is_switched_back_from_and_the_former_one_answers(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    build = a_served_build(stage)
    first = stage.attempt(build, 1, "Running")
    see_serving(stage, build, first)
    second = build_another(stage, build)
    see_serving(stage, build, see(second, lambda one: one.state == "Running", "the second server is up"))

    stage.kubectl("exec", second.name, "--", "rm", SIGN)

    see_serving(stage, build, first)
    assert build.read("status.activation.rolledBack") == second.name
    with Traffic(stage, SERVICE, PORT) as traffic:
        eventually(lambda: traffic.report.answers[first.name] >= ENOUGH, "the first server answers again")
    with capsys.disabled():
        print(f"\n  after the switch back: {traffic.report}")  # noqa: T201 - the figure is the point of it
    assert (traffic.report.failures, set(traffic.report.answers)) == ([], {first.name})
    eventually(lambda: stage.events(build).count("ActivationRolledBack") == 1, "one Event says so")
    see(second, lambda one: one.state == "Terminated", "what was no good is removed")


def test_a_lost_server_is_built_anew_and_served_from(stage: Stage) -> None:
    """R30: a node that is gone takes its pods with it; to the API that is a pod deleted by force."""
    build = a_served_build(stage)
    lost = stage.attempt(build, 1, "Running")
    see_serving(stage, build, lost)

    stage.kubectl("delete", "pod", lost.name, "--grace-period=0", "--force")

    new = stage.attempt(build, 2, "Running")
    see_serving(stage, build, new)
    assert new.read("spec.trigger") == "Recovery"
    with Traffic(stage, SERVICE, PORT) as traffic:
        eventually(lambda: traffic.report.answers[new.name] >= ENOUGH, "the new server answers")
    assert traffic.report.failures == []
    assert build.fates == ["Started/Due: Succeeded"]


def test_the_fallback_takes_over_at_once_when_the_server_is_lost(stage: Stage) -> None:
    build = a_served_build(stage)
    first = stage.attempt(build, 1, "Running")
    see_serving(stage, build, first)
    second = build_another(stage, build)
    see_serving(stage, build, see(second, lambda one: one.state == "Running", "the second server is up"))

    stage.kubectl("delete", "pod", second.name)

    see_serving(stage, build, first)
    stage.outlast()
    assert len(stage.app_servers(build)) == 2
