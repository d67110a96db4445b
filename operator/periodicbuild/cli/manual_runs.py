"""Manual runs and recoveries, as their AppServers tell: the ledger has none of them (R10, R30)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from periodicbuild.cli.ledger_rows import failure_text
from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import absolute
from periodicbuild.core.reasons import Trigger
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.reasons import State


def manual_runs_of(app_servers: Iterable[AppServer]) -> list[AppServer]:
    """Pick the manual ones; each is a run of one attempt."""
    return [one for one in app_servers if one.trigger is Trigger.MANUAL]


def recoveries_of(app_servers: Iterable[AppServer]) -> list[AppServer]:
    """Pick the attempts of runs that answer the loss of a serving pod."""
    return [one for one in app_servers if one.trigger is Trigger.RECOVERY]


def recoveries_table(attempts: Sequence[AppServer]) -> Table:
    """Give a row per attempt."""
    return replace(manual_runs_table(attempts), title="Recoveries on record:")


def manual_runs_table(runs: Sequence[AppServer]) -> Table:
    """Give a row per run."""
    rows = [
        (
            Cell(one.ref.name),
            Cell(one.state.value, _mood(one.state)),
            Cell(absolute(one.created_at)),
            Cell(absolute(one.status.finished_at)),
            Cell(failure_text(one)),
        )
        for one in runs
    ]
    return Table(
        title="Manual runs on record:", columns=("APPSERVER", "STATE", "ASKED", "ENDED", "FAILURE"), rows=tuple(rows)
    )


def manual_run_document(run: AppServer) -> dict[str, Any]:
    """Give one run for programs; what is not known is left out."""
    status, result = run.status, run.status.result
    document = {
        "appServer": run.ref.name,
        "run": run.run,
        "state": run.state.value,
        "createTime": instant_text(run.created_at),
        "finishTime": None if status.finished_at is None else instant_text(status.finished_at),
        "failureClass": result and result.failure_class.value,
        "reason": result and result.reason,
        "message": result and result.message,
    }
    return {name: value for name, value in document.items() if value not in (None, "")}


def _mood(state: State) -> Mood:
    if state.has_succeeded:
        return Mood.GOOD
    return Mood.BAD if state.has_failed else Mood.PLAIN
