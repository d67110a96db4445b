"""When a gate is closed, for whom, and when it says something else: windows, scopes and expiry (R32, R35)."""

from __future__ import annotations

import pytest
from tests.builders import a_build, at, at_if_any
from tests.builders.gates import a_gate, a_label, again, once, unreadable

from periodicbuild.core.gate_reasons import GateReason
from periodicbuild.core.gates import Closure, Gate
from periodicbuild.core.scopes import Operator, Requirement, Scope
from periodicbuild.core.windows import LONGEST_CHAIN, Span, Window, closed_until, next_to_begin

BEGIN, END = "2026-11-24T22:00:00", "2026-11-25T02:00:00"
JUST_BEFORE_BEGIN, JUST_BEFORE_END = "2026-11-24T21:59:59.9", "2026-11-25T01:59:59.9"
FRIDAYS = again("0 22 * * 5", "8h", zone="Europe/Berlin")
"""From 22:00 to 06:00 in Berlin."""

HOLDS = {
    "before a window": (once(BEGIN, END), JUST_BEFORE_BEGIN, None),
    "the first instant": (once(BEGIN, END), BEGIN, END),
    "the last moment": (once(BEGIN, END), JUST_BEFORE_END, END),
    "the end is open again": (once(BEGIN, END), END, None),
    "a Friday evening": (FRIDAYS, "2026-11-27T21:00:00", "2026-11-28T05:00:00"),
    "just before": (FRIDAYS, "2026-11-27T20:59:59.999", None),
    "Saturday morning": (FRIDAYS, "2026-11-28T04:59:59", "2026-11-28T05:00:00"),
    "Saturday at six": (FRIDAYS, "2026-11-28T05:00:00", None),
    "the clock goes back: eight hours end at five": (
        again("0 22 * * 6", "8h", zone="Europe/Berlin"),
        "2026-10-25T03:59:59",
        "2026-10-25T04:00:00",
    ),
    "the clock goes forward: eight hours end at seven": (
        again("0 22 * * 6", "8h", zone="Europe/Berlin"),
        "2026-03-29T04:59:59",
        "2026-03-29T05:00:00",
    ),
    "a begin in the gap is at the first instant after it": (
        again("30 2 * * *", "1h", zone="Europe/Berlin"),
        "2026-03-29T01:00:00",
        "2026-03-29T02:00:00",
    ),
    "an hour that is repeated begins once": (
        again("30 2 * * *", "10m", zone="Europe/Berlin"),
        "2026-10-25T01:30:00",
        None,
    ),
    "longer than the time between begins": (again("0 * * * *", "90m"), "2026-11-24T12:15:00", "2026-11-24T13:30:00"),
    "a cron expression that never comes": (again("30 2 31 2 *", "1h"), BEGIN, None),
    "a zone that this version does not know": (again("0 * * * *", "2h", zone="Mars/Phobos"), BEGIN, None),
    "unreadable": (unreadable(), BEGIN, None),
}


@pytest.mark.parametrize(("window", "now", "until"), HOLDS.values(), ids=list(HOLDS))
def test_a_window_holds_an_instant_until_its_end(window: Window, now: str, until: str | None) -> None:
    span = window.span_at(at(now))
    assert (None if span is None else span.end) == at_if_any(until)


NEXT = {
    "before it": (once(BEGIN, END), JUST_BEFORE_BEGIN, (BEGIN, END)),
    "within it": (once(BEGIN, END), BEGIN, None),
    "recurring, before": (FRIDAYS, "2026-11-27T20:59:59", ("2026-11-27T21:00:00", "2026-11-28T05:00:00")),
    "recurring, within": (FRIDAYS, "2026-11-27T21:00:00", ("2026-12-04T21:00:00", "2026-12-05T05:00:00")),
    "never": (again("30 2 31 2 *", "1h"), BEGIN, None),
    "in an unknown zone": (again("0 * * * *", "2h", zone="Mars/Phobos"), BEGIN, None),
    "unreadable": (unreadable(), BEGIN, None),
}


@pytest.mark.parametrize(("window", "now", "span"), NEXT.values(), ids=list(NEXT))
def test_a_window_begins_next_strictly_later(window: Window, now: str, span: tuple[str, str] | None) -> None:
    assert window.span_after(at(now)) == (None if span is None else Span(start=at(span[0]), end=at(span[1])))


def test_a_window_at_the_end_of_the_calendar_ends_with_it() -> None:
    span = again("0 0 31 12 *", "366d").span_after(at("9998-12-31T12:00:00"))
    assert span is None or span.end > span.start


CHAINS = {
    "apart": ([once(BEGIN, END), once("2026-11-25T03:00:00", "2026-11-25T04:00:00")], END),
    "one after the other": ([once(BEGIN, END), once(END, "2026-11-25T04:00:00")], "2026-11-25T04:00:00"),
    "overlapping": ([once(BEGIN, END), once("2026-11-25T01:00:00", "2026-11-25T04:00:00")], "2026-11-25T04:00:00"),
    "one within the other": ([once(BEGIN, END), once("2026-11-24T23:00:00", "2026-11-25T00:00:00")], END),
}


@pytest.mark.parametrize(("windows", "until"), CHAINS.values(), ids=list(CHAINS))
def test_windows_that_touch_are_one(windows: list[Window], until: str) -> None:
    assert closed_until(windows, at(BEGIN)) == at(until)
    assert closed_until(windows, at(JUST_BEFORE_BEGIN)) is None


def test_windows_without_an_end_are_looked_at_again() -> None:
    assert closed_until([again("0 * * * *", "1h")], at(BEGIN)) == at("2026-11-29T02:00:00")
    assert LONGEST_CHAIN == 100


def test_of_several_windows_the_first_begins_next() -> None:
    late, early = once("2026-12-01", "2026-12-02", name="late"), once(BEGIN, END, name="early")
    found = next_to_begin([late, early], at(JUST_BEFORE_BEGIN))
    assert found is not None
    assert found[0] == early
    assert next_to_begin([], at(BEGIN)) is None


IN, NOT_IN, EXISTS, DOES_NOT_EXIST = Operator
LABELS = {"tier": "prod", "app": "shop"}
SCOPES = {
    "everything": (None, (), True),
    "its namespace": (["team-a", "team-b"], (), True),
    "another namespace": (["team-b"], (), False),
    "a label": (None, [a_label("tier", IN, "prod")], True),
    "another value": (None, [a_label("tier", IN, "test", "dev")], False),
    "one of several values": (None, [a_label("tier", IN, "test", "prod")], True),
    "a label it does not have": (None, [a_label("zone", IN, "prod")], False),
    "not in": (None, [a_label("tier", NOT_IN, "prod")], False),
    "not in, and another value": (None, [a_label("tier", NOT_IN, "test")], True),
    "not in, and no such label": (None, [a_label("zone", NOT_IN, "test")], True),
    "exists": (None, [a_label("app", EXISTS)], True),
    "does not exist": (None, [a_label("zone", EXISTS)], False),
    "must not exist": (None, [a_label("app", DOES_NOT_EXIST)], False),
    "must not exist, and does not": (None, [a_label("zone", DOES_NOT_EXIST)], True),
    "both parts": (["team-a"], [a_label("tier", IN, "prod")], True),
    "only one of both": (["team-a"], [a_label("tier", IN, "test")], False),
}


@pytest.mark.parametrize(("namespaces", "requirements", "is_in"), SCOPES.values(), ids=list(SCOPES))
def test_a_scope_selects_as_kubernetes_does(
    namespaces: list[str] | None, requirements: list[Requirement], *, is_in: bool
) -> None:
    scope = Scope(namespaces=None if namespaces is None else frozenset(namespaces), requirements=tuple(requirements))
    assert scope.has(a_build(labels=LABELS)) == is_in


CLOSED = {
    "open": (a_gate("g", once(BEGIN, END)), JUST_BEFORE_BEGIN, None),
    "closed by hand": (a_gate("g", closed=True), BEGIN, Closure(reason=GateReason.CLOSED)),
    "closed by hand until it expires": (
        a_gate("g", once(BEGIN, END), closed=True, expires=END),
        BEGIN,
        Closure(reason=GateReason.CLOSED, until=at(END)),
    ),
    "in a window": (
        a_gate("g", once(BEGIN, END)),
        BEGIN,
        Closure(reason=GateReason.IN_WINDOW, window="upgrade", until=at(END)),
    ),
    "in a window longer than its life": (
        a_gate("g", once(BEGIN, END), expires="2026-11-25T00:00:00"),
        BEGIN,
        Closure(reason=GateReason.IN_WINDOW, window="upgrade", until=at("2026-11-25T00:00:00")),
    ),
    "with a window that outlives another": (
        a_gate("g", once(BEGIN, END), expires="2026-11-26T00:00:00"),
        BEGIN,
        Closure(reason=GateReason.IN_WINDOW, window="upgrade", until=at(END)),
    ),
    "with an unreadable window": (
        a_gate("g", once(BEGIN, END), unreadable()),
        JUST_BEFORE_BEGIN,
        Closure(reason=GateReason.INVALID_WINDOW, window="broken"),
    ),
    "expired": (a_gate("g", once(BEGIN, END), unreadable(), closed=True, expires=BEGIN), BEGIN, None),
    "expired long ago": (a_gate("g", closed=True, expires="2020-01-01T00:00:00"), BEGIN, None),
}


@pytest.mark.parametrize(("gate", "now", "closure"), CLOSED.values(), ids=list(CLOSED))
def test_a_gate_is_closed_by_hand_by_a_window_or_by_what_it_cannot_read(
    gate: Gate, now: str, closure: Closure | None
) -> None:
    """R32, R35."""
    assert gate.spec.closure_at(at(now)) == closure


CHANGES = {
    "a window begins": (a_gate("g", once(BEGIN, END)), JUST_BEFORE_BEGIN, BEGIN),
    "it ends": (a_gate("g", once(BEGIN, END)), BEGIN, END),
    "another begins before": (
        a_gate("g", once(BEGIN, END), once("2026-11-25T00:00:00", "2026-11-26T00:00:00")),
        BEGIN,
        "2026-11-25T00:00:00",
    ),
    "it expires": (a_gate("g", once(BEGIN, END), expires="2026-11-25T01:00:00"), BEGIN, "2026-11-25T01:00:00"),
    "it has expired": (a_gate("g", once(BEGIN, END), expires=BEGIN), BEGIN, None),
    "nothing by itself": (a_gate("g", closed=True), BEGIN, None),
}


@pytest.mark.parametrize(("gate", "now", "change"), CHANGES.values(), ids=list(CHANGES))
def test_a_gate_knows_when_it_says_something_else(gate: Gate, now: str, change: str | None) -> None:
    assert gate.spec.next_change(at(now)) == at_if_any(change)


def test_a_window_after_its_life_never_comes() -> None:
    assert a_gate("g", once(BEGIN, END), expires=BEGIN).spec.next_window(at(JUST_BEFORE_BEGIN)) is None
    assert a_gate("g", once(BEGIN, END), expires=END).spec.next_window(at(JUST_BEFORE_BEGIN)) is not None
    assert a_gate("g").spec.next_window(at(BEGIN)) is None
