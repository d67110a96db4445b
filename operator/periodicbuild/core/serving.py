"""Activation: which server the Service should point at, and whether it may be pointed there (R28).

The one idea a newcomer would miss: a switch is never written down by the look that makes it.  Its answer is the Service
as it is now, and a Service that names another server of ours than status does has been switched: by us, before a crash
or a moment ago, or by a person.  So what follows a crash is what follows every switch.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.candidates import target_of
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import ReadService, Refused, SwitchService
from periodicbuild.core.reasons import ConditionReason, ConditionType, EventReason
from periodicbuild.core.schedules import whole_second_down
from periodicbuild.core.servers import is_ready, is_up, server_named
from periodicbuild.core.status import Activation, AskedActivation

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.conditions import Verdict
    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft
    from periodicbuild.core.services import Service, ServiceRead

READ_EVERY = timedelta(minutes=5)
"""Services are not watched."""
READ_AGAIN_AFTER = timedelta(seconds=30)
"""Where the API gave no answer."""
FRESH = timedelta(seconds=10)
"""Nothing is done, and no request refused, on an older reading than this."""


def serve(draft: Draft) -> None:
    """Note what the Service points at, say whether that is well, and ask for a switch where one is due."""
    policy = draft.build.spec.activation
    if policy is None:
        draft.status = replace(draft.status, activation=None)
        _answer(draft, ConditionReason.NOT_CONFIGURED, "spec.activation names no Service")
        return
    read = draft.facts.service
    if read is None or read.name != policy.service_name or draft.now.steady >= _due_at(read):
        draft.serving.append(ReadService(name=policy.service_name))
        return
    draft.wake_at(steady=_due_at(read))
    server = _unrecorded_server(draft, read.service)
    if server is not None and read.service is not None:
        if not _is_fresh(draft, read):
            draft.serving.append(ReadService(name=policy.service_name))
            return
        _note_switch(draft, read.service, server, keep_for=policy.fallback_for)
    _decide(draft, read)


def may_remove_servers(draft: Draft) -> bool:
    """Tell whether it is certain enough which server the Service points at; if not, ask first (R29)."""
    policy, read = draft.build.spec.activation, draft.facts.service
    if policy is None:
        return True
    if draft.serving or read is None:
        return False
    if not _is_fresh(draft, read):
        draft.serving.append(ReadService(name=policy.service_name))
        return False
    return read.refused != Refused.API_ERROR


def _decide(draft: Draft, read: ServiceRead) -> None:
    asked = _asked_name(draft)
    problem = _problem(draft, read)
    target = server_named(draft, asked) if asked is not None else target_of(draft, read.service)
    is_acting = asked is not None or target is not None or problem is not None
    if is_acting and read.refused != Refused.API_ERROR and not _is_fresh(draft, read):
        draft.serving.append(ReadService(name=read.name))
        return
    if read.refused == Refused.API_ERROR:
        return
    if asked is not None and _is_answered(draft, read, asked, problem):
        target = target_of(draft, read.service)
        asked = None
    is_in_the_way = problem is not None and not (asked is not None and problem[1] == ConditionReason.SELECTOR_CHANGED)
    if problem is not None and is_in_the_way:
        _say(draft, read, problem)
    elif target is not None and read.service is not None:
        draft.serving.append(SwitchService(service=read.service, app_server=target.ref.name))
    else:
        draft.activated = _verdict(draft, read.name)


# What the Service says


def _unrecorded_server(draft: Draft, service: Service | None) -> AppServer | None:
    """Return the server of ours that the Service names, if it is up and status tells of another server or Service."""
    if service is None or service.activated_by != draft.build.ref.name or service.is_external:
        return None
    known = draft.status.activation
    if known is not None and (known.app_server, known.service_uid) == (service.app_server, service.uid):
        return None
    server = server_named(draft, service.app_server)
    return server if is_up(server) else None


def _note_switch(draft: Draft, service: Service, server: AppServer, *, keep_for: timedelta) -> None:
    known = draft.status.activation
    if known is not None and known.app_server == server.ref.name:
        draft.status = replace(draft.status, activation=replace(known, service_uid=service.uid))
        return
    former = server_named(draft, known.app_server) if known is not None else None
    is_by_hand = _asked_name(draft) == server.ref.name
    is_back = known is not None and known.previous == server.ref.name
    kept = former if is_up(former) and (is_by_hand or not is_back) else None
    at = whole_second_down(draft.now.steady)
    epoch, slot = max(server.newness[:2], server.newness[:2] if known is None else (known.epoch, known.slot))
    draft.status = replace(
        draft.status,
        activation=Activation(
            app_server=server.ref.name,
            at=at,
            service_uid=service.uid,
            epoch=epoch,
            slot=slot,
            previous=kept.ref.name if kept is not None else None,
            fallback_until=at + keep_for if kept is not None else None,
            rolled_back=known.app_server if known is not None and is_back else None,
        ),
    )
    _tell_of_switch(draft, service, known, is_by_hand=is_by_hand, is_back=is_back)


def _tell_of_switch(
    draft: Draft, service: Service, known: Activation | None, *, is_by_hand: bool, is_back: bool
) -> None:
    key = f"{service.app_server}/{draft.now.steady:%Y%m%d%H%M%S}"
    was = f"; before it was {known.app_server}" if known is not None else ""
    note = f"Service {service.name} points at AppServer {service.app_server}{was}"
    if is_back and known is not None and not is_by_hand:
        note = (
            f"Service {service.name} was switched back to AppServer {service.app_server}: {known.app_server} is gone,"
            " or was not Ready soon after the switch"
        )
        draft.tell(EventType.WARNING, EventReason.ACTIVATION_ROLLED_BACK, note, key=key)
    else:
        by_hand = " (asked for by hand)" if is_by_hand else ""
        draft.tell(EventType.NORMAL, EventReason.ACTIVATED, f"{note}{by_hand}", key=key)


def _problem(draft: Draft, read: ServiceRead) -> Verdict | None:
    """Say what keeps the Service from being pointed anywhere."""
    service = read.service
    if read.refused is not None:
        message = f"the operator may not read or patch Service {read.name}: {read.message}"
        return "False", ConditionReason.FORBIDDEN, message
    label = f"the label periodicbuild.dev/activated-by: {draft.build.ref.name}"
    if service is None:
        message = f"there is no Service {read.name} in this namespace: create it, with {label} and without a selector"
        return "False", ConditionReason.SERVICE_NOT_FOUND, message
    if service.activated_by != draft.build.ref.name:
        message = f"Service {read.name} lacks {label}, by which it agrees to be pointed at servers"
        return "False", ConditionReason.SERVICE_NOT_OPTED_IN, message
    if service.is_external:
        message = f"Service {read.name} is of type ExternalName, where a selector has no effect: give it another type"
        return "False", ConditionReason.SERVICE_NOT_SUITABLE, message
    known = draft.status.activation
    if known is not None and known.service_uid == service.uid and known.app_server != service.app_server:
        message = (
            f"the selector of Service {read.name} was changed by someone else and is left alone; it named"
            f" {known.app_server}: to have it back, run `kubectl periodicbuild activate {draft.build.ref.name}`"
        )
        return "False", ConditionReason.SELECTOR_CHANGED, message
    return None


def _say(draft: Draft, read: ServiceRead, problem: Verdict) -> None:
    """Set the condition; of a selector that someone else has changed an Event tells, too, once."""
    draft.activated = problem
    known = draft.status.condition(ConditionType.ACTIVATED)
    if problem[1] != ConditionReason.SELECTOR_CHANGED or (known is not None and known.reason == problem[1]):
        return
    key = f"{read.name}/{draft.now.steady:%Y%m%d%H%M%S}"
    draft.tell(EventType.WARNING, EventReason.SELECTOR_CHANGED, problem[2], key=key)


def _verdict(draft: Draft, name: str) -> Verdict:
    """Say what the Service points at when there is nothing to be done."""
    known = draft.status.activation
    if known is None:
        return "False", ConditionReason.NO_GOOD_SERVER, f"Service {name} waits for the first server that is Ready"
    server = server_named(draft, known.app_server)
    if not is_up(server):
        message = f"AppServer {known.app_server}, at which Service {name} was pointed, is gone, and there is no other"
        return "False", ConditionReason.NO_GOOD_SERVER, message
    not_ready = "" if is_ready(draft, server) else ", which is not Ready now"
    return "True", ConditionReason.ACTIVATED, f"Service {name} points at AppServer {known.app_server}{not_ready}"


# What a person asks for


def _asked_name(draft: Draft) -> str | None:
    """Return the AppServer that a person asks for; the value of the annotation is a name, and perhaps a token."""
    asked, answered = draft.build.activate, draft.status.asked_activation
    if asked is None or (answered is not None and answered.request == asked):
        return None
    return asked.partition("/")[0]


def _is_answered(draft: Draft, read: ServiceRead, name: str, problem: Verdict | None) -> bool:
    """Answer a request that is fulfilled or cannot be; tell whether it is."""
    server, known = server_named(draft, name), draft.status.activation
    points_there = read.service is not None and read.service.app_server == name
    if known is not None and known.app_server == name and points_there:
        _answer(draft, ConditionReason.ACTIVATED, "")
    elif server is None:
        message = f"{name} is no server of PeriodicBuild {draft.build.ref.name}"
        _answer(draft, ConditionReason.SERVER_NOT_FOUND, message)
    elif not is_ready(draft, server):
        _answer(draft, ConditionReason.SERVER_NOT_READY, f"AppServer {name} is not Ready")
    elif problem is not None and problem[1] != ConditionReason.SELECTOR_CHANGED:
        _answer(draft, problem[1], problem[2])
    else:
        return False
    return True


def _answer(draft: Draft, answer: str, message: str) -> None:
    asked, answered = draft.build.activate, draft.status.asked_activation
    if asked is None or (answered is not None and answered.request == asked):
        return
    draft.status = replace(
        draft.status, asked_activation=AskedActivation(request=asked, answer=answer, message=message)
    )
    if answer != ConditionReason.ACTIVATED:
        note = f"The Service was not pointed at {asked.partition('/')[0]}: {message}"
        draft.tell(EventType.WARNING, EventReason.ACTIVATION_REFUSED, note, key=asked)


def _due_at(read: ServiceRead) -> datetime:
    return read.read_at + (READ_AGAIN_AFTER if read.refused == Refused.API_ERROR else READ_EVERY)


def _is_fresh(draft: Draft, read: ServiceRead) -> bool:
    """Tell whether nothing can have been switched since, as far as this process knows."""
    age = draft.now.steady - read.read_at
    return read.version == draft.build.resource_version and age < FRESH
