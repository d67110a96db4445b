"""A slot is skipped only if all that it would be built from is known to be as at the last success (R31)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.builders import A_TEMPLATE, SLOT, a_build, a_pod, a_run, a_spec, an_app_server, at
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, a_wait, created, memory, told
from tests.builders.patterns import JUST_AFTER_TWO, ONE, a_pattern_build, fates_of

from periodicbuild.core.changes import change_lines
from periodicbuild.core.facts import AppServerStatus, BuildSpec, TemplateJson
from periodicbuild.core.inputs import (
    TEMPLATE,
    ChangeDetection,
    Comparison,
    Finding,
    Input,
    Lookup,
    Source,
    SourceKind,
    Verdict,
    compared_inputs,
    input_digest,
    recorded_inputs,
    template_revision,
)
from periodicbuild.core.plans import CreateAppServer, LookUpSources
from periodicbuild.core.policies import ConcurrencyPolicy, Recovery, SucceedWhen
from periodicbuild.core.reasons import Blocker, EventReason, Fate, State
from periodicbuild.core.status import Changes, LastSuccess

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import BuildStatus

CODE = Source("code", SourceKind.GIT, "https://example.com/app.git", "main")
BASE = Source("base", SourceKind.IMAGE, "debian:12")
OLD, NEW = "1" * 40, "2" * 40
NOW = "2026-11-24T02:30:01"
SUCCEEDED = "2026-11-23T02:40:00"
OF_TEMPLATE = Input(TEMPLATE, template_revision(A_TEMPLATE))
BUILT_FROM = (OF_TEMPLATE, Input("code", OLD))
BOTH = ChangeDetection(sources=(CODE,))
SPEC = a_spec(change_detection=BOTH, succeed_when=SucceedWhen.COMPLETED)


def a_success(inputs: tuple[Input, ...] = BUILT_FROM, *, output: str | None = None) -> LastSuccess:
    """Give the success of the slot before."""
    return LastSuccess(
        run="20261123-023000",
        app_server="nightly-20261123-023000-1",
        at=at(SUCCEEDED),
        inputs=inputs,
        input_digest=input_digest(inputs),
        output_digest=output,
    )


def after(success: LastSuccess | None, spec: BuildSpec = SPEC, **fields: object) -> PeriodicBuild:
    """Give a build whose next slot is `SLOT`."""
    status = replace(a_status(), last_success=success, **fields)  # type: ignore[arg-type] # any field of the status
    return a_build(spec=spec, status=status)


def found(revision: str | None = OLD, *, problem: str = "", asked: str = SLOT, slot: str = SLOT) -> Lookup:
    """Give what looking up the code came to."""
    return Lookup(slot=at(slot), sources=(CODE,), asked_at=at(asked), findings={"code": Finding(revision, problem)})


def verdict_of(plan: BuildPlan) -> Verdict:
    """Give what the comparison of a slot that starts came to."""
    (create,) = plan.first
    assert isinstance(create, CreateAppServer)
    assert create.comparison is not None
    return create.comparison.verdict


def test_the_sources_of_a_slot_are_asked_for_once_nothing_else_is_in_its_way() -> None:
    """R14, R31."""
    plan = a_look(after(a_success()), NOW)
    assert plan.first == (LookUpSources(slot=at(SLOT), sources=(CODE,)),)


def test_nothing_is_asked_for_while_a_build_is_in_progress() -> None:
    child = an_app_server(slot=PREVIOUS, status=AppServerStatus(state=State.CONFIGURING_SERVER))
    status = replace(a_status(runs=[a_run(child)]), last_success=a_success())
    plan = a_look(a_build(spec=SPEC, status=status), NOW, children=[child])
    assert plan.first == ()


def test_while_they_are_looked_up_the_slot_waits_and_no_longer_than_a_minute() -> None:
    under_way = replace(found(asked=NOW), findings=None)
    plan = a_look(after(a_success()), NOW, lookup=under_way)
    assert (plan.first, plan.status is None or plan.status.waiting) == ((), None)
    assert plan.unwritten == a_wait(reason=Blocker.LOOKING_UP_SOURCES, since=NOW)
    assert plan.wake.steady == at("2026-11-24T02:31:01")

    late = a_look(after(a_success()), "2026-11-24T02:31:01", lookup=under_way)
    assert verdict_of(late) == Verdict.UNREACHABLE
    (create,) = late.first
    assert isinstance(create, CreateAppServer)
    assert create.comparison is not None
    assert create.comparison.inputs[1] == Input("code", None, OLD, "not found within 60 s")


def test_a_slot_with_nothing_new_is_skipped() -> None:
    """R31: with what was compared, and an interval counts on from there (R4)."""
    plan = a_look(after(a_success()), NOW, lookup=found())
    after_it = memory(plan)
    assert plan.first == ()
    assert (after_it.ledger[0].decision, after_it.ledger[0].reason) == ("Skipped", Fate.NO_CHANGES)
    assert after_it.schedule is not None
    assert after_it.schedule.anchor_at == at(SLOT)
    assert told(plan) == (EventReason.SLOT_SKIPPED,)
    compared = (replace(OF_TEMPLATE, previous=OF_TEMPLATE.revision), Input("code", OLD, OLD))
    assert after_it.changes == Changes(slot=at(SLOT), at=at(NOW), verdict=Verdict.NO_CHANGES, inputs=compared)


def test_a_slot_that_waited_long_and_has_nothing_new_moves_the_interval_to_the_decision() -> None:
    """R4."""
    late = "2026-11-24T05:00:00"
    status = replace(a_status(waiting=a_wait()), last_success=a_success())
    plan = a_look(a_build(spec=SPEC, status=status), late, lookup=found(asked=late))
    schedule = memory(plan).schedule
    assert schedule is not None
    assert schedule.anchor_at == at(late)


OTHER = replace(OF_TEMPLATE, revision="another template")

BUILDS: dict[str, tuple[LastSuccess | None, Lookup, Verdict]] = {
    "the code is another": (a_success(), found(NEW), Verdict.CHANGED),
    "the template is another": (a_success((OTHER, Input("code", OLD))), found(), Verdict.CHANGED),
    "the source is new": (a_success((OF_TEMPLATE,)), found(), Verdict.CHANGED),
    "a source is left out": (a_success((*BUILT_FROM, Input("base", "sha256:1"))), found(), Verdict.CHANGED),
    "the code cannot be reached": (a_success(), found(None, problem="is down"), Verdict.UNREACHABLE),
    "it has never succeeded": (None, found(), Verdict.NEVER_SUCCEEDED),
    "what the last success was built from is not on record": (a_success(()), found(), Verdict.NOT_RECORDED),
    "the template is another and the code cannot be reached": (
        a_success((OTHER, Input("code", OLD))),
        found(None, problem="is down"),
        Verdict.CHANGED,
    ),
}


@pytest.mark.parametrize(("success", "lookup", "expected"), BUILDS.values(), ids=list(BUILDS))
def test_whatever_is_new_or_not_known_builds(success: LastSuccess | None, lookup: Lookup, expected: Verdict) -> None:
    """R31."""
    plan = a_look(after(success), NOW, lookup=lookup)
    assert created(plan) == ("nightly-20261124-023000-1",)
    assert verdict_of(plan) == expected


def test_without_sources_the_template_alone_is_compared_and_nothing_is_looked_up() -> None:
    spec = replace(SPEC, change_detection=ChangeDetection(max_age=timedelta(days=7)))
    assert memory(a_look(after(a_success((OF_TEMPLATE,)), spec), NOW)).ledger[0].reason == Fate.NO_CHANGES
    edited = replace(spec, template=TemplateJson(b"{}"))
    assert verdict_of(a_look(after(a_success((OF_TEMPLATE,)), edited), NOW)) == Verdict.CHANGED


AGES = {
    "the next slot still finds it young enough": ("1d23h", "2026-11-23T03:31:00", False),
    "the next slot would find it too old": ("1d23h", "2026-11-23T03:29:59", True),
    "it is older by far": ("1h", SUCCEEDED, True),
}


@pytest.mark.parametrize(("max_age", "succeeded", "builds"), AGES.values(), ids=list(AGES))
def test_a_success_is_built_anew_before_it_is_older_than_max_age(max_age: str, succeeded: str, builds: bool) -> None:  # noqa: FBT001 - a column
    """R31: the slot after `SLOT` is a day later."""
    age = timedelta(days=1, hours=23) if max_age == "1d23h" else timedelta(hours=1)
    spec = replace(SPEC, change_detection=replace(BOTH, max_age=age))
    plan = a_look(after(replace(a_success(), at=at(succeeded)), spec), NOW, lookup=found())
    assert bool(created(plan)) is builds
    if builds:
        assert verdict_of(plan) == Verdict.MAX_AGE


def test_max_age_counts_from_when_a_late_slot_of_an_interval_is_skipped() -> None:
    """R4: that is where the next one counts from, too."""
    spec = replace(SPEC, change_detection=replace(BOTH, max_age=timedelta(days=1, hours=23)))
    build = after(replace(a_success(), at=at("2026-11-23T04:30:00")), spec)
    late, too_late = "2026-11-24T03:29:59", "2026-11-24T03:30:01"
    assert memory(a_look(build, late, lookup=found(asked=late))).ledger[0].reason == Fate.NO_CHANGES
    assert created(a_look(build, too_late, lookup=found(asked=too_late)))


def test_max_age_counts_to_the_next_slot_of_a_calendar() -> None:
    """The slot after `TWO` is an hour later."""
    build = a_pattern_build()
    build = replace(build, spec=replace(build.spec, succeed_when=SucceedWhen.COMPLETED))
    build = replace(build, status=replace(build.status, last_success=replace(a_success((OF_TEMPLATE,)), at=at(ONE))))
    two_hours, less = ChangeDetection(max_age=timedelta(hours=2)), ChangeDetection(max_age=timedelta(minutes=119))
    young = a_look(replace(build, spec=replace(build.spec, change_detection=two_hours)), JUST_AFTER_TWO)
    assert fates_of(memory(young).ledger) == [("02:00", None, 1, Fate.NO_CHANGES)]
    assert verdict_of(a_look(replace(build, spec=replace(build.spec, change_detection=less)), JUST_AFTER_TWO)) == (
        Verdict.MAX_AGE
    )


def test_a_lookup_of_other_sources_or_of_another_slot_says_nothing() -> None:
    for lookup in (replace(found(), sources=(BASE,)), found(slot=PREVIOUS), None):
        (action,) = a_look(after(a_success()), NOW, lookup=lookup).first
        assert isinstance(action, LookUpSources)


def test_a_check_that_is_older_than_ten_minutes_is_repeated() -> None:
    """R14: the slot was held up by something else meanwhile."""
    plan = a_look(after(a_success()), "2026-11-24T02:40:00", lookup=found(NEW))
    assert plan.first == (LookUpSources(slot=at(SLOT), sources=(CODE,)),)
    assert created(a_look(after(a_success()), "2026-11-24T02:39:59", lookup=found(NEW)))


def test_a_slot_with_something_new_waits_for_its_place_like_any_other() -> None:
    plan = a_look(after(a_success()), NOW, lookup=found(NEW), has_place=False)
    assert plan.unwritten == a_wait(reason=Blocker.POOL_FULL, since=NOW)


def test_without_anything_new_nothing_is_replaced() -> None:
    """R16: only when nothing else is in the slot's way."""
    child = an_app_server(slot=PREVIOUS, status=AppServerStatus(state=State.CONFIGURING_SERVER))
    spec = replace(SPEC, concurrency=ConcurrencyPolicy.REPLACE)
    status = replace(a_status(runs=[a_run(child)]), last_success=a_success())
    build = a_build(spec=spec, status=status)

    assert a_look(build, NOW, children=[child]).first == (LookUpSources(slot=at(SLOT), sources=(CODE,)),)
    unchanged = memory(a_look(build, NOW, children=[child], lookup=found()))
    assert [run.replaced_by for run in unchanged.runs] == [None]
    changed = memory(a_look(build, NOW, children=[child], lookup=found(NEW)))
    assert [run.replaced_by for run in changed.runs] == [at(SLOT)]


def test_a_manual_run_asks_nobody() -> None:
    """R26."""
    build = replace(after(a_success()), run_now=REQUEST)
    (create,) = a_look(build, "2026-11-24T01:00:00").first
    assert isinstance(create, CreateAppServer)
    assert create.comparison is None


SERVERS = {
    "it is up": (State.RUNNING, False, None),
    "it was lost": (State.TERMINATED, False, Verdict.SERVER_LOST),
    "it is being deleted": (State.RUNNING, True, Verdict.SERVER_LOST),
    "nobody knows it any more": (None, False, Verdict.SERVER_LOST),
}


@pytest.mark.parametrize(("state", "is_deleting", "expected"), SERVERS.values(), ids=list(SERVERS))
def test_a_server_that_is_not_up_any_more_is_built_though_nothing_has_changed(
    state: State | None,
    is_deleting: bool,  # noqa: FBT001 - a column
    expected: Verdict | None,
) -> None:
    """R30: else nobody would bring it back."""
    spec = replace(SPEC, succeed_when=SucceedWhen.READY, recovery=Recovery.NEVER)
    server = an_app_server(slot=PREVIOUS, state=state, is_deleting=is_deleting)
    children = [] if state is None else [server]
    plan = a_look(
        after(a_success(), spec), NOW, lookup=found(), children=children, pods=[a_pod(one) for one in children]
    )
    if expected is None:
        assert memory(plan).ledger[0].reason == Fate.NO_CHANGES
    else:
        assert verdict_of(plan) == expected


def test_a_server_by_hand_is_nothing_to_compare_with_since_it_does_not_serve() -> None:
    """R26."""
    alone = replace(SPEC, succeed_when=SucceedWhen.READY, change_detection=ChangeDetection(max_age=timedelta(days=7)))
    assert success_of(succeeded(alone, token=REQUEST)[0]) == ((), None)
    assert success_of(succeeded(alone)[0]) == ((OF_TEMPLATE,), input_digest((OF_TEMPLATE,)))


# What is remembered of it


def a_start(inputs: tuple[Input, ...], verdict: Verdict = Verdict.CHANGED, **fields: object) -> AppServer:
    """Give the attempt of `SLOT`, just created."""
    return an_app_server(comparison=Comparison(verdict, inputs), created=NOW, **fields)  # type: ignore[arg-type] # any field


def test_a_start_tells_what_has_changed() -> None:
    """R31: in the ledger, in status and in its Event."""
    inputs = (
        replace(OF_TEMPLATE, previous=OF_TEMPLATE.revision),
        Input("code", NEW, OLD),
        Input("base", "sha256:abcdef0123456789"),
        Input("tools", previous=OLD),
    )
    plan = a_look(after(a_success()), NOW, children=[a_start(inputs)])
    written = memory(plan)
    assert written.ledger[0].inputs == Verdict.CHANGED
    assert written.changes == Changes(slot=at(SLOT), at=at(NOW), verdict=Verdict.CHANGED, inputs=inputs)
    assert plan.events[0].note.endswith(
        "; changed since the last success:"
        " code (111111111111 to 222222222222), base (to abcdef012345), tools (left out)"
    )


def test_a_start_that_does_not_know_says_so() -> None:
    inputs = (replace(OF_TEMPLATE, previous=OF_TEMPLATE.revision), Input("code", None, OLD, "example.com is down"))
    plan = a_look(after(a_success()), NOW, children=[a_start(inputs, Verdict.UNREACHABLE)])
    assert memory(plan).ledger[0].inputs == Verdict.UNREACHABLE
    assert told(plan) == (EventReason.BUILD_STARTED, EventReason.SOURCE_UNREACHABLE)
    assert plan.events[1].note == (
        "Build 20261124-023000 was started although not all of its sources are known. code: example.com is down"
    )


def test_a_start_without_change_detection_says_nothing_of_it() -> None:
    plan = a_look(a_build(status=a_status()), NOW, children=[an_app_server(created=NOW)])
    assert (memory(plan).ledger[0].inputs, memory(plan).changes) == (None, None)


def test_a_retry_is_made_from_what_the_first_attempt_was_made_from() -> None:
    """R18."""
    comparison = Comparison(Verdict.CHANGED, BUILT_FROM)
    failed = AppServerStatus(state=State.ERROR, finished_at=at(SUCCEEDED))
    first = an_app_server(slot=PREVIOUS, comparison=comparison, status=failed)
    status = a_status(runs=[a_run(first, next_attempt=SUCCEEDED)])
    (create,) = a_look(a_build(spec=SPEC, status=status), SUCCEEDED, children=[first]).first
    assert isinstance(create, CreateAppServer)
    assert (create.attempt, create.comparison) == (2, comparison)


def succeeded(  # noqa: PLR0913 - keywords, each with a default
    spec: BuildSpec = SPEC,
    *,
    comparison: Comparison | None = None,
    before: LastSuccess | None = None,
    output: str | None = None,
    token: str | None = None,
    template: bytes | None = A_TEMPLATE,
) -> tuple[BuildStatus, BuildPlan]:
    """Give the look at which a run turns out to have succeeded."""
    status = AppServerStatus(state=State.COMPLETED, finished_at=at(SUCCEEDED), output_digest=output)
    made_for = a_build(spec=spec)
    child = an_app_server(made_for, slot=PREVIOUS, comparison=comparison, status=status, token=token, template=template)
    build = a_build(spec=spec, status=replace(a_status(runs=[a_run(child)]), last_success=before))
    plan = a_look(build, SUCCEEDED, children=[child])
    return memory(plan), plan


def success_of(status: BuildStatus) -> tuple[tuple[Input, ...], str | None]:
    assert status.last_success is not None
    return status.last_success.inputs, status.last_success.input_digest


def test_a_success_remembers_what_it_was_made_from() -> None:
    inputs = (*BUILT_FROM, Input("base", previous="sha256:1"))
    status, _ = succeeded(comparison=Comparison(Verdict.CHANGED, inputs))
    assert success_of(status) == (BUILT_FROM, input_digest(BUILT_FROM))


def test_a_success_that_does_not_know_all_of_it_has_no_digest() -> None:
    inputs = (OF_TEMPLATE, Input("code", None, OLD, "is down"))
    assert success_of(succeeded(comparison=Comparison(Verdict.UNREACHABLE, inputs))[0]) == ((OF_TEMPLATE,), None)


def test_a_manual_success_is_comparable_only_where_there_are_no_sources() -> None:
    """R27: nothing was looked up for it."""
    assert success_of(succeeded(token=REQUEST)[0]) == ((), None)
    alone = replace(SPEC, change_detection=ChangeDetection(max_age=timedelta(days=7)))
    assert success_of(succeeded(alone, token=REQUEST)[0]) == ((OF_TEMPLATE,), input_digest((OF_TEMPLATE,)))
    assert success_of(succeeded(alone, token=REQUEST, template=None)[0]) == ((), None)
    assert success_of(succeeded(a_spec())[0]) == ((), None)


COMPARISON = Comparison(Verdict.MAX_AGE, BUILT_FROM)

REPRODUCTIONS = {
    "another output": (a_success(output="sha256:a"), COMPARISON, "sha256:b", True),
    "the same output": (a_success(output="sha256:a"), COMPARISON, "sha256:a", False),
    "the build says nothing": (a_success(output="sha256:a"), COMPARISON, None, False),
    "the build said nothing before": (a_success(), COMPARISON, "sha256:b", False),
    "it is the first": (None, COMPARISON, "sha256:b", False),
    "from something else": (a_success((OF_TEMPLATE,), output="sha256:a"), COMPARISON, "sha256:b", False),
    "nobody knows from what": (a_success((), output="sha256:a"), None, "sha256:b", False),
}


@pytest.mark.parametrize(("before", "comparison", "output", "is_lost"), REPRODUCTIONS.values(), ids=list(REPRODUCTIONS))
def test_the_same_inputs_that_lead_to_another_output_are_told_of(
    before: LastSuccess | None,
    comparison: Comparison | None,
    output: str | None,
    is_lost: bool,  # noqa: FBT001 - a column
) -> None:
    status, plan = succeeded(comparison=comparison, before=before, output=output)
    assert (EventReason.REPRODUCIBILITY_LOST in told(plan)) is is_lost
    assert status.last_success is not None
    assert status.last_success.output_digest == output


def test_a_digest_does_not_depend_on_the_order_of_its_inputs_and_needs_all_of_them() -> None:
    one, two = Input("a", "1"), Input("b", "2")
    assert input_digest((one, two)) == input_digest((two, one)) != input_digest((one, replace(two, revision="3")))
    assert input_digest((one, Input("gone", previous="2"))) == input_digest((one,))
    assert input_digest((one, Input("b", problem="is down"))) is None
    assert input_digest(()) is None


LINES: dict[str, tuple[Comparison | None, tuple[str, ...]]] = {
    "nothing was compared": (None, ()),
    "there was nothing to compare with": (Comparison(Verdict.NEVER_SUCCEEDED, (Input("code", NEW),)), ()),
    "nothing is known of the last success": (Comparison(Verdict.NOT_RECORDED, (Input("code", NEW),)), ()),
    "nothing has changed": (Comparison(Verdict.MAX_AGE, (Input("code", OLD, OLD),)), ("nothing",)),
    "one has, and one is not known": (
        Comparison(Verdict.CHANGED, (Input("code", NEW, OLD), Input("base", problem="is down"), Input("a", OLD, OLD))),
        ("code (111111111111 to 222222222222)", "base, not known: is down"),
    ),
}


@pytest.mark.parametrize(("comparison", "lines"), LINES.values(), ids=list(LINES))
def test_whoever_asks_why_a_build_fails_is_told_what_has_changed(
    comparison: Comparison | None, lines: tuple[str, ...]
) -> None:
    assert change_lines(comparison) == lines


def test_inputs_are_put_beside_those_of_the_last_success() -> None:
    now = {"a": Finding("2"), "b": Finding(problem="is down"), "c": Finding("4")}
    before = (Input("a", "1"), Input("b", "3"), Input("d", "5"))
    inputs = compared_inputs(now, before)
    assert inputs == (
        Input("a", "2", "1"),
        Input("b", None, "3", "is down"),
        Input("c", "4"),
        Input("d", previous="5"),
    )
    assert [one.has_changed for one in inputs] == [True, False, True, True]
    assert recorded_inputs(inputs) == (Input("a", "2"), Input("c", "4"))
