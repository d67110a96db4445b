"""Servers, the Service they stand behind, and looks that go on until nothing is left to be written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.builders.attempts import a_pod, an_app_server
from tests.builders.builds import a_build, a_schedule_status, a_spec, an_entry
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status
from tests.builders.values import SLOT, at, at_if_any

from periodicbuild.core.facts import ActivationPolicy, AppServer, AppServerStatus
from periodicbuild.core.plans import ReadService, SwitchService
from periodicbuild.core.policies import Recovery
from periodicbuild.core.reasons import Outcome, State, Trigger
from periodicbuild.core.services import Service, ServiceRead
from periodicbuild.core.status import Activation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.builders.values import Instant

    from periodicbuild.core.facts import BuildSpec, PeriodicBuild, Pod
    from periodicbuild.core.notices import EventFact
    from periodicbuild.core.plans import BuildPlan, FirstAction, Refused
    from periodicbuild.core.status import BuildStatus, Condition

NOW = "2026-11-24T03:00:00"
"""Half an hour after `SLOT`, whose build has succeeded."""
BEFORE = "2026-11-22T02:30:00"
"""The slot before `PREVIOUS`."""
FALLBACK_FOR = timedelta(hours=48)
POLICY = ActivationPolicy(service_name="front", fallback_for=FALLBACK_FOR)


def a_server(slot: Instant = SLOT, *, is_ready: bool | None = True, state: State = State.RUNNING) -> AppServer:
    """Give a server of a scheduled run that is up and Ready."""
    ready = is_ready if state == State.RUNNING else None
    return an_app_server(slot=slot, status=AppServerStatus(state=state, is_ready=ready, finished_at=at(slot)))


def a_lost(slot: Instant = SLOT, *, lost: Instant = "2026-11-24T02:50:00") -> AppServer:
    """Give a server that is gone, though nobody removed it."""
    server = a_server(slot, state=State.TERMINATED)
    return replace(server, status=replace(server.status, terminated_at=at_if_any(lost)))


OLDEST, OLD, NEW = a_server(BEFORE), a_server(PREVIOUS), a_server()


def an_activation(  # noqa: PLR0913 - keywords, each with a default
    server: AppServer = OLD,
    *,
    time: Instant = PREVIOUS,
    service: str = "uid-front",
    previous: AppServer | None = None,
    until: Instant | None = None,
    rolled_back: AppServer | None = None,
    newest: AppServer | None = None,
) -> Activation:
    """Point at a server; `newest` is the newest that was ever pointed at."""
    epoch, slot, _ = (newest or server).newness
    return Activation(
        app_server=server.ref.name,
        at=at(time),
        service_uid=service,
        epoch=epoch,
        slot=slot,
        previous=previous.ref.name if previous is not None else None,
        fallback_until=at_if_any(until),
        rolled_back=rolled_back.ref.name if rolled_back is not None else None,
    )


def a_service(
    server: AppServer | str | None = None, *, uid: str = "uid-front", label: str | None = "nightly", **more: bool
) -> Service:
    """Give a Service that has opted in and names a server, or something else as a text, or nothing."""
    name = server.ref.name if isinstance(server, AppServer) else None
    selector = None
    if server is not None:
        selector = (("periodicbuild.dev/app-server", name),) if name is not None else (("app", str(server)),)
    return Service(name="front", uid=uid, activated_by=label, selector=selector, app_server=name, **more)


ON_OLD = a_service(OLD)
MANUAL = replace(NEW, trigger=Trigger.MANUAL, slot=None, created_at=at(SLOT), token=REQUEST)
"""The same server, asked for by a person."""
READ = (ReadService(name="front"),)
"""What a look does first that needs the Service."""


def to(server: AppServer, service: Service = ON_OLD) -> tuple[FirstAction, ...]:
    """Point the Service at a server."""
    return (SwitchService(service=service, app_server=server.ref.name),)


def a_read(
    service: Service | None = None,
    read: Instant = NOW,
    *,
    name: str = "front",
    version: str = "100",
    refused: Refused | None = None,
) -> ServiceRead:
    """Give what was read of the Service, just now and by a look at this very version."""
    return ServiceRead(
        name=name, read_at=at(read), version=version, service=service, refused=refused, message="no" if refused else ""
    )


def a_serving_build(
    activation: Activation | None = None,
    *,
    policy: ActivationPolicy | None = POLICY,
    recovery: Recovery = Recovery.RESTART,
    activate: str | None = None,
    spec: BuildSpec | None = None,
) -> PeriodicBuild:
    """Give a PeriodicBuild whose builds of `PREVIOUS` and `SLOT` have succeeded."""
    entries = [an_entry(slot=slot, outcome=Outcome.SUCCEEDED) for slot in (SLOT, PREVIOUS)]
    status = a_status(schedule=a_schedule_status(anchor=SLOT, cursor=SLOT), ledger=entries)
    return a_build(
        spec=spec or a_spec(activation=policy, recovery=recovery, history=(99, 99)),
        status=replace(status, activation=activation),
        activate=activate,
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """What some looks have come to: what they have written and told, and the plan of the last one."""

    status: BuildStatus
    events: tuple[EventFact, ...]
    plan: BuildPlan

    @property
    def activated(self) -> Condition:
        """Give condition Activated."""
        condition = self.status.condition("Activated")
        assert condition is not None
        return condition

    @property
    def told(self) -> tuple[str, ...]:
        """Give the reasons of the Events."""
        return tuple(event.reason for event in self.events)


def settled(
    build: PeriodicBuild,
    children: Iterable[AppServer] = (),
    now: Instant = NOW,
    *,
    service: ServiceRead | None = None,
    pods: Iterable[Pod] | None = None,
    **more: Any,
) -> Settled:
    """Look until nothing is left to be written; servers that are up have pods as Ready as their records say."""
    there = tuple(children)
    up = [one for one in there if one.state == State.RUNNING]
    some = [a_pod(one, is_ready=bool(one.status.is_ready)) for one in up] if pods is None else list(pods)
    events: list[EventFact] = []
    while True:
        plan = a_look(build, now, children=there, pods=some, service=service, **more)
        if plan.status is None:
            return Settled(build.status, tuple(events), plan)
        events += plan.events
        build = replace(build, status=plan.status)
