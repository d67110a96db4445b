"""Why it did not run then: the slot an instant belongs to, and what became of it (R10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import a_build, a_schedule, a_spec, an_entry, at
from tests.builders.answers import FAILED, FAILED_ENTRY, HOURLY, NIGHTLY, NOW, a_status, facts_of, known, waiting
from tests.builders.attempts import a_run, an_app_server

from periodicbuild.cli.why_now import why_now
from periodicbuild.cli.why_then import why_then
from periodicbuild.core.facts import Starting
from periodicbuild.core.reasons import Fate, Outcome, OutcomeReason
from periodicbuild.core.status import BuildStatus, LastFailure, LedgerEntry

SUPERSEDED = an_entry(slot="2026-11-24T02:00:00", until="2026-11-24T04:00:00", count=3, fate=Fate.SUPERSEDED, epoch=2)
NIGHT = an_entry(slot="2026-11-20T01:30:00", outcome=Outcome.SUCCEEDED, epoch=2)
"""A Friday's."""
FORMER = an_entry(slot="2026-11-19T12:00:00", fate=Fate.SCHEDULE_EDITED, epoch=1)
INTERVAL = a_schedule(every="3h")


@pytest.mark.parametrize(
    ("status", "instant", "answer"),
    [
        pytest.param(
            a_status(FAILED_ENTRY, SUPERSEDED),
            "2026-11-24T05:00:00",
            "The slot 2026-11-24T05:00:00Z (Tue 24 Nov 05:00 UTC, 10s ago): it was started, and its run has failed:",
            id="the very slot",
        ),
        pytest.param(
            a_status(FAILED_ENTRY, SUPERSEDED),
            "2026-11-24T03:00:30",
            "The slot 2026-11-24T03:00:00Z (Tue 24 Nov 03:00 UTC, 2h ago): it was skipped (Superseded: it waited until",
            id="one of several with the same fate",
        ),
        pytest.param(
            a_status(NIGHT, schedule=NIGHTLY, since="2026-11-19T13:00:00", cursor="2026-11-20T01:30:00"),
            "2026-11-22T12:00:00",
            "Nothing was due at 2026-11-22T12:00:00Z. The slot before was 2026-11-20T01:30:00Z (Fri 20 Nov 02:30 CET ="
            " 01:30 UTC, 4d3h ago): it was started, and its run has succeeded. The next one was 2026-11-23T01:30:00Z",
            id="a Sunday between two slots of working days",
        ),
        pytest.param(
            a_status(waiting=waiting()),
            "2026-11-24T05:00:05",
            "The slot 2026-11-24T05:00:00Z (Tue 24 Nov 05:00 UTC, 10s ago): it still waits (BuildInProgress: another",
            id="the slot that waits",
        ),
        pytest.param(
            a_status(SUPERSEDED, cursor="2026-11-24T04:00:00"),
            "2026-11-24T05:00:00",
            "The slot 2026-11-24T05:00:00Z (Tue 24 Nov 05:00 UTC, 10s ago): nobody has looked at it yet, or it waits",
            id="a slot that nobody has looked at",
        ),
        pytest.param(
            a_status(SUPERSEDED, forgotten=90),
            "2026-11-24T01:00:00",
            "The slot 2026-11-24T01:00:00Z (Tue 24 Nov 01:00 UTC, 4h ago): it was decided and counted, but status",
            id="a slot of the schedule in force that is no longer listed",
        ),
        pytest.param(
            a_status(SUPERSEDED, since="2026-11-24T01:30:00", forgotten=90),
            "2026-11-20T01:00:00",
            "Status no longer tells what was due then: it lists slots from 2026-11-24T02:00:00Z (Tue 24 Nov 02:00 UTC,",
            id="before what is known",
        ),
        pytest.param(
            a_status(
                an_entry(slot="2026-11-24T03:00:00", fate=Fate.MANUAL_SPAWN),
                an_entry(slot="2026-11-20T00:00:00"),
                schedule=INTERVAL,
                cursor="2026-11-24T03:00:00",
                anchor="2026-11-24T03:00:00",
                forgotten=9,
                runs=(a_run(an_app_server(slot="2026-11-20T00:00:00")),),
            ),
            "2026-11-22T00:00:00",
            "Status no longer tells what was due then: it lists slots from 2026-11-24T03:00:00Z",
            id="between a run that goes on since long ago and what is listed",
        ),
        pytest.param(
            a_status(SUPERSEDED, since="2026-11-24T01:30:00"),
            "2026-11-20T01:00:00",
            "No slot was due by 2026-11-20T01:00:00Z. The next one was 2026-11-24T02:00:00Z (Tue 24 Nov 02:00 UTC,"
            " 3h ago): Skipped/Superseded.",
            id="before the first slot",
        ),
        pytest.param(
            a_status(FORMER, schedule=a_schedule(enabled=False), since="2026-11-19T13:00:00", cursor=None),
            "2026-11-22T12:00:00",
            "Nothing was due at 2026-11-22T12:00:00Z. The schedule was off then, since 2026-11-19T13:00:00Z (4d16h"
            " ago). The slot before was 2026-11-19T12:00:00Z (4d17h ago): it was skipped (ScheduleEdited: the",
            id="while it was off",
        ),
        pytest.param(
            a_status(FORMER, schedule=a_schedule(every=None), since="2026-11-19T13:00:00", cursor=None),
            "2026-11-22T12:00:00",
            "Nothing was due at 2026-11-22T12:00:00Z. The schedule was not understood then, since 2026-11-19T13:00:00Z",
            id="while it was not understood",
        ),
        pytest.param(
            BuildStatus(),
            "2026-11-22T12:00:00",
            "Nobody has looked at it yet, so no schedule is in force. No slot was due by 2026-11-22T12:00:00Z.",
            id="a new one",
        ),
        pytest.param(
            a_status(schedule=INTERVAL, anchor="2026-11-24T01:00:00", cursor="2026-11-24T01:00:00"),
            "2026-11-24T04:00:00",
            "The slot 2026-11-24T04:00:00Z (1h ago): nobody has looked at it yet",
            id="an interval that nobody looks at",
        ),
    ],
)  # fmt: skip
def test_the_answer_about_an_instant_is_the_slot_it_belongs_to(status: BuildStatus, instant: str, answer: str) -> None:
    explanation = why_then(known(status, FAILED), at(instant))

    assert explanation.answer.startswith(answer), explanation.answer
    assert explanation.document["answer"] == explanation.answer
    assert explanation.tables()


@pytest.mark.parametrize("instant", ["2026-11-24T01:15:00", "2026-11-24T02:00:00"])
def test_a_date_that_had_its_build_before_the_epoch_has_no_slot(instant: str) -> None:
    """R6."""
    status = a_status(schedule=NIGHTLY, since="2026-11-24T01:00:00", cursor=None)
    assert status.schedule is not None
    used = replace(status, schedule=replace(status.schedule, used_date=at("2026-11-24").date()))

    document = why_then(known(used), at(instant)).document

    assert (document["found"], document["nextSlotTime"]) == ("nothing was due", "2026-11-25T01:30:00Z")


def test_a_ledger_that_was_emptied_knows_nothing_before_its_epoch() -> None:
    explanation = why_then(known(a_status(schedule=INTERVAL, forgotten=3, cursor=None)), at("2026-11-19T00:00:00"))

    assert explanation.document["found"] == "forgotten"
    assert explanation.document["knownSinceTime"] == "2026-11-20T00:00:00Z"


def test_a_slot_may_wait_for_its_spread() -> None:
    status = a_status(cursor="2026-11-24T04:00:00")
    spec = a_spec(schedule=HOURLY, starting=Starting(spread=timedelta(minutes=30)))

    explanation = why_then(known(status, build=a_build(spec=spec, status=status)), at("2026-11-24T05:00:00"))

    assert "with its spread it starts at 2026-11-24T05:" in explanation.answer


def test_a_slot_that_a_gate_has_held_back_names_it_for_as_long_as_it_is_listed() -> None:
    """R32."""
    text = "gate upgrade (me: new disks) is closed"
    entry = replace(an_entry(slot="2026-11-24T04:00:00", fate=Fate.GATE_CLOSED), message=text)

    explanation = why_then(known(a_status(entry)), at("2026-11-24T04:00:00"))

    assert f"it was skipped (GateClosed: {text})" in explanation.answer
    assert facts_of(explanation)["Because"] == text
    assert explanation.document["entry"]["message"] == text


def test_a_run_is_told_with_container_exit_code_and_message() -> None:
    facts = facts_of(why_then(known(a_status(FAILED_ENTRY, SUPERSEDED), FAILED), at("2026-11-24T05:00:00")))

    assert facts["Outcome"] == "Failed/RetriesUsedUp"
    assert facts["Attempt 1"] == (
        "AppServer nightly-20261124-050000-1, ConfigurationFailed while Configuring, container main, exit code 1:"
        " Build/NonZeroExit: container main exited with 1"
    )
    assert facts["Slot before"] == "2026-11-24T04:00:00Z (Tue 24 Nov 04:00 UTC, 1h ago): Skipped/Superseded"


@pytest.mark.parametrize(
    ("entry", "more", "answer"),
    [
        (FAILED_ENTRY, {}, "its run has failed: RetriesUsedUp."),
        (
            FAILED_ENTRY,
            {
                "last_failure": LastFailure(
                    run="20261124-050000", app_server="a", at=NOW, failure_class="Build", reason="Eof", message="gone"
                )
            },
            "its run has failed: Build/Eof: gone.",
        ),
        (an_entry(slot="2026-11-24T05:00:00"), {}, "it was started."),
        (
            an_entry(slot="2026-11-24T05:00:00"),
            {"runs": (a_run(an_app_server(slot="2026-11-24T05:00:00")),)},
            "it was started, and its run is in progress.",
        ),
        (
            an_entry(slot="2026-11-24T05:00:00", outcome=Outcome.CANCELLED, outcome_reason=OutcomeReason.BY_USER),
            {},
            "it was started, and its run was cancelled (ByUser).",
        ),
    ],
    ids=["its AppServer is gone", "the last failure is its own", "unknown", "in progress", "cancelled"],
)
def test_a_run_is_told_as_far_as_anything_still_knows_it(entry: LedgerEntry, more: dict[str, Any], answer: str) -> None:
    explanation = why_then(known(a_status(entry, **more)), at("2026-11-24T05:00:00"))

    assert answer in explanation.answer
    assert facts_of(explanation)["Attempts"] == "their AppServers are no longer kept (spec.history)"


@pytest.mark.parametrize(
    ("next_attempt", "outcome"),
    [
        (None, "in progress (attempt 1)"),
        ("2026-11-24T05:10:10", "in progress (attempt 2 is due 2026-11-24T05:10:10Z (in 10m))"),
    ],
)
def test_a_run_in_progress_tells_its_attempt(next_attempt: str | None, outcome: str) -> None:
    run = a_run(an_app_server(slot="2026-11-24T05:00:00"), next_attempt=next_attempt)
    status = a_status(an_entry(slot="2026-11-24T05:00:00"), runs=(run,))

    assert facts_of(why_now(known(status)))["Outcome"] == outcome


def test_programs_get_the_entry_and_its_neighbours() -> None:
    document = why_then(known(a_status(FAILED_ENTRY, SUPERSEDED)), at("2026-11-24T03:30:00")).document

    assert {name: value for name, value in document.items() if name not in ("answer", "entry")} == {
        "namespace": "team-a",
        "name": "nightly",
        "time": "2026-11-24T03:30:00Z",
        "found": "decided",
        "wasDue": False,
        "slotTime": "2026-11-24T03:00:00Z",
        "previousSlotTime": "2026-11-24T02:00:00Z",
        "nextSlotTime": "2026-11-24T04:00:00Z",
        "knownSinceTime": None,
        "waiting": None,
    }
    entry = document["entry"]
    assert (entry["count"], entry["slotTime"], entry["untilSlotTime"], entry["run"]) == (
        3,
        "2026-11-24T02:00:00Z",
        "2026-11-24T04:00:00Z",
        None,
    )
    assert entry["remedy"] == "let builds end sooner, put slots further apart, or set concurrencyPolicy: Replace"
