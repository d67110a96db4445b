"""Why it does not run now: sentences, checks, and the first thing in the way (R10, R14, R17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.builders import a_build, a_cron, a_schedule, a_spec, an_entry
from tests.builders.answers import FAILED, FAILED_ENTRY, HOURLY, NOW, a_condition, a_status, facts_of, known, waiting
from tests.builders.attempts import a_pod, a_run, an_app_server

from periodicbuild.cli.chain import CHANGES, REFUSALS, TITLES, checks_on, checks_table
from periodicbuild.cli.in_progress import Seen, in_progress
from periodicbuild.cli.sentences import BLOCKERS, FATES, OUTCOMES, UNKNOWN, meaning_of
from periodicbuild.cli.why_now import why_now
from periodicbuild.core.facts import AppServerStatus, Starting
from periodicbuild.core.holds import GATED
from periodicbuild.core.reasons import Blocker, Fate, OutcomeReason, State
from periodicbuild.core.status import BuildStatus

if TYPE_CHECKING:
    from periodicbuild.cli.explanations import Knowledge


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
        (Blocker.BREAKER_OPEN, Seen(), [True, None, False, None, None, None]),
        (Blocker.GATE_CLOSED, Seen(), [False, True, False, None, None, None]),
        (Blocker.ROLLOUT_IMMINENT, Seen(), [False, True, False, None, None, None]),
        (Blocker.BUILD_IN_PROGRESS, AT_WORK, [False, False, True, None, None, None]),
        (Blocker.BUILD_IN_PROGRESS, Seen(), [False, False, False, None, None, None]),
        (Blocker.BUILD_IN_PROGRESS, Seen(is_blind=True), [False, False, True, None, None, None]),
        (Blocker.FORBIDDEN, Seen(), [False, False, False, True, None, None]),
        (Blocker.NAME_STILL_IN_USE, Seen(), [False, False, False, True, None, None]),
        (Blocker.POOL_FULL, Seen(), [False, False, False, False, True, None]),
        (Blocker.POOL_FULL, Seen(is_blind=True), [False, False, False, False, True, None]),
        (Blocker.START_RATE, AT_WORK, [False, False, True, False, False, True]),
    ],
)
def test_the_checks_come_in_the_operators_order_and_say_what_is_known(
    reason: Blocker, seen: Seen, blocks: list[bool | None]
) -> None:
    """R14."""
    status = a_status(waiting=waiting(reason))

    checks = checks_on(a_build(status=status), waiting(reason), seen, NOW)

    assert [one.title for one in checks] == [
        "breaker",
        "gate",
        "build in progress",
        "API refusal",
        "pool",
        "start rate",
    ]
    assert [one.blocks for one in checks] == blocks
    assert len(checks_table(checks).rows) == 6


def test_every_blocker_belongs_to_a_check() -> None:
    assert set(TITLES) | set(REFUSALS) | set(CHANGES) | GATED == set(Blocker)


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
        a_pod(failed, name="copied-labels", controller_uid="a-replica-set", is_ours=False),
    ]

    assert list(in_progress(build, [live, failed, done, dying], pods, NOW)) == [
        "AppServer nightly-20261124-023000-1 is ConfiguringServer for 5m: waits for main"
        " (attempt 1 of run 20261124-023000, begun 6m ago)",
        "pod nightly-20261124-010000-1 is terminating; its AppServer is Error",
        "pod left belongs to none of its AppServers",
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
    assert document["waiting"]["checks"][2] == {
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


def test_an_attempt_that_goes_on_is_told_by_its_state_and_what_else_is_in_progress_too() -> None:
    server = an_app_server(slot="2026-11-24T05:00:00", state=State.NEW)
    status = a_status(an_entry(slot="2026-11-24T05:00:00"), runs=(a_run(server),))

    facts = facts_of(why_now(known(status, server, seen=AT_WORK)))

    assert (facts["Attempt 1"], facts["In progress"]) == (
        "AppServer nightly-20261124-050000-1, New",
        "AppServer nightly-1 is ConfiguringServer for 5m",
    )
