"""Which servers stay up behind a Service, and what each is to it (R28, R29)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_pod, a_run, at
from tests.builders.looks import PREVIOUS, REQUEST, an_attempt_look
from tests.builders.serving import (
    NEW,
    NOW,
    OLD,
    OLDEST,
    POLICY,
    a_lost,
    a_read,
    a_server,
    a_service,
    a_serving_build,
    an_activation,
    settled,
)

from periodicbuild.core.facts import AppServer, PeriodicBuild
from periodicbuild.core.plans import DeletePod, ReadService, Refused
from periodicbuild.core.reasons import ActiveState, State, Trigger
from periodicbuild.core.services import ServiceRead
from periodicbuild.core.status import Activation

MANUAL = replace(NEW, trigger=Trigger.MANUAL, slot=None, created_at=at(PREVIOUS), token=REQUEST, run="m-1")
MANUAL = replace(MANUAL, ref=replace(MANUAL.ref, name="m-1", uid="m-1"))
UNTIL = "2026-11-24T03:00:01"
OVER = "2026-11-24T03:00:00"
ON_NEW = a_read(a_service(NEW))
UNREADY = a_server(is_ready=False)


def removed(known: Activation | None, children: list[AppServer], service: ServiceRead | None) -> set[str]:
    """Give the names of the servers whose pods are removed."""
    plan = settled(a_serving_build(known), children, service=service).plan
    return {action.name for action in plan.then if isinstance(action, DeletePod)}


REMOVED: dict[str, tuple[Activation | None, list[AppServer], ServiceRead | None, set[str]]] = {
    "all but the active one": (an_activation(NEW), [NEW, OLD, OLDEST], ON_NEW, {OLD.ref.name, OLDEST.ref.name}),
    "not the fallback": (an_activation(NEW, previous=OLD, until=UNTIL), [NEW, OLD, OLDEST], ON_NEW, {OLDEST.ref.name}),
    "the fallback after its time": (an_activation(NEW, previous=OLD, until=OVER), [NEW, OLD], ON_NEW, {OLD.ref.name}),
    "what was switched back from": (
        an_activation(OLD, rolled_back=NEW, newest=NEW),
        [NEW, OLD],
        a_read(a_service(OLD)),
        {NEW.ref.name},
    ),
    "nothing that serves for one that cannot be activated": (an_activation(OLD), [NEW, OLD], a_read(), set()),
    "of several that cannot, all but the newest": (an_activation(OLDEST), [NEW, OLD, OLDEST], a_read(), {OLD.ref.name}),
    "not one that is about to be activated": (
        an_activation(OLDEST),
        [UNREADY, OLD, OLDEST],
        a_read(a_service("web")),
        set(),
    ),
    "without a Service all but the newest": (None, [NEW, OLD, OLDEST], a_read(), {OLD.ref.name, OLDEST.ref.name}),
    "not what the Service names": (an_activation(NEW), [NEW, OLD], a_read(a_service(OLD, label=None)), set()),
    "nothing before the Service is known": (None, [NEW, OLD], None, set()),
    "nothing while nobody answers": (an_activation(NEW), [NEW, OLD], a_read(refused=Refused.API_ERROR), set()),
    "a manual one that was never activated, after fallbackFor": (
        an_activation(NEW),
        [NEW, replace(MANUAL, status=replace(MANUAL.status, finished_at=at("2026-11-22T03:00:00")))],
        ON_NEW,
        {"m-1"},
    ),
    "not a manual one before": (an_activation(NEW), [NEW, MANUAL], ON_NEW, set()),
}


@pytest.mark.parametrize(("known", "children", "service", "names"), REMOVED.values(), ids=list(REMOVED))
def test_removed_is(
    known: Activation | None, children: list[AppServer], service: ServiceRead | None, names: set[str]
) -> None:
    assert removed(known, children, service) == names


def test_the_service_is_read_again_before_a_pod_is_removed() -> None:
    """A person may have pointed it elsewhere."""
    read = a_read(a_service(NEW), "2026-11-24T02:59:00")
    plan = settled(a_serving_build(an_activation(NEW)), [NEW, OLD], service=read).plan
    assert (plan.first, plan.then) == ((ReadService(name="front"),), ())


def test_one_looks_again_when_the_fallback_is_over() -> None:
    build = a_serving_build(an_activation(NEW, previous=OLD, until=UNTIL))
    assert settled(build, [NEW, OLD], service=ON_NEW).plan.wake.steady == at(UNTIL)


# What each is to the Service

ACTIVE: dict[str, tuple[Activation | None, AppServer, ActiveState]] = {
    "before the first activation": (None, NEW, ActiveState.NOT_ACTIVATED),
    "that serves": (an_activation(NEW), NEW, ActiveState.SERVING),
    "before it": (an_activation(NEW, previous=OLD, until=UNTIL), OLD, ActiveState.FALLBACK),
    "that has served": (
        an_activation(NEW),
        replace(OLD, status=replace(OLD.status, active=ActiveState.FALLBACK)),
        ActiveState.SUPERSEDED,
    ),
    "that was switched back from": (an_activation(OLD, rolled_back=NEW), NEW, ActiveState.SUPERSEDED),
    "that is not activated": (an_activation(OLD), NEW, ActiveState.NOT_ACTIVATED),
    "that served and is lost": (an_activation(NEW), a_lost(), ActiveState.SUPERSEDED),
}


def parent(known: Activation | None, *servers: AppServer) -> PeriodicBuild:
    build = a_serving_build(known)
    return replace(build, status=replace(build.status, runs=tuple(map(a_run, servers))))


@pytest.mark.parametrize(("known", "server", "active"), ACTIVE.values(), ids=list(ACTIVE))
def test_a_server_says_what_it_is_to_the_service(
    known: Activation | None, server: AppServer, active: ActiveState
) -> None:
    pod = a_pod(server, is_ready=True) if server.state == State.RUNNING else None
    plan = an_attempt_look(server, NOW, parent=parent(known), pod=pod)
    assert plan.status == replace(server.status, active=active)


def test_a_new_server_is_not_activated_yet() -> None:
    fresh = a_server(state=State.CONFIGURING_SERVER)
    plan = an_attempt_look(fresh, SLOT, parent=parent(None, fresh), pod=a_pod(fresh, is_ready=True))
    assert plan.status is not None
    assert plan.status.active == ActiveState.NOT_ACTIVATED


def test_without_a_policy_it_says_nothing() -> None:
    was = replace(NEW, status=replace(NEW.status, active=ActiveState.SERVING))
    build = a_serving_build(policy=None)
    assert POLICY is not None
    assert an_attempt_look(was, NOW, parent=build, pod=a_pod(was, is_ready=True)).status == replace(
        was.status, active=None
    )
