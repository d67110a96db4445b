"""What people are owed, when it is tried, and what becomes of it (R27, R38, R39, R44)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.builders import a_build, a_result, a_run, a_schedule, a_spec, an_app_server, at, some_retries
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, memory, told, verdict

from periodicbuild.core.facts import AppServer, AppServerStatus, BuildSpec
from periodicbuild.core.mail import Delivery, DeliveryProblem, FailingSince, MailStatus, PendingNotice
from periodicbuild.core.plans import DeleteAppServer
from periodicbuild.core.reasons import NoticeKind, SinkName, State
from periodicbuild.core.recipients import Notifications, Telling
from periodicbuild.core.status import LastFailure

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import BuildStatus

RUN = "20261123-023000"
FAILED_AT = "2026-11-23T02:40:00"
NOW = "2026-11-23T03:00:00"
BY_MAIL = Telling(sinks=frozenset({SinkName.EMAIL}), to=("ops@example.com",))
BOTH_WAYS = Telling(sinks=frozenset({SinkName.EMAIL, SinkName.SLACK}), to=("ops@example.com",))
SINCE = FailingSince(run="20261122-023000", at=at("2026-11-22T02:40:00"))
EVERY_ATTEMPT = Notifications(to=("me@example.com",), events=frozenset(NoticeKind))


def an_attempt(state: State, *, token: str | None = None, cancelled: bool = False) -> AppServer:
    """Give an attempt of the run of `PREVIOUS`, or of a manual one, that has ended."""
    result = a_result() if state.has_failed else None
    status = AppServerStatus(state=state, finished_at=at(FAILED_AT), result=result)
    return an_app_server(slot=PREVIOUS, token=token, status=status, cancelled=cancelled)


FAILURE = an_attempt(State.CONFIGURATION_FAILED)
SUCCESS = an_attempt(State.COMPLETED)


def ending(
    child: AppServer, *, mail: MailStatus | None = None, spec: BuildSpec | None = None, telling: Telling = BY_MAIL
) -> BuildPlan:
    """Look at a build whose one run has just ended."""
    status = replace(a_status(runs=[a_run(child)]), mail=mail or MailStatus())
    return a_look(a_build(spec=spec, status=status), NOW, children=[child], telling=telling)


def a_notice(key: str = f"{RUN}/RunFailed", **fields: object) -> PendingNotice:
    """Give one that is owed by mail since `NOW` and has not been tried."""
    notice = PendingNotice(
        key=key, since_at=at(NOW), sinks=(SinkName.EMAIL,), app_server=FAILURE.ref.name, reason="RetriesUsedUp"
    )
    return replace(notice, **fields)  # type: ignore[arg-type] # any field of the notice


def test_a_failed_run_is_owed_in_the_write_that_tells_of_it_and_sent_after_that() -> None:
    plan = ending(FAILURE)
    since = FailingSince(run=RUN, at=at(FAILED_AT))
    owed = a_notice(failing_since=since, failures=1)
    assert memory(plan).mail == MailStatus(failing_since=since, pending=(owed,))
    after = a_look(a_build(status=memory(plan)), NOW, children=[FAILURE], telling=BY_MAIL)
    assert after.tell == (owed,)


def test_the_thread_goes_on_with_every_failure_until_a_success() -> None:
    mail = memory(ending(FAILURE, mail=MailStatus(failing_since=SINCE))).mail
    assert (mail.failing_since, mail.pending[0].failing_since) == (SINCE, SINCE)


def test_the_first_success_after_a_failure_is_told_once_and_ends_the_thread() -> None:
    mail = memory(ending(SUCCESS, mail=MailStatus(failing_since=SINCE, last_reminder_at=at(PREVIOUS)))).mail
    assert mail == MailStatus(pending=(a_notice(f"{RUN}/RunRecovered", reason="", failing_since=SINCE),))


NOT_TOLD = {
    "a success after a success": (SUCCESS, MailStatus(), BY_MAIL),
    "what was cancelled": (an_attempt(State.CANCELLED, cancelled=True), MailStatus(failing_since=SINCE), BY_MAIL),
    "a failure while nobody is named": (FAILURE, MailStatus(), Telling(sinks=frozenset({SinkName.EMAIL}))),
    "a failure without a way to tell it": (FAILURE, MailStatus(), Telling(to=("ops@example.com",))),
}


@pytest.mark.parametrize(("child", "mail", "telling"), NOT_TOLD.values(), ids=list(NOT_TOLD))
def test_nobody_is_told(child: AppServer, mail: MailStatus, telling: Telling) -> None:
    """R25, R38."""
    assert memory(ending(child, mail=mail, telling=telling)).mail.pending == ()


def test_a_failure_that_nobody_was_told_of_still_begins_the_thread() -> None:
    """Whoever is named later hears when it is over."""
    assert memory(ending(FAILURE, telling=Telling())).mail.failing_since == FailingSince(run=RUN, at=at(FAILED_AT))


def test_a_manual_failure_is_told_and_counts_no_run_of_the_schedule() -> None:
    """R27."""
    child = an_attempt(State.ERROR, token=REQUEST)
    (notice,) = memory(ending(child)).mail.pending
    assert (notice.key, notice.failures) == (f"{child.run}/RunFailed", 0)


def test_a_failure_with_a_template_of_its_own_is_told_and_says_nothing_about_the_build() -> None:
    """R27."""
    mail = memory(ending(replace(FAILURE, has_own_template=True))).mail
    assert mail == MailStatus(pending=(a_notice(),))


def test_an_attempt_is_told_to_those_who_asked_for_it_when_another_one_follows() -> None:
    spec = a_spec(retries=some_retries(limit=1), notifications=EVERY_ATTEMPT)
    (notice,) = memory(ending(FAILURE, spec=spec, telling=replace(BY_MAIL, to=()))).mail.pending
    assert notice == a_notice(f"{RUN}/AttemptFailed/1", reason="")


def test_the_last_attempt_is_told_as_the_end_of_the_run_only() -> None:
    (notice,) = memory(ending(FAILURE, spec=a_spec(notifications=EVERY_ATTEMPT))).mail.pending
    assert notice.kind == NoticeKind.RUN_FAILED


# Reminders


def a_failing_build(
    *, last_reminder: str | None = None, every: timedelta = timedelta(hours=12), enabled: bool = True
) -> PeriodicBuild:
    """Give one that has failed at `FAILED_AT`, and is not due again for long."""
    failure = LastFailure(
        run=RUN, app_server=FAILURE.ref.name, at=at(FAILED_AT), failure_class="Build", reason="", message=""
    )
    mail = MailStatus(failing_since=SINCE, last_reminder_at=None if last_reminder is None else at(last_reminder))
    status = replace(a_status(), last_failure=failure, consecutive_failures=2, mail=mail)
    spec = a_spec(schedule=a_schedule(enabled=enabled), notifications=Notifications(remind_every=every))
    in_force = status.schedule
    assert in_force is not None
    schedule = replace(in_force, in_force=spec.schedule)
    return a_build(spec=spec, status=replace(status, schedule=schedule))


def test_a_failure_that_lasts_is_told_again() -> None:
    build = a_failing_build()
    assert a_look(build, "2026-11-23T14:39:59", telling=BY_MAIL).wake.steady == at("2026-11-23T14:40:00")
    plan = a_look(build, "2026-11-23T14:40:00", telling=BY_MAIL)
    mail = memory(plan).mail
    assert mail.last_reminder_at == at("2026-11-23T14:40:00")
    assert mail.pending == (
        a_notice(
            f"{RUN}/StillFailing/20261123-144000",
            since_at=at("2026-11-23T14:40:00"),
            reason="",
            failing_since=SINCE,
            failures=2,
        ),
    )
    assert plan.wake.steady == at("2026-11-24T02:40:00")


def test_a_reminder_counts_from_the_last_one() -> None:
    plan = a_look(a_failing_build(last_reminder="2026-11-23T14:40:00"), "2026-11-23T20:00:00", telling=BY_MAIL)
    assert plan.wake.steady == at("2026-11-24T02:40:00")


@pytest.mark.parametrize(
    ("build", "telling"),
    [
        (a_failing_build(enabled=False), BY_MAIL),
        (a_failing_build(), Telling()),
        (a_build(status=a_status()), BY_MAIL),
    ],
    ids=["of what is turned off", "without a way to tell it", "of what has not failed"],
)
def test_there_is_no_reminder(build: PeriodicBuild, telling: Telling) -> None:
    plan = a_look(build, "2026-11-23T20:00:00", telling=telling)
    assert plan.tell == ()
    assert plan.wake.steady is None


def test_there_is_no_reminder_while_a_run_may_tell_more() -> None:
    child = an_app_server(slot=PREVIOUS, state=State.CONFIGURING_SERVER)
    build = a_failing_build()
    build = replace(build, status=replace(build.status, runs=(a_run(child),)))
    plan = a_look(build, "2026-11-23T20:00:00", children=[child], telling=BY_MAIL)
    assert memory(plan).mail.pending == ()


# Tries


def trying(
    notice: PendingNotice, delivery: Delivery | None, now: str = NOW, *, problem: DeliveryProblem | None = None
) -> BuildPlan:
    """Look at a build that owes one thing, after a try."""
    mail = MailStatus(pending=(notice,), problem=problem)
    build = a_build(status=replace(a_status(), mail=mail))
    return a_look(build, now, deliveries=[delivery] if delivery else [], telling=BOTH_WAYS)


def a_delivery(*, tries: int = 0, **fields: object) -> Delivery:
    """Give what became of a try: nothing good, unless told otherwise."""
    return replace(Delivery(key=f"{RUN}/RunFailed", tries=tries), **fields)  # type: ignore[arg-type] # any field


MAIL_TAKEN = a_delivery(delivered=frozenset({SinkName.EMAIL}))
NOBODY_THERE = a_delivery(problem="mail.example.com:587 does not answer")


def test_what_was_delivered_is_taken_off_the_list() -> None:
    plan = trying(a_notice(), MAIL_TAKEN)
    assert memory(plan).mail == MailStatus(last_sent_at=at(NOW))
    assert verdict(plan, "Notified") == ("True", "NothingPending", "everybody has been told everything")


def test_before_the_first_try_it_is_about_to_be_told() -> None:
    plan = trying(a_notice(), None)
    assert plan.tell == (a_notice(),)
    assert verdict(plan, "Notified") == ("True", "Pending", f"{RUN}/RunFailed is about to be told")


PAUSES = [
    (0, "2026-11-23T03:01:00"),
    (1, "2026-11-23T03:05:00"),
    (2, "2026-11-23T03:15:00"),
    (3, "2026-11-23T04:00:00"),
    (26, "2026-11-23T04:00:00"),
]


@pytest.mark.parametrize(("tries", "next_try"), PAUSES)
def test_it_is_tried_again_after_a_minute_five_fifteen_and_then_every_hour(tries: int, next_try: str) -> None:
    plan = trying(a_notice(tries=tries), replace(NOBODY_THERE, tries=tries))
    after = a_notice(tries=tries + 1, next_at=at(next_try))
    assert memory(plan).mail.pending == (after,)
    assert verdict(plan, "Notified") == ("Unknown", "Retrying", NOBODY_THERE.problem)
    later = a_look(a_build(status=memory(plan)), NOW, telling=BY_MAIL)
    assert (later.tell, later.wake.steady) == ((), at(next_try))
    assert a_look(a_build(status=memory(plan)), next_try, telling=BY_MAIL).tell == (after,)


def test_the_result_of_an_earlier_try_says_nothing_about_a_later_one() -> None:
    """It stays in memory until the write that takes it up was accepted."""
    notice = a_notice(tries=1, next_at=at(NOW))
    assert memory(trying(notice, NOBODY_THERE)).mail.pending == (notice,)


def test_after_a_day_of_tries_it_is_given_up_with_a_condition_and_an_event() -> None:
    notice = a_notice(tries=27)
    plan = trying(notice, replace(NOBODY_THERE, tries=27))
    problem = DeliveryProblem(reason="DeliveryFailed", message=NOBODY_THERE.problem, at=at(NOW))
    assert memory(plan).mail == MailStatus(problem=problem)
    assert verdict(plan, "Notified") == ("False", "DeliveryFailed", NOBODY_THERE.problem)
    (event,) = plan.events
    assert (event.type, event.reason, event.key) == ("Warning", "NotificationFailed", notice.key)
    assert event.note == f"{notice.key} was not told and will not be: {NOBODY_THERE.problem}"


def test_an_operator_that_was_down_for_days_has_tried_nothing() -> None:
    notice = a_notice(since_at=at("2026-11-01T00:00:00"))
    assert memory(trying(notice, NOBODY_THERE)).mail.pending[0].next_at == at("2026-11-23T03:01:00")


def test_what_will_never_be_taken_is_given_up_at_once() -> None:
    refusal = a_delivery(given_up=frozenset({SinkName.EMAIL}), problem="the server will not have the text")
    plan = trying(a_notice(), refusal)
    assert memory(plan).mail.pending == ()
    assert verdict(plan, "Notified")[:2] == ("False", "DeliveryFailed")
    assert told(plan) == ("NotificationFailed",)


def test_a_refused_recipient_is_noted_and_the_others_have_it() -> None:
    """R38: partial refusal is success with a note."""
    refused = replace(MAIL_TAKEN, problem="550 no such user", refused=("gone@example.org", "x@example.org"))
    plan = trying(a_notice(), refused)
    assert memory(plan).mail.pending == ()
    assert verdict(plan, "Notified") == ("False", "RecipientRefused", "550 no such user (at example.org)")
    (event,) = plan.events
    assert (event.type, event.key) == ("Warning", f"{RUN}/RunFailed")
    assert event.note == f"{RUN}/RunFailed: 550 no such user (at example.org)"


def test_if_all_are_refused_it_is_told_once() -> None:
    refused = a_delivery(given_up=frozenset({SinkName.EMAIL}), problem="550 no such user", refused=("x@example.org",))
    plan = trying(a_notice(), refused)
    assert memory(plan).mail.pending == ()
    assert told(plan) == ("NotificationFailed",)
    assert verdict(plan, "Notified")[1] == "RecipientRefused"


def test_a_sink_that_has_it_is_not_asked_again() -> None:
    notice = a_notice(sinks=(SinkName.EMAIL, SinkName.SLACK))
    (after,) = memory(trying(notice, replace(MAIL_TAKEN, problem="hooks.example.com answered 500"))).mail.pending
    assert after.sinks == (SinkName.SLACK,)


def test_what_else_is_owed_stays_owed() -> None:
    others = [a_notice(f"{day}/RunFailed") for day in ("20261120", "20261121", "20261122")]
    build = a_build(status=replace(a_status(), mail=MailStatus(pending=(others[0], a_notice(), *others[1:]))))
    plan = a_look(build, NOW, deliveries=[MAIL_TAKEN], telling=BOTH_WAYS)
    assert memory(plan).mail.pending == tuple(others)
    mail = memory(ending(FAILURE, mail=MailStatus(failing_since=SINCE, pending=(others[0],)))).mail
    assert [notice.key for notice in mail.pending] == [others[0].key, f"{RUN}/RunFailed"]


FAILED_BEFORE = DeliveryProblem(reason="DeliveryFailed", message="before", at=at(PREVIOUS))


def test_what_was_given_up_is_not_forgotten_while_the_next_one_is_still_tried() -> None:
    plan = trying(a_notice(), NOBODY_THERE, problem=FAILED_BEFORE)
    assert verdict(plan, "Notified") == ("False", "DeliveryFailed", NOBODY_THERE.problem)


def test_a_delivery_without_a_blemish_takes_back_what_was_wrong() -> None:
    assert memory(trying(a_notice(), MAIL_TAKEN, problem=FAILED_BEFORE)).mail.problem is None


def test_of_more_than_ten_the_oldest_is_given_up_and_the_newest_says_so() -> None:
    old = tuple(a_notice(f"2026112{n}-000000/RunFailed", left_out=n) for n in range(10))
    plan = ending(FAILURE, mail=MailStatus(failing_since=SINCE, pending=old))
    mail = memory(plan).mail
    assert [notice.key for notice in mail.pending] == [*(one.key for one in old[1:]), f"{RUN}/RunFailed"]
    assert mail.pending[-1].left_out == 1
    assert told(plan) == ("BuildFailed", "NotificationFailed")
    again = ending(FAILURE, mail=MailStatus(failing_since=SINCE, pending=(*old[1:], a_notice("x/RunFailed"))))
    assert memory(again).mail.pending[-1].left_out == 2


def test_the_record_of_what_is_still_to_be_told_is_kept() -> None:
    """R29: the mail says what it holds."""
    older = [
        replace(FAILURE, ref=replace(FAILURE.ref, name=f"old-{n}", uid=f"old-{n}"), run=f"old-{n}") for n in range(2)
    ]
    status = replace(a_status(), mail=MailStatus(pending=(a_notice("old-0/RunFailed"),)))
    plan = a_look(a_build(status=status), NOW, children=[FAILURE, *older], telling=BY_MAIL)
    removed = {action.name for action in plan.then if isinstance(action, DeleteAppServer)}
    assert removed == {FAILURE.ref.name}


def test_nothing_old_is_told_after_a_lost_status() -> None:
    """R44."""
    plan = a_look(a_build(), NOW, children=[FAILURE], telling=BY_MAIL)
    assert memory(plan).mail == MailStatus()


def test_nobody_is_told_while_nothing_is_judged() -> None:
    """R9: it would be told again and again, since nobody would take it off the list."""
    status = replace(a_status(), schedule=None, mail=MailStatus(pending=(a_notice(),)))
    plan = a_look(a_build(status=status), NOW, telling=BY_MAIL, deliveries=[MAIL_TAKEN], clock_is_trusted=False)
    assert (plan.tell, plan.status) == ((), None)


# Condition Notified


def notified(status: BuildStatus, telling: Telling, wanted: Notifications | None = None) -> tuple[str, str, str]:
    """Give condition Notified after a look."""
    return verdict(a_look(a_build(spec=a_spec(notifications=wanted), status=status), NOW, telling=telling), "Notified")


ME = Notifications(to=("me@example.com",))


def test_without_a_mail_server_whoever_is_named_gets_nothing_and_that_is_said_before_anything_fails() -> None:
    expected = ("False", "DeliveryFailed", "nobody gets mail: the operator was started without --smtp-host")
    assert notified(a_status(), Telling(), ME) == expected
    assert notified(a_status(), Telling(to=("ops@example.com",))) == expected


def test_a_domain_that_may_not_be_named_is_named() -> None:
    telling = Telling(sinks=frozenset({SinkName.EMAIL}), allowed_domains=frozenset({"example.org"}))
    message = "the operator may not send mail to example.com: ask its administrator for --mail-allowed-domains"
    assert notified(a_status(), telling, ME) == ("False", "RecipientRefused", message)


@pytest.mark.parametrize("sinks", [frozenset(), frozenset({SinkName.EMAIL})])
def test_with_nobody_to_tell_it_is_not_configured(sinks: frozenset[SinkName]) -> None:
    assert notified(a_status(), Telling(sinks=sinks))[:2] == ("Unknown", "NotConfigured")


def test_a_chat_alone_is_somebody_to_tell() -> None:
    assert notified(a_status(), Telling(sinks=frozenset({SinkName.SLACK})))[:2] == ("True", "NothingPending")
