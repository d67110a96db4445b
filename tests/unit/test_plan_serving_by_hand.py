"""What a person asks of the Service (R28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import an_app_server, at
from tests.builders.serving import (
    FALLBACK_FOR,
    MANUAL,
    NEW,
    NOW,
    OLD,
    ON_OLD,
    READ,
    a_read,
    a_server,
    a_service,
    a_serving_build,
    an_activation,
    settled,
    to,
)

from periodicbuild.core.facts import ActivationPolicy, AppServer
from periodicbuild.core.plans import ReadService, Refused
from periodicbuild.core.reasons import State
from periodicbuild.core.services import ServiceRead


def test_a_manual_server_is_activated_when_a_person_asks() -> None:
    build = a_serving_build(an_activation(), activate=f"{MANUAL.ref.name}/1")
    asked = settled(build, [OLD, MANUAL], service=a_read(ON_OLD))
    assert asked.plan.first == to(MANUAL)
    done = settled(replace(build, status=asked.status), [OLD, MANUAL], service=a_read(a_service(MANUAL)))
    assert done.status.asked_activation is not None
    assert (done.status.asked_activation.answer, done.told) == ("Activated", ("Activated",))
    assert done.events[0].note == (
        f"Service front points at AppServer {MANUAL.ref.name}; before it was {OLD.ref.name} (asked for by hand)"
    )
    assert done.status.activation is not None
    assert done.status.activation.previous == OLD.ref.name


def test_a_switch_back_by_hand_keeps_the_way_forward_open() -> None:
    """But it is not gone by itself."""
    known = an_activation(NEW, previous=OLD, until="2026-11-26")
    build = a_serving_build(known, activate=f"{OLD.ref.name}/1")
    look = settled(build, [OLD, NEW], service=a_read(ON_OLD))
    until = (at(NOW) + FALLBACK_FOR).isoformat()
    assert look.status.activation == an_activation(
        OLD, time=NOW, previous=NEW, until=until, rolled_back=NEW, newest=NEW
    )
    assert (look.told, look.plan.first) == (("Activated",), ())


def test_a_person_takes_a_changed_selector_back() -> None:
    service = a_service("web")
    build = a_serving_build(an_activation(), activate=f"{OLD.ref.name}/1")
    assert settled(build, [OLD], service=a_read(service)).plan.first == to(OLD, service)


REFUSED: dict[str, tuple[str, list[AppServer], ServiceRead, str]] = {
    "it is no server of this one": ("nobody", [OLD], a_read(ON_OLD), "ServerNotFound"),
    "it is not Ready": (NEW.ref.name, [OLD, a_server(is_ready=False)], a_read(ON_OLD), "ServerNotReady"),
    "it is not built yet": (
        NEW.ref.name,
        [OLD, an_app_server(state=State.CONFIGURING_SERVER)],
        a_read(ON_OLD),
        "ServerNotReady",
    ),
    "there is no Service": (NEW.ref.name, [OLD, NEW], a_read(), "ServiceNotFound"),
    "the Service has not agreed": (NEW.ref.name, [OLD, NEW], a_read(a_service(label=None)), "ServiceNotOptedIn"),
    "we may not": (NEW.ref.name, [OLD, NEW], a_read(refused=Refused.FORBIDDEN), "Forbidden"),
}


@pytest.mark.parametrize(("name", "children", "read", "answer"), REFUSED.values(), ids=list(REFUSED))
def test_a_request_is_refused_once_if(name: str, children: list[AppServer], read: ServiceRead, answer: str) -> None:
    build = a_serving_build(an_activation(), activate=f"{name}/1")
    look = settled(build, children, service=read)
    assert look.status.asked_activation is not None
    assert (look.status.asked_activation.request, look.status.asked_activation.answer) == (f"{name}/1", answer)
    (event,) = look.events
    assert (event.type, event.reason, event.key) == ("Warning", "ActivationRefused", f"{name}/1")
    assert event.note == f"The Service was not pointed at {name}: {look.status.asked_activation.message}"
    assert look.status.asked_activation.message
    edited = replace(build, status=look.status, generation=2)  # so that there is something to write
    assert settled(edited, children, service=read).told == ()
    another = replace(build, status=look.status, activate=f"{name}/2")
    assert settled(another, children, service=read).told == ("ActivationRefused",)


def test_after_a_refused_request_things_go_on() -> None:
    build = a_serving_build(an_activation(), activate="nobody")
    assert settled(build, [OLD, NEW], service=a_read(ON_OLD)).plan.first == to(NEW)


def test_without_a_policy_a_request_is_refused() -> None:
    look = settled(a_serving_build(policy=None, activate="nobody"))
    assert look.status.asked_activation is not None
    assert (look.status.asked_activation.answer, look.told) == ("NotConfigured", ("ActivationRefused",))
    assert look.status.asked_activation.message == "spec.activation names no Service"
    again = settled(replace(a_serving_build(policy=None, activate="nobody"), status=look.status))
    assert again.told == ()


def test_a_request_waits_for_an_answer_of_the_api() -> None:
    build = a_serving_build(an_activation(), activate=NEW.ref.name)
    assert settled(build, [OLD, NEW], service=a_read(refused=Refused.API_ERROR)).status.asked_activation is None
    assert settled(build, [OLD, NEW], service=a_read(ON_OLD, "2026-11-24T02:59:00")).plan.first == READ


def test_one_that_is_active_already_is_activated() -> None:
    build = a_serving_build(an_activation(), activate=OLD.ref.name)
    look = settled(build, [OLD], service=a_read(ON_OLD))
    assert look.status.asked_activation is not None
    assert (look.status.asked_activation.answer, look.status.asked_activation.message) == ("Activated", "")
    assert look.told == ()


def test_another_service_is_another_activation() -> None:
    policy = ActivationPolicy(service_name="back", fallback_for=timedelta(hours=1))
    look = settled(a_serving_build(an_activation(), policy=policy), [OLD], service=a_read(ON_OLD))
    assert look.plan.first == (ReadService(name="back"),)
