"""A real Prometheus scrapes the operator, and a real Alertmanager tells of a build that fails, and is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.background import in_background
from tests.e2e.stage import Stage, eventually, see
from tests.e2e.templates import FAIL, SUCCEED, a_build_spec, a_template, every
from tests.monitoring.arrivals import alerts, states
from tests.monitoring.dashboard import ROWS
from tests.monitoring.prometheus import Prometheus, monitoring
from tests.receivers import Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.real_node

QUIET: Final = {"Failures in a row", "Looks that failed", "Work in line"}
"""Panels that show nothing where nothing is wrong."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Give what takes the alerts."""
    with in_background(receiving) as one:
        yield one


@pytest.fixture(scope="module")
def prometheus(
    operator: OperatorProcess, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """Give a Prometheus that scrapes the operator."""
    target = f"127.0.0.1:{operator.port}"
    with monitoring(tmp_path_factory.mktemp("prometheus"), [target], f"{receiver.url}/alerts") as one:
        eventually(lambda: [it["health"] for it in one.targets()] == ["up"], "the operator is scraped")
        yield one


@pytest.mark.usefixtures("prometheus")
def test_a_build_that_fails_again_and_again_is_an_alert_and_a_mended_one_is_none(
    stage: Stage, receiver: Receiver
) -> None:
    build = stage.create("broken", a_build_spec(FAIL, schedule=every("1s")))

    eventually(lambda: ("PeriodicBuildFailing", "firing") in states(receiver, "broken"), "the alert arrives")
    (told,) = [one for one in alerts(receiver, "broken") if one["status"] == "firing"][:1]
    assert told["labels"]["namespace"] == stage.namespace
    assert told["labels"]["severity"] == "warning"
    assert told["annotations"]["summary"].startswith(f"PeriodicBuild {stage.namespace}/broken has failed ")
    assert told["annotations"]["runbook_url"].endswith("/runbooks/PeriodicBuildFailing")

    build.patch({"spec": {"template": a_template(SUCCEED), "schedule": every("1s")}})
    see(build, lambda one: one.read("status.consecutiveFailures") in {0, None}, "it succeeds again")
    eventually(lambda: ("PeriodicBuildFailing", "resolved") in states(receiver, "broken"), "the alert is over")
    build.disable()


def test_both_sides_count_the_same(stage: Stage, prometheus: Prometheus) -> None:
    build = stage.create("counted", a_build_spec())
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it builds")
    here = f'{{namespace="{stage.namespace}",name="counted"}}'
    eventually(lambda: prometheus.query(f"periodicbuild_last_success_timestamp_seconds{here}"), "it is scraped")
    assert [one["value"][1] for one in prometheus.query(f"periodicbuild_interval_seconds{here}")] == ["86400"]
    assert [one["value"][1] for one in prometheus.query(f"periodicbuild_suspended{here}")] == ["0"]
    assert prometheus.query(f"time() - periodicbuild_next_run_timestamp_seconds{here} < 0")


@pytest.mark.parametrize("panel", [panel for row in ROWS for panel in row.panels], ids=lambda panel: panel.title)
def test_each_panel_of_the_dashboard_shows_something(panel: Any, prometheus: Prometheus) -> None:
    for expression in panel.targets.values():
        asked = expression.replace("$namespace", ".*")
        if panel.title in QUIET:
            prometheus.query(asked)
        else:
            eventually(lambda asked=asked: prometheus.query(asked), f"{panel.title} shows something")  # type: ignore[misc] # a loop's variable, bound
