"""Hypothesis strategies for what crosses the boundary to the API, in the bounds that the custom resources set."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import msgspec
from hypothesis import strategies as st

from periodicbuild.core.calendars import Calendar, Weekday
from periodicbuild.core.crons import Cron
from periodicbuild.core.facts import AppServerStatus, Result, Timeouts
from periodicbuild.core.gate_status import BlockingBuild, GateStatus, NextWindow
from periodicbuild.core.inputs import Comparison, Input, Verdict
from periodicbuild.core.mail import DeliveryProblem, FailingSince, MailStatus, PendingNotice
from periodicbuild.core.plans import CreateAppServer
from periodicbuild.core.policies import AfterManualRun, SucceedWhen
from periodicbuild.core.reasons import (
    ActiveState,
    Blocker,
    Decision,
    FailureClass,
    Fate,
    NoticeKind,
    Outcome,
    OutcomeReason,
    SinkName,
    Stage,
    State,
    Trigger,
)
from periodicbuild.core.schedules import Interval, Schedule
from periodicbuild.core.status import (
    Activation,
    AskedActivation,
    BuildStatus,
    Changes,
    Condition,
    LastFailure,
    LastScheduled,
    LastSuccess,
    LedgerEntry,
    Manual,
    OpenBreaker,
    RecoveredLoss,
    Run,
    ScheduleStatus,
    Slots,
    Waiting,
)
from periodicbuild.kube.parse_template import shared_template

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_UNTIL_9899 = 250_000_000_000

instants = st.integers(0, SECONDS_UNTIL_9899).map(lambda count: EPOCH + timedelta(seconds=count))
counts = st.integers(0, 2**53 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=63)
words = st.from_regex("[A-Z][A-Za-z]{0,20}", fullmatch=True)
seconds = st.integers(1, 366 * 86_400).map(lambda count: timedelta(seconds=count))
intervals = st.builds(Interval, every=seconds, after_manual_run=st.sampled_from(AfterManualRun))
zones = st.sampled_from(["Etc/UTC", "Europe/Berlin", "Australia/Lord_Howe", "Mars/Phobos"])
clocks = st.builds(time, hour=st.integers(0, 23), minute=st.integers(0, 59))
calendars = st.builds(
    Calendar, days=st.sets(st.sampled_from(Weekday), min_size=1).map(frozenset), time=clocks, time_zone=zones
)
crons = st.builds(
    Cron, expression=st.sampled_from(["30 2 * * 1-5", "*/20 2,3 * * *", "0 0 29 2 *", "30 2 31 2 *"]), time_zone=zones
)
schedules = st.builds(
    Schedule,
    enabled=st.booleans(),
    timing=st.none() | intervals | calendars | crons,
    not_before=st.none() | instants,
)

ledger_entries = st.builds(
    LedgerEntry,
    slot=instants,
    epoch=counts,
    decision=st.sampled_from(Decision),
    reason=st.sampled_from(Fate) | words,
    decided_at=instants,
    until_slot=st.none() | instants,
    count=counts,
    run=st.none() | names,
    outcome=st.none() | st.sampled_from(Outcome),
    outcome_reason=st.none() | st.sampled_from(OutcomeReason) | words,
    inputs=st.none() | words,
    message=texts,
)

runs = st.builds(
    Run,
    id=names,
    trigger=st.sampled_from(Trigger),
    slot=st.none() | instants,
    started_at=instants,
    attempt=st.integers(1, 99),
    app_server=names,
    uid=names,
    disruptions=st.integers(0, 99),
    next_attempt_at=st.none() | instants,
)

conditions = st.builds(
    Condition,
    type=words,
    status=st.sampled_from(["True", "False", "Unknown"]),
    reason=words,
    message=texts,
    observed_generation=counts,
    changed_at=instants,
)

schedule_statuses = st.builds(
    ScheduleStatus,
    in_force=schedules,
    epoch=counts,
    since_at=instants,
    cursor_at=st.none() | instants,
    anchor_at=st.none() | instants,
    due_at_since=counts,
)

some_inputs = st.lists(st.builds(Input, names, st.none() | names, st.none() | names, texts), max_size=3).map(tuple)
comparisons = st.builds(Comparison, st.sampled_from(Verdict), some_inputs)

since_failing = st.none() | st.builds(FailingSince, run=names, at=instants)

pending_notices = st.builds(
    PendingNotice,
    key=st.builds("{}/{}".format, names, st.sampled_from(NoticeKind)),
    since_at=instants,
    sinks=st.sets(st.sampled_from(SinkName), min_size=1).map(tuple),
    app_server=names,
    reason=words,
    failing_since=since_failing,
    failures=counts,
    tries=counts,
    next_at=st.none() | instants,
    left_out=counts,
)

statuses_without_schedule = st.builds(
    BuildStatus,
    observed_generation=counts,
    slots=st.none() | st.builds(Slots, due=counts, started=counts, skipped=counts, missed=counts),
    waiting=st.none()
    | st.builds(Waiting, slot=instants, reason=st.sampled_from(Blocker), since_at=instants, message=texts),
    ledger=st.lists(ledger_entries, max_size=3).map(tuple),
    runs=st.lists(runs, max_size=3).map(tuple),
    manual=st.none() | st.builds(Manual, token=texts, run=names),
    last_scheduled=st.none() | st.builds(LastScheduled, slot=instants, started_at=instants, run=names),
    last_success=st.none()
    | st.builds(
        LastSuccess,
        run=names,
        app_server=names,
        at=instants,
        inputs=st.lists(st.builds(Input, names, names), max_size=3).map(tuple),
        input_digest=st.none() | names,
        output_digest=st.none() | names,
    ),
    changes=st.none() | st.builds(Changes, slot=instants, at=instants, verdict=words, inputs=some_inputs),
    last_failure=st.none()
    | st.builds(
        LastFailure,
        run=names,
        app_server=names,
        at=instants,
        failure_class=words,
        reason=words,
        message=texts,
    ),
    consecutive_failures=counts,
    breaker=st.none() | st.builds(OpenBreaker, opened_at=instants, next_probe_at=instants, digest=words),
    mail=st.builds(
        MailStatus,
        failing_since=since_failing,
        pending=st.lists(pending_notices, max_size=3, unique_by=lambda notice: notice.key).map(tuple),
        last_sent_at=st.none() | instants,
        last_reminder_at=st.none() | instants,
        problem=st.none() | st.builds(DeliveryProblem, reason=words, message=texts, at=instants),
    ),
    activation=st.none()
    | st.builds(
        Activation,
        app_server=names,
        at=instants,
        service_uid=names,
        epoch=counts,
        slot=instants,
        previous=st.none() | names,
        fallback_until=st.none() | instants,
        rolled_back=st.none() | names,
    ),
    asked_activation=st.none() | st.builds(AskedActivation, request=texts, answer=words, message=texts),
    recovered=st.none() | st.builds(RecoveredLoss, app_server=names, uid=names, run=names),
    durations=st.lists(counts, max_size=3).map(tuple),
    conditions=st.lists(conditions, max_size=3).map(tuple),
)


@st.composite
def build_statuses(draw: st.DrawFn) -> BuildStatus:
    """Draw a status; what is shown of a schedule exists only beside one."""
    status = draw(statuses_without_schedule)
    schedule = draw(st.none() | schedule_statuses)
    if schedule is None:
        return status
    return replace(
        status,
        schedule=schedule,
        schedule_text=draw(texts),
        next_slot=draw(st.none() | instants),
        upcoming=tuple(draw(st.lists(instants, max_size=3))),
    )


gate_statuses = st.builds(
    GateStatus,
    observed_generation=counts,
    next_window=st.none() | st.builds(NextWindow, name=names, start=instants, end=instants),
    held_back=counts,
    blocking_count=counts,
    blocking_builds=st.lists(
        st.builds(
            BlockingBuild,
            namespace=names,
            name=names,
            app_server=st.none() | names,
            estimated_end_at=st.none() | instants,
        ),
        max_size=3,
    ).map(tuple),
    conditions=st.lists(conditions, max_size=3).map(tuple),
)

app_server_statuses = st.builds(
    AppServerStatus,
    state=st.sampled_from(State),
    message=texts,
    is_ready=st.none() | st.booleans(),
    pod=st.none() | names,
    pod_requested_at=st.none() | instants,
    configuring_at=st.none() | instants,
    finished_at=st.none() | instants,
    result=st.none()
    | st.builds(
        Result,
        failure_class=st.sampled_from(FailureClass),
        reason=words,
        stage=st.sampled_from(Stage),
        message=texts,
        container=st.none() | names,
        exit_code=st.none() | st.integers(-(2**31), 2**31 - 1),
        signal=st.none() | st.integers(0, 255),
    ),
    node=st.none() | names,
    image_digests=st.lists(names, max_size=3).map(tuple),
    terminated_at=st.none() | instants,
    active=st.none() | st.sampled_from(ActiveState),
    output_digest=st.none() | names,
)

all_timeouts = st.builds(Timeouts, waiting=seconds, configuring=seconds, run=st.none() | seconds)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=6,
)

creations = st.builds(
    CreateAppServer,
    name=names,
    run=names,
    attempt=st.integers(1, 99),
    trigger=st.sampled_from(Trigger),
    slot=st.none() | instants,
    epoch=counts,
    succeed_when=st.sampled_from(SucceedWhen),
    timeouts=all_timeouts,
    template=st.dictionaries(texts, json_values, max_size=3).map(
        lambda template: shared_template(msgspec.json.encode(template))
    ),
    token=st.none() | st.text("abc123", min_size=1),
    overridden=st.sets(names.map(lambda name: f"g{name}"), max_size=2).map(sorted).map(tuple),
    comparison=st.none() | comparisons,
)
