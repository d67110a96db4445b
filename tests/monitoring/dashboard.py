"""Write the Grafana dashboard: `python -m tests.monitoring.dashboard`.

The one idea a newcomer would miss: a panel is a title, a sentence and expressions; everything that Grafana wants beside
that is the same for all panels of a sort, and stands here once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.figures import ROOT

FILE: Final = ROOT / "charts" / "periodicbuild" / "files" / "dashboard.json"
UID: Final = "periodicbuild"
SOURCE: Final = {"type": "prometheus", "uid": "$datasource"}
COLUMNS: Final = 24
"""Of Grafana's grid."""
IN_NAMESPACE: Final = '{namespace=~"$namespace"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel."""

    title: str
    description: str
    targets: dict[str, str]
    """Expression by legend."""
    sort: str = "timeseries"
    unit: str = "short"
    width: int = 8
    height: int = 7
    red_from: float | None = None
    """For a single number: what is worth a look."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a title."""

    title: str
    panels: tuple[Panel, ...]


def per_build(metric: str) -> str:
    """Put together what both replicas tell of each PeriodicBuild."""
    return f"max by (namespace, name) (periodicbuild_{metric}{IN_NAMESPACE})"


def number(title: str, description: str, expression: str, *, red_from: float | None = None) -> Panel:
    """Give a panel with one number."""
    return Panel(
        title=title,
        description=description,
        targets={"": expression},
        sort="stat",
        width=4,
        height=4,
        red_from=red_from,
    )


ROWS: Final = (
    Row(
        "At a glance",
        (
            number("PeriodicBuilds", "How many there are.", 'max(periodicbuild_objects{kind="PeriodicBuild"})'),
            number(
                "Failing",
                "PeriodicBuilds whose last run has failed.",
                f"count({per_build('consecutive_failures')} > 0) or vector(0)",
                red_from=1,
            ),
            number(
                "Overdue",
                "PeriodicBuilds whose slot has waited for more than five minutes.",
                f"count(time() - {per_build('next_run_timestamp_seconds')} > 300) or vector(0)",
                red_from=1,
            ),
            number("Suspended", "PeriodicBuilds that are not enabled.", f"sum({per_build('suspended')}) or vector(0)"),
            number(
                "Unaccounted slots",
                "Slots that are in no ledger, by an independent recount. Anything but 0 is a bug.",
                "max(periodicbuild_unaccounted_slots)",
                red_from=1,
            ),
            number("Leaders", "Replicas that act; one is right.", "sum(periodicbuild_leader)", red_from=2),
        ),
    ),
    Row(
        "Builds",
        (
            Panel(
                title="Slots by what became of them",
                description="Per hour. Skipped and missed slots have a reason that `kubectl periodicbuild why` tells.",
                targets={
                    "{{decision}} {{reason}}": "sum by (decision, reason) (increase(periodicbuild_slots_total[1h]))"
                },
            ),
            Panel(
                title="Runs that began, by what asked for them",
                description="Per hour.",
                targets={"{{trigger}}": "sum by (trigger) (increase(periodicbuild_runs_started_total[1h]))"},
            ),
            Panel(
                title="Runs that ended",
                description="Per hour; a run is all its attempts together.",
                targets={"{{result}}": "sum by (result) (increase(periodicbuild_runs_finished_total[1h]))"},
            ),
            Panel(
                title="Attempts that failed, by class",
                description="Per hour. Build: its own fault; Infrastructure and Disruption: the cluster's.",
                targets={
                    "{{class}}": "sum by (class) (increase(periodicbuild_provisioning_failures_total[1h]))",
                    "all attempts": "sum(increase(periodicbuild_provisioning_attempts_total[1h]))",
                },
            ),
            Panel(
                title="Time to a good build",
                description="From the creation of an AppServer to its success: half of them, and 95 %.",
                targets={
                    f"p{share}": f"histogram_quantile(0.{share}, sum by (le) "
                    '(rate(periodicbuild_provisioning_duration_seconds_bucket{result="Succeeded"}[6h])))'
                    for share in (50, 95)
                },
                unit="s",
            ),
            Panel(
                title="Lateness of starts",
                description="From a slot to its AppServer: half of them, and 99 %.",
                targets={
                    f"p{share}": f"histogram_quantile(0.{share}, sum by (le) "
                    "(rate(periodicbuild_schedule_lag_seconds_bucket[1h])))"
                    for share in (50, 99)
                },
                unit="s",
            ),
        ),
    ),
    Row(
        "Each PeriodicBuild",
        (
            Panel(
                title="Failures in a row",
                description="The twenty that have failed most often since they last succeeded.",
                targets={"{{namespace}}/{{name}}": f"topk(20, {per_build('consecutive_failures')} > 0)"},
                sort="bargauge",
            ),
            Panel(
                title="Time since the last success",
                description="The twenty oldest good builds.",
                targets={"{{namespace}}/{{name}}": f"topk(20, time() - {per_build('last_success_timestamp_seconds')})"},
                sort="bargauge",
                unit="s",
            ),
            Panel(
                title="Servers and builds that are there",
                description="AppServers that are being built or serve.",
                targets={"{{namespace}}": f"sum by (namespace) ({per_build('active_appservers')})"},
            ),
        ),
    ),
    Row(
        "People",
        (
            Panel(
                title="Notices",
                description="Tries to tell people, per hour.",
                targets={
                    "{{sink}} {{outcome}}": "sum by (sink, outcome) (increase(periodicbuild_notifications_total[1h]))"
                },
            ),
            Panel(
                title="Notices that are owed",
                description="Facts that people have not been told yet.",
                targets={"owed": "max(periodicbuild_notifications_pending)"},
            ),
            Panel(
                title="Time to tell",
                description="From a fact to the moment at which a mail server or another sink had taken it: 95 %.",
                targets={
                    "p95": "histogram_quantile(0.95, sum by (le) "
                    "(rate(periodicbuild_notification_delay_seconds_bucket[6h])))"
                },
                unit="s",
            ),
        ),
    ),
    Row(
        "The operator",
        (
            Panel(
                title="Requests to the API server",
                description="Per second, by answer; 429 is: too many.",
                targets={"{{code}}": "sum by (code) (rate(periodicbuild_kube_requests_total[5m]))"},
                unit="reqps",
            ),
            Panel(
                title="Time of requests",
                description="99 % of them, by verb.",
                targets={
                    "{{verb}}": "histogram_quantile(0.99, sum by (le, verb) "
                    "(rate(periodicbuild_kube_request_duration_seconds_bucket[5m])))"
                },
                unit="s",
            ),
            Panel(
                title="Work in line",
                description="Objects and writes that wait; it comes back to 0 after each herd.",
                targets={"{{instance}}": "sum by (instance) (periodicbuild_queue_depth)"},
            ),
            Panel(
                title="Looks that failed",
                description="Per second, by kind; each is tried again.",
                targets={
                    "{{kind}}": 'sum by (kind) (rate(periodicbuild_reconciles_total{outcome="Failed"}[5m]))',
                },
                unit="ops",
            ),
            Panel(
                title="Memory",
                description="Resident memory of each replica.",
                targets={"{{instance}}": "process_resident_memory_bytes and on (instance) periodicbuild_build_info"},
                unit="bytes",
            ),
            Panel(
                title="Processor",
                description="Of a core, by replica.",
                targets={
                    "{{instance}}": "rate(process_cpu_seconds_total[5m]) and on (instance) periodicbuild_build_info"
                },
                unit="percentunit",
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Give the whole dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in ROWS:
        panels.append(_row(row, len(panels) + 1, y))
        y += 1
        x = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + panel.height
            panels.append(_panel(panel, len(panels) + 1, x, y))
            x += panel.width
        y += row.panels[-1].height
    return {
        "uid": UID,
        "title": "periodicbuild",
        "description": "Builds at intervals: what became of each slot, who is told, and how the operator fares.",
        "tags": ["kubernetes", "periodicbuild"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "panels": panels,
    }


def text() -> str:
    """Give the file."""
    return json.dumps(dashboard(), indent=1) + "\n"


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {
            "name": "namespace",
            "label": "Namespace",
            "type": "query",
            "datasource": SOURCE,
            "query": "label_values(periodicbuild_suspended, namespace)",
            "refresh": 2,
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def _row(row: Row, id_: int, y: int) -> dict[str, Any]:
    position = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
    return {"id": id_, "type": "row", "title": row.title, "collapsed": False, "gridPos": position, "panels": []}


def _panel(panel: Panel, id_: int, x: int, y: int) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.red_from is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.red_from}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    is_instant = panel.sort != "timeseries"
    return {
        "id": id_,
        "type": panel.sort,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend or "__auto",
                "instant": is_instant,
                "range": not is_instant,
            }
            for number, (legend, expression) in enumerate(panel.targets.items())
        ],
    }


if __name__ == "__main__":
    Path(FILE).write_text(text())
