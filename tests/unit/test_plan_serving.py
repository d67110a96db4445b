"""Which server the Service is pointed at, and what is said where it cannot be (R28)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import at
from tests.builders.looks import PREVIOUS
from tests.builders.serving import (
    FALLBACK_FOR,
    MANUAL,
    NEW,
    NOW,
    OLD,
    OLDEST,
    ON_OLD,
    READ,
    a_lost,
    a_read,
    a_server,
    a_service,
    a_serving_build,
    an_activation,
    settled,
    to,
)

from periodicbuild.core.facts import AppServer, AppServerStatus
from periodicbuild.core.plans import FirstAction, Refused
from periodicbuild.core.reasons import State, Trigger
from periodicbuild.core.services import Service, ServiceRead
from periodicbuild.core.status import Activation

TWO_MINUTES_AGO = "2026-11-24T02:58:00"


def test_the_service_is_read_first() -> None:
    assert settled(a_serving_build(), [NEW]).plan.first == READ
    assert settled(a_serving_build()).activated.reason == "NotChecked"


@pytest.mark.parametrize(
    ("read", "first"),
    [
        (a_read(ON_OLD, "2026-11-24T02:55:01"), ()),
        (a_read(ON_OLD, "2026-11-24T02:55:00"), READ),
        (a_read(ON_OLD, name="of another time"), READ),
        (a_read(None, "2026-11-24T02:59:31", refused=Refused.API_ERROR), ()),
        (a_read(None, "2026-11-24T02:59:30", refused=Refused.API_ERROR), READ),
    ],
)
def test_it_is_read_every_five_minutes_and_sooner_after_no_answer(
    read: ServiceRead, first: tuple[FirstAction, ...]
) -> None:
    """R28: Services are not watched."""
    look = settled(a_serving_build(an_activation()), [OLD], service=read)
    assert look.plan.first == first
    if not first:
        assert look.plan.wake.steady is not None


SWITCHES: dict[str, tuple[Activation | None, Service, list[AppServer], AppServer]] = {
    "the newest server to a Service without a selector": (None, a_service(), [OLD, NEW], NEW),
    "the newest server to one that selects something, since its label agrees": (
        None,
        a_service("web"),
        [OLD, NEW],
        NEW,
    ),
    "a newer server than the active one": (an_activation(), ON_OLD, [OLD, NEW], NEW),
    "one from a recovery": (an_activation(), ON_OLD, [OLD, replace(NEW, trigger=Trigger.RECOVERY)], NEW),
    "one of a later epoch": (an_activation(NEW), a_service(NEW), [NEW, replace(OLD, epoch=2)], OLD),
    "the active server to a Service that was made anew": (an_activation(), a_service(uid="another"), [OLD], OLD),
    "the newest to a Service that was made anew": (an_activation(), a_service("web", uid="another"), [OLD, NEW], NEW),
    "the fallback for one that is lost": (
        an_activation(NEW, previous=OLD, until="2026-11-26"),
        a_service(NEW),
        [a_lost(), OLD],
        OLD,
    ),
    "the fallback for one that a person has deleted": (
        an_activation(NEW, previous=OLD, until="2026-11-26"),
        a_service(NEW),
        [OLD],
        OLD,
    ),
    "the fallback for one that is not Ready soon after the switch": (
        an_activation(NEW, time="2026-11-24T02:55:01", previous=OLD, until="2026-11-26"),
        a_service(NEW),
        [a_server(is_ready=False), OLD],
        OLD,
    ),
    "the newest rather than the fallback": (
        an_activation(OLD, time=TWO_MINUTES_AGO, previous=OLDEST, until="2026-11-26"),
        ON_OLD,
        [a_server(PREVIOUS, is_ready=False), OLDEST, NEW],
        NEW,
    ),
}


@pytest.mark.parametrize(("known", "service", "children", "server"), SWITCHES.values(), ids=list(SWITCHES))
def test_what_is_switched(
    known: Activation | None, service: Service, children: list[AppServer], server: AppServer
) -> None:
    look = settled(a_serving_build(known), children, service=a_read(service))
    assert look.plan.first == to(server, service)
    assert look.told == ()


LEFT: dict[str, tuple[Activation | None, list[AppServer]]] = {
    "by a server that is not Ready": (an_activation(), [OLD, a_server(is_ready=False)]),
    "by a build that failed": (an_activation(), [OLD, replace(NEW, status=AppServerStatus(state=State.ERROR))]),
    "by a manual run": (an_activation(), [OLD, MANUAL]),
    "by one that is being deleted": (an_activation(), [OLD, replace(NEW, is_deleting=True)]),
    "by one of an older slot": (an_activation(newest=NEW), [OLD, NEW]),
    "by a server that is not Ready five minutes after the switch": (
        an_activation(OLD, time="2026-11-24T02:55:00", previous=OLDEST, until="2026-11-26"),
        [a_server(PREVIOUS, is_ready=False), OLDEST],
    ),
    "for a fallback that is not Ready": (
        an_activation(OLD, time=TWO_MINUTES_AGO, previous=NEW, until="2026-11-26", newest=NEW),
        [a_server(PREVIOUS, is_ready=False), a_server(is_ready=False)],
    ),
    "for one from which was switched back": (
        an_activation(OLD, time=TWO_MINUTES_AGO, previous=NEW, until="2026-11-26", rolled_back=NEW, newest=NEW),
        [a_server(PREVIOUS, is_ready=False), NEW],
    ),
}


@pytest.mark.parametrize(("known", "children"), LEFT.values(), ids=list(LEFT))
def test_nothing_is_switched(known: Activation | None, children: list[AppServer]) -> None:
    assert settled(a_serving_build(known), children, service=a_read(ON_OLD)).plan.first == ()


def test_a_server_is_ready_by_its_record_and_by_its_pod() -> None:
    """The pod is often known first."""
    look = settled(a_serving_build(an_activation()), [OLD, NEW], service=a_read(ON_OLD), pods=[])
    assert look.plan.first == ()


@pytest.mark.parametrize("read", [a_read(ON_OLD, "2026-11-24T02:59:50"), a_read(ON_OLD, version="99")])
def test_it_is_read_again_before_it_is_switched(read: ServiceRead) -> None:
    assert settled(a_serving_build(an_activation()), [OLD, NEW], service=read).plan.first == READ
    assert settled(a_serving_build(an_activation()), [OLD], service=replace(read, service=a_service(NEW))).plan.first


def test_the_outcome_is_written_before_the_switch() -> None:
    """R42."""
    build = a_serving_build(an_activation())
    first_look = replace(build, status=replace(build.status, conditions=()))
    look = settled(first_look, [OLD, NEW], service=a_read(ON_OLD))
    assert look.status != first_look.status
    assert look.plan.first == to(NEW)


def test_a_switch_is_noted_by_the_look_after_it() -> None:
    """Also after a crash: nothing else is known of it."""
    look = settled(a_serving_build(an_activation()), [OLD, NEW], service=a_read(a_service(NEW)))
    assert look.status.activation == an_activation(
        NEW, time=NOW, previous=OLD, until=(at(NOW) + FALLBACK_FOR).isoformat()
    )
    assert (look.told, look.plan.first) == (("Activated",), ())
    assert (look.activated.status, look.activated.reason) == ("True", "Activated")
    assert look.activated.message == f"Service front points at AppServer {NEW.ref.name}"


def test_what_is_noted_must_be_fresh() -> None:
    """A reading of before the last switch would undo it."""
    read = a_read(a_service(NEW), "2026-11-24T02:59:00")
    look = settled(a_serving_build(an_activation()), [OLD, NEW], service=read)
    assert (look.plan.first, look.status.activation) == (READ, an_activation())


NOTED: dict[str, tuple[Activation | None, list[AppServer], Service, Activation]] = {
    "the first one": (None, [OLD], ON_OLD, an_activation(OLD, time=NOW)),
    "one whose former server is lost": (
        an_activation(OLD),
        [a_lost(PREVIOUS), NEW],
        a_service(NEW),
        an_activation(NEW, time=NOW),
    ),
    "one back": (
        an_activation(NEW, previous=OLD, until="2026-11-26"),
        [OLD, NEW],
        ON_OLD,
        an_activation(OLD, time=NOW, newest=NEW, rolled_back=NEW),
    ),
    "a Service made anew": (
        an_activation(OLD, service="former", previous=OLDEST, until="2026-11-26"),
        [OLD],
        ON_OLD,
        an_activation(OLD, previous=OLDEST, until="2026-11-26"),
    ),
}


@pytest.mark.parametrize(("known", "children", "service", "after"), NOTED.values(), ids=list(NOTED))
def test_noted_is(known: Activation | None, children: list[AppServer], service: Service, after: Activation) -> None:
    assert settled(a_serving_build(known), children, service=a_read(service)).status.activation == after


def test_a_switch_back_is_told_as_such() -> None:
    build = a_serving_build(an_activation(NEW, previous=OLD, until="2026-11-26"))
    look = settled(build, [OLD, NEW], service=a_read(ON_OLD))
    (event,) = look.events
    assert (event.type, event.reason, event.key) == (
        "Warning",
        "ActivationRolledBack",
        f"{OLD.ref.name}/20261124030000",
    )
    assert event.note == (
        f"Service front was switched back to AppServer {OLD.ref.name}: {NEW.ref.name} is gone,"
        " or was not Ready soon after the switch"
    )


@pytest.mark.parametrize(
    ("known", "was"),
    [(None, ""), (an_activation(), f"; before it was {OLD.ref.name}")],
    ids=["the first", "a later one"],
)
def test_a_switch_is_told(known: Activation | None, was: str) -> None:
    (event,) = settled(a_serving_build(known), [OLD, NEW], service=a_read(a_service(NEW))).events
    assert (event.type, event.reason, event.key) == ("Normal", "Activated", f"{NEW.ref.name}/20261124030000")
    assert event.note == f"Service front points at AppServer {NEW.ref.name}{was}"


PROBLEMS: dict[str, tuple[ServiceRead, str, str]] = {
    "there is none": (a_read(), "ServiceNotFound", "create it"),
    "it has not agreed": (a_read(a_service(label=None)), "ServiceNotOptedIn", "activated-by: nightly"),
    "it has agreed with another": (a_read(a_service(label="hourly")), "ServiceNotOptedIn", "activated-by: nightly"),
    "it names what we made, and has not agreed": (a_read(a_service(NEW, label=None)), "ServiceNotOptedIn", "label"),
    "it is a name of somewhere else": (a_read(a_service(is_external=True)), "ServiceNotSuitable", "ExternalName"),
    "its selector was changed": (a_read(a_service("web")), "SelectorChanged", "kubectl periodicbuild activate nightly"),
    "its selector was removed": (a_read(a_service()), "SelectorChanged", "left alone"),
    "we may not": (a_read(refused=Refused.FORBIDDEN), "Forbidden", "may not read or patch Service front: no"),
}


@pytest.mark.parametrize(("read", "reason", "words"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_it_is_said_why_nothing_is_switched(read: ServiceRead, reason: str, words: str) -> None:
    look = settled(a_serving_build(an_activation()), [OLD, NEW], service=read)
    assert (look.plan.first, look.activated.status, look.activated.reason) == ((), "False", reason)
    assert words in look.activated.message


def test_a_changed_selector_is_told_of_once() -> None:
    """R28: no fight."""
    build = a_serving_build(an_activation())
    look = settled(build, [OLD, NEW], service=a_read(a_service("web")))
    (event,) = look.events
    assert (event.type, event.reason, event.key) == ("Warning", "SelectorChanged", "front/20261124030000")
    assert event.note == look.activated.message
    edited = replace(build, status=look.status, generation=2)  # so that there is something to write
    again = settled(edited, [OLD, NEW], service=a_read(a_service("else")))
    assert again.told == ()


def test_without_an_answer_it_is_what_it_was() -> None:
    build = a_serving_build(an_activation())
    before = settled(build, [OLD], service=a_read(ON_OLD)).status
    look = settled(replace(build, status=before), [OLD, NEW], service=a_read(refused=Refused.API_ERROR))
    assert (look.plan.first, look.status) == ((), before)


WITHOUT: dict[str, tuple[Activation | None, Service, list[AppServer], str]] = {
    "no server yet": (None, a_service(), [MANUAL], "Service front waits for the first server that is Ready"),
    "the active one lost": (
        an_activation(),
        ON_OLD,
        [a_lost(PREVIOUS)],
        f"AppServer {OLD.ref.name}, at which Service front was pointed, is gone, and there is no other",
    ),
}


@pytest.mark.parametrize(("known", "service", "children", "message"), WITHOUT.values(), ids=list(WITHOUT))
def test_there_is_no_good_server(
    known: Activation | None, service: Service, children: list[AppServer], message: str
) -> None:
    look = settled(a_serving_build(known), children, service=a_read(service), has_place=False)
    assert (look.activated.status, look.activated.reason, look.activated.message) == ("False", "NoGoodServer", message)


def test_losing_readiness_later_changes_the_condition_and_nothing_else() -> None:
    """R28."""
    build = a_serving_build(an_activation(NEW, time="2026-11-24T02:50:00", previous=OLD, until="2026-11-26"))
    look = settled(build, [OLD, a_server(is_ready=False)], service=a_read(a_service(NEW)))
    assert (look.plan.first, look.told, look.activated.status) == ((), (), "True")
    assert look.activated.message.endswith("which is not Ready now")


def test_without_a_policy_nothing_is_remembered() -> None:
    look = settled(a_serving_build(an_activation(), policy=None), [OLD])
    assert (look.status.activation, look.activated.reason) == (None, "NotConfigured")


def test_a_policy_that_is_added_is_said_to_be_unchecked() -> None:
    known = settled(a_serving_build(policy=None), [OLD]).status
    look = settled(replace(a_serving_build(), status=known), [OLD])
    assert (look.activated.status, look.activated.reason, look.plan.first) == ("Unknown", "NotChecked", READ)


def test_nothing_stands_in_the_way_of_a_switch() -> None:
    """R28, R32: neither a schedule that is off nor a clock that is wrong."""
    build = a_serving_build(an_activation())
    off = replace(build, spec=replace(build.spec, schedule=replace(build.spec.schedule, enabled=False)))
    assert settled(off, [OLD, NEW], service=a_read(ON_OLD)).plan.first == to(NEW)
    assert settled(build, [OLD, NEW], service=a_read(ON_OLD), clock_is_trusted=False).plan.first == to(NEW)
