"""The tables of docs/alerts.md: metrics as the operator registers them, alerts as they are shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench.figures import ROOT
from tests.monitoring.registry import a_busy_operators_metrics
from tests.monitoring.rules import read_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric

PAGE: Final = ROOT / "docs" / "alerts.md"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"


def page(before: str) -> str:
    """Give the page with both tables made anew."""
    metrics = _table(("Metric", "Type", "Labels", "What it is"), _metrics())
    alerts = _table(("Alert", "For", "Severity", "Meaning"), _alerts())
    return _filled(_filled(before, "metrics", metrics), "alerts", alerts)


def _metrics() -> Iterator[Sequence[str]]:
    families = a_busy_operators_metrics().registry.collect()
    for family in sorted(families, key=lambda one: one.name):
        suffix = "_total" if family.type == "counter" else ""
        yield f"`{family.name}{suffix}`", family.type, ", ".join(_labels(family)), family.documentation


def _labels(family: Metric) -> list[str]:
    return sorted({label for sample in family.samples for label in sample.labels} - {"le"})


def _alerts() -> Iterator[Sequence[str]]:
    for alert, rule in read_rules().items():
        meaning = " ".join(sections(alert)["Meaning"].split())
        yield f"[{alert}](runbooks/{alert}.md)", str(rule.get("for", "")), rule["labels"]["severity"], meaning


def sections(alert: str) -> dict[str, str]:
    """Read the runbook of an alert: text by heading, in their order; the title has none."""
    title, *parts = (RUNBOOKS / f"{alert}.md").read_text().split("\n## ")
    assert title == f"# {alert}\n", title
    return {heading: text.strip() for heading, _, text in (part.partition("\n") for part in parts)}


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _filled(text: str, name: str, table: str) -> str:
    head, _, rest = text.partition(f"<!-- {name} -->")
    _, end, tail = rest.partition(f"<!-- end of {name} -->")
    return f"{head}<!-- {name} -->\n\n{table}\n\n{end}{tail}"
