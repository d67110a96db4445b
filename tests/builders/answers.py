"""What the plug-in knows of one PeriodicBuild when it is asked why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.builders import a_build, a_calendar, a_cron, a_schedule, a_schedule_status, a_spec, an_entry, at
from tests.builders.attempts import a_result, an_app_server

from periodicbuild.cli.explanations import Explanation, Knowledge
from periodicbuild.cli.in_progress import Seen
from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild
from periodicbuild.core.reasons import Blocker, Outcome, OutcomeReason, State
from periodicbuild.core.status import BuildStatus, Condition, LedgerEntry, Slots, Waiting

if TYPE_CHECKING:
    from periodicbuild.core.schedules import Schedule

NOW = datetime(2026, 11, 24, 5, 0, 10, tzinfo=UTC)
HOURLY = a_schedule(timing=a_cron("0 * * * *"))
NIGHTLY = a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin", days="Mon Tue Wed Thu Fri"))


def a_condition(type_: str, status: str, reason: str, message: str = "") -> Condition:
    return Condition(
        type=type_, status=status, reason=reason, message=message, observed_generation=1, changed_at=at("2026-11-20")
    )


READY = a_condition("Ready", "True", "Accepted")


def a_status(  # noqa: PLR0913 - keywords, each with a default
    *ledger: LedgerEntry,
    schedule: Schedule = HOURLY,
    since: str = "2026-11-20T00:00:00",
    cursor: str | None = "2026-11-24T05:00:00",
    anchor: str | None = None,
    epoch: int = 2,
    waiting: Waiting | None = None,
    forgotten: int = 0,
    **more: Any,
) -> BuildStatus:
    """Give a status; `forgotten` slots were counted and are no longer listed."""
    due = sum(one.count for one in ledger) + forgotten
    return BuildStatus(
        schedule=a_schedule_status(in_force=schedule, since=since, cursor=cursor, anchor=anchor, epoch=epoch),
        slots=Slots(due=due + (waiting is not None), started=due),
        waiting=waiting,
        ledger=ledger,
        conditions=(READY,),
        **more,
    )


def known(
    status: BuildStatus, *app_servers: AppServer, seen: Seen | None = None, build: PeriodicBuild | None = None
) -> Knowledge:
    schedule = status.schedule.in_force if status.schedule is not None else HOURLY
    build = build or a_build(spec=a_spec(schedule=schedule), status=status)
    return Knowledge(build=build, app_servers=app_servers, seen=seen or Seen(), now=NOW)


def waiting(reason: Blocker = Blocker.BUILD_IN_PROGRESS, slot: str = "2026-11-24T05:00:00") -> Waiting:
    return Waiting(slot=at(slot), reason=reason, since_at=at(slot))


def facts_of(explanation: Explanation) -> dict[str, str]:
    return {label: cell.text for label, cell in explanation.facts}


FAILED = an_app_server(
    slot="2026-11-24T05:00:00",
    status=AppServerStatus(state=State.CONFIGURATION_FAILED, result=a_result(message="container main exited with 1")),
)
FAILED_ENTRY = an_entry(
    slot="2026-11-24T05:00:00", outcome=Outcome.FAILED, outcome_reason=OutcomeReason.RETRIES_USED_UP, epoch=2
)
