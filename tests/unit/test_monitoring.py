"""Alerts, runbooks and dashboard fit each other, and speak of metrics that the operator has."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from tests.monitoring import dashboard
from tests.monitoring.alert_cases import CASES
from tests.monitoring.page import RUNBOOKS, sections
from tests.monitoring.registry import a_busy_operators_metrics
from tests.monitoring.rules import read_rules

METRIC: Final = re.compile(r"\b(?:periodicbuild|process)_\w+")
RULES: Final = read_rules()
PANELS: Final[list[dict[str, Any]]] = [panel for panel in dashboard.dashboard()["panels"] if panel["type"] != "row"]


def exported() -> set[str]:
    """Give the name of every series."""
    return {sample.name for family in a_busy_operators_metrics().registry.collect() for sample in family.samples} | {
        family.name for family in a_busy_operators_metrics().registry.collect()
    }


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_speaks_of_metrics_that_there_are(alert: str) -> None:
    named = set(METRIC.findall(RULES[alert]["expr"]))
    assert named
    assert named <= exported()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_speaks_of_metrics_that_there_are(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        named = set(METRIC.findall(target["expr"]))
        assert named
        assert named <= exported()


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_says_what_to_do_and_has_a_runbook(alert: str) -> None:
    rule = RULES[alert]
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert rule["annotations"]["runbook_url"].endswith(f"/runbooks/{alert}")
    assert rule["annotations"]["dashboard_url"] == f"/d/{dashboard.UID}"
    assert rule["labels"]["severity"] in {"warning", "critical"}
    found = sections(alert)
    assert list(found) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert all(found.values())


def test_every_runbook_belongs_to_an_alert_and_every_alert_is_tried() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == set(RULES)
    assert [case.alert for case in CASES] == list(RULES)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_can_be_read_by_somebody_who_has_never_seen_it(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "$datasource"


def test_panels_lie_beside_each_other_and_have_numbers_of_their_own() -> None:
    panels = dashboard.dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= dashboard.COLUMNS
        taken |= cells


def test_the_dashboard_is_the_one_that_is_shipped() -> None:
    assert json.loads(dashboard.FILE.read_text()) == dashboard.dashboard()
