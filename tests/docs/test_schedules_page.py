"""The days on which the clock jumps are as docs/schedules.md says: the simulator is asked for each of them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest
from tests.bench.figures import ROOT

from periodicbuild.cli.__main__ import run

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = ROOT / "docs" / "schedules.md"
BERLIN: Final = ZoneInfo("Europe/Berlin")
DAYS: Final = ("2027-03-27", "2027-03-28", "2027-03-29", "2027-10-30", "2027-10-31", "2027-11-01")
"""The columns of the table."""
BEGUN: Final = "2027-03-26T01:30:00Z"
"""02:30 in Berlin."""
NIGHT: Final = {2, 3}
"""The hours that are shown."""
TEMPLATE: Final = {"spec": {"containers": [{"name": "main", "image": "busybox"}]}}


def cron(expression: str) -> dict[str, Any]:
    return {"cron": {"expression": expression, "timeZone": "Europe/Berlin"}}


SCHEDULES: Final = {
    "calendar `02:30`": {"calendar": {"time": "02:30", "timeZone": "Europe/Berlin"}},
    "cron `30 2 * * *`": cron("30 2 * * *"),
    "cron `30 */2 * * *`, its 02:30": cron("30 */2 * * *"),
    "interval `24h`, begun at 02:30 on 26 March": {"interval": {"every": "24h"}},
}


@pytest.fixture(scope="module")
def table() -> dict[str, list[str]]:
    """Give the table of the page: schedule to days."""
    lines = [line for line in PAGE.read_text().splitlines() if line.count("|") == len(DAYS) + 2]
    cells = [[cell.strip().replace("**", "") for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {schedule: days for schedule, *days in cells}


def starts(path: Path, schedule: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> list[datetime]:
    """Give when builds start, by the clock of Berlin."""
    spec = {"enabled": True, "schedule": schedule, "succeedWhen": "Completed", "template": TEMPLATE}
    head = {"apiVersion": "periodicbuild.dev/v1alpha1", "kind": "PeriodicBuild", "metadata": {"name": "nightly"}}
    path.write_text(json.dumps(head | {"spec": spec}))
    assert run(["simulate", "-f", str(path), "--from", BEGUN, "--to", "2027-11-02T00:00:00Z", "-o", "json"]) == 0
    slots = json.loads(capsys.readouterr().out)["slots"]
    return [datetime.fromisoformat(one["startTime"]).astimezone(BERLIN) for one in slots]


def test_the_page_shows_these_schedules(table: dict[str, list[str]]) -> None:
    assert table.keys() == SCHEDULES.keys()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_day_is_as_the_page_says(
    schedule: str, table: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at_night = [one for one in starts(tmp_path / "it.json", SCHEDULES[schedule], capsys) if one.hour in NIGHT]

    on_days = [[f"{one:%H:%M %Z}" for one in at_night if f"{one:%Y-%m-%d}" == day] for day in DAYS]
    assert [", ".join(times) or "none" for times in on_days] == table[schedule]
