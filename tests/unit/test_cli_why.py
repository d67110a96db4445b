"""Why it does not run, and did not run then: the answer as a table of cases (R10, R14, R17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.builders import a_build, a_calendar, a_cron, a_schedule, a_schedule_status, a_spec, an_entry, at
from tests.builders.attempts import a_pod, a_result, a_run, an_app_server

from periodicbuild.cli.chain import REFUSALS, TITLES, checks_on, checks_table
from periodicbuild.cli.explanations import Explanation, Knowledge
from periodicbuild.cli.in_progress import Seen, in_progress
from periodicbuild.cli.sentences import BLOCKERS, FATES, OUTCOMES, UNKNOWN, meaning_of
from periodicbuild.cli.why_now import why_now
from periodicbuild.cli.why_then import why_then
from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild, Starting
from periodicbuild.core.reasons import Blocker, Fate, Outcome, OutcomeReason, State
from periodicbuild.core.status import BuildStatus, Condition, LastFailure, LedgerEntry, Slots, Waiting

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


@pytest.mark.parametrize(
    ("reasons", "table"),
    [(Fate, FATES), (Blocker, BLOCKERS), (OutcomeReason, OUTCOMES)],
    ids=["fates", "waits", "ends"],
)
def test_every_reason_has_its_sentence(reasons: type[Fate], table: dict[Fate, Any]) -> None:
    assert list(table) == list(reasons)
    assert all(meaning.text and not meaning.text.endswith(".") for meaning in table.values())


def test_a_remedy_names_the_object_and_an_unknown_reason_is_said_to_be_one() -> None:
    assert meaning_of("Disabled", FATES, "nightly").remedy.startswith("kubectl periodicbuild enable nightly, or")
    assert meaning_of("Eclipse", FATES, "nightly") == UNKNOWN


AT_WORK = Seen(sentences=("AppServer nightly-1 is ConfiguringServer for 5m",))


@pytest.mark.parametrize(
    ("reason", "seen", "blocks"),
    [
        (Blocker.BUILD_IN_PROGRESS, AT_WORK, [True, None, None, None]),
        (Blocker.BUILD_IN_PROGRESS, Seen(), [False, None, None, None]),
        (Blocker.BUILD_IN_PROGRESS, Seen(is_blind=True), [True, None, None, None]),
        (Blocker.FORBIDDEN, Seen(), [False, True, None, None]),
        (Blocker.NAME_STILL_IN_USE, Seen(), [False, True, None, None]),
        (Blocker.POOL_FULL, Seen(), [False, False, True, None]),
        (Blocker.POOL_FULL, Seen(is_blind=True), [False, False, True, None]),
        (Blocker.START_RATE, AT_WORK, [True, False, False, True]),
    ],
)
def test_the_checks_come_in_the_operators_order_and_say_what_is_known(
    reason: Blocker, seen: Seen, blocks: list[bool | None]
) -> None:
    """R14."""
    status = a_status(waiting=waiting(reason))

    checks = checks_on(a_build(status=status), waiting(reason), seen, NOW)

    assert [one.title for one in checks] == ["build in progress", "API refusal", "pool", "start rate"]
    assert [one.blocks for one in checks] == blocks
    assert len(checks_table(checks).rows) == 4


def test_every_blocker_belongs_to_a_check() -> None:
    assert set(TITLES) | set(REFUSALS) == set(Blocker)


def test_what_is_in_progress_is_named_with_its_state_and_pods_that_have_not_gone() -> None:
    """R17."""
    live = an_app_server(
        status=AppServerStatus(
            state=State.CONFIGURING_SERVER, message="waits for main", configuring_at=NOW - timedelta(minutes=5)
        ),
        uid="live",
    )
    failed = an_app_server(slot="2026-11-24T01:00:00", state=State.ERROR, uid="failed")
    done = an_app_server(slot="2026-11-24T00:00:00", state=State.RUNNING, uid="done")
    dying = an_app_server(slot="2026-11-23T00:00:00", state=State.NEW, is_deleting=True, uid="dying")
    build = a_build(status=BuildStatus(runs=(a_run(live, started=NOW - timedelta(minutes=6)),)))
    pods = [
        a_pod(live),
        a_pod(done),
        a_pod(failed, is_deleting=True),
        a_pod(failed, name="left", controller_uid="gone"),
    ]

    assert list(in_progress(build, [live, failed, done, dying], pods, NOW)) == [
        "AppServer nightly-20261124-023000-1 is ConfiguringServer for 5m: waits for main"
        " (attempt 1 of run 20261124-023000, begun 6m ago)",
        "pod nightly-20261124-010000-1 is terminating; its AppServer is Error",
        "pod left is left of an AppServer that is gone",
        "AppServer nightly-20261123-000000-1 is being deleted",
    ]


def test_a_run_between_attempts_holds_nothing_back_and_one_without_its_record_is_named() -> None:
    build = a_build(
        status=BuildStatus(
            runs=(
                a_run(an_app_server(uid="1"), next_attempt=NOW),
                a_run(an_app_server(attempt=2, uid="2"), started=NOW),
            )
        )
    )

    (sentence,) = in_progress(build, [], [], NOW)

    assert sentence.startswith("AppServer nightly-20261124-023000-2 is gone, which the operator has not seen yet")


FAILED = an_app_server(
    slot="2026-11-24T05:00:00",
    status=AppServerStatus(state=State.CONFIGURATION_FAILED, result=a_result(message="container main exited with 1")),
)
FAILED_ENTRY = an_entry(
    slot="2026-11-24T05:00:00", outcome=Outcome.FAILED, outcome_reason=OutcomeReason.RETRIES_USED_UP, epoch=2
)


@pytest.mark.parametrize(
    ("knowledge", "answer"),
    [
        pytest.param(
            known(BuildStatus()), "The operator has not answered this spec yet: is it up, and does it watch", id="new"
        ),
        pytest.param(
            known(a_status(), build=a_build(is_deleting=True)),
            "It is being deleted: nothing starts",
            id="being deleted",
        ),
        pytest.param(
            known(a_status(), build=a_build(generation=2, status=a_status())),
            "The operator has not answered this spec yet",
            id="edited since",
        ),
        pytest.param(
            known(replace(a_status(), conditions=(a_condition("Ready", "False", "InvalidTemplate", "no such field"),))),
            "It is not understood, or not accepted: no such field",
            id="not accepted",
        ),
        pytest.param(
            known(a_status(waiting=waiting()), seen=AT_WORK),
            "The slot 2026-11-24T05:00:00Z (Tue 24 Nov 05:00 UTC, 10s ago) waits: BuildInProgress: another build of it",
            id="a slot waits",
        ),
        pytest.param(
            known(a_status(schedule=a_schedule(enabled=False))),
            "It is disabled, so nothing is due: kubectl periodicbuild enable nightly",
            id="disabled",
        ),
        pytest.param(
            known(a_status(cursor="2026-11-24T01:00:00")),
            "4 slots are due since 2026-11-24T02:00:00Z (Tue 24 Nov 02:00 UTC, 3h ago) and nobody has looked: is the",
            id="nobody looks",
        ),
        pytest.param(
            known(a_status(cursor="2026-11-24T04:00:00")),
            "The slot 2026-11-24T05:00:00Z (Tue 24 Nov 05:00 UTC, 10s ago) is due: it starts at once, or waits for",
            id="due this second",
        ),
        pytest.param(
            known(a_status(schedule=a_schedule(timing=a_cron("30 2 31 2 *")), cursor=None)),
            "30 2 31 2 * Etc/UTC never comes: no slot lies in the next 50 years.",
            id="never due",
        ),
        pytest.param(
            known(a_status(FAILED_ENTRY), FAILED),
            "The last slot was 2026-11-24T05:00:00Z (Tue 24 Nov 05:00 UTC, 10s ago): it was started, and its run has"
            " failed: Build/NonZeroExit: container main exited with 1. The next slot is 2026-11-24T06:00:00Z",
            id="nothing is in the way, and the last run has failed",
        ),
        pytest.param(
            known(
                a_status(),
                build=a_build(
                    spec=a_spec(schedule=HOURLY, starting=Starting(spread=timedelta(minutes=30))), status=a_status()
                ),
            ),
            "The next slot is 2026-11-24T06:00:00Z (Tue 24 Nov 06:00 UTC, in 59m50s); with its spread it starts at",
            id="spread",
        ),
    ],
)
def test_the_answer_about_now_is_the_first_thing_in_the_way(knowledge: Knowledge, answer: str) -> None:
    explanation = why_now(knowledge)

    assert explanation.answer.startswith(answer)
    assert explanation.document["answer"] == explanation.answer
    assert explanation.tables()


def test_programs_get_the_chain_and_the_last_slot() -> None:
    status = a_status(FAILED_ENTRY, waiting=waiting(slot="2026-11-24T05:00:05"))

    document = why_now(known(status, FAILED, seen=AT_WORK)).document

    assert document["ready"] == {"status": "True", "reason": "Accepted", "message": "", "isCurrent": True}
    assert document["waiting"]["checks"][0] == {
        "check": "build in progress",
        "reason": "BuildInProgress",
        "blocks": True,
        "saw": "AppServer nightly-1 is ConfiguringServer for 5m",
    }
    assert document["lastSlot"]["attempts"] == [
        {
            "appServer": "nightly-20261124-050000-1",
            "attempt": 1,
            "state": "ConfigurationFailed",
            "finishTime": None,
            "failureClass": "Build",
            "reason": "NonZeroExit",
            "stage": "Configuring",
            "container": "main",
            "exitCode": 1,
            "signal": None,
            "message": "container main exited with 1",
        }
    ]
    assert (document["nextSlotTime"], document["nextStartTime"]) == ("2026-11-24T06:00:00Z", "2026-11-24T06:00:00Z")


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


def test_an_attempt_that_goes_on_is_told_by_its_state_and_what_else_is_in_progress_too() -> None:
    server = an_app_server(slot="2026-11-24T05:00:00", state=State.NEW)
    status = a_status(an_entry(slot="2026-11-24T05:00:00"), runs=(a_run(server),))

    facts = facts_of(why_now(known(status, server, seen=AT_WORK)))

    assert (facts["Attempt 1"], facts["In progress"]) == (
        "AppServer nightly-20261124-050000-1, New",
        "AppServer nightly-1 is ConfiguringServer for 5m",
    )


def test_a_ledger_that_was_emptied_knows_nothing_before_its_epoch() -> None:
    explanation = why_then(known(a_status(schedule=INTERVAL, forgotten=3, cursor=None)), at("2026-11-19T00:00:00"))

    assert explanation.document["found"] == "forgotten"
    assert explanation.document["knownSinceTime"] == "2026-11-20T00:00:00Z"


def test_a_slot_may_wait_for_its_spread() -> None:
    status = a_status(cursor="2026-11-24T04:00:00")
    spec = a_spec(schedule=HOURLY, starting=Starting(spread=timedelta(minutes=30)))

    explanation = why_then(known(status, build=a_build(spec=spec, status=status)), at("2026-11-24T05:00:00"))

    assert "with its spread it starts at 2026-11-24T05:" in explanation.answer


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
