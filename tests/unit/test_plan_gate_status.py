"""What people are told of a gate: open, safe, what waits and what it waits for (R34, R35)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.builders import SLOT, a_now, at, at_if_any
from tests.builders.gates import CLOSED, a_gate, again, once, unreadable

from periodicbuild.core.gate_plan import BLOCKING_SHOWN, GateFacts, GatePlan, plan_gate
from periodicbuild.core.gate_status import BlockingBuild, GateStatus, NextWindow
from periodicbuild.core.plans import Wake

if TYPE_CHECKING:
    from tests.builders import Instant

    from periodicbuild.core.gates import Gate

BEGIN, END = "2026-11-24T03:00:00", "2026-11-24T05:00:00"
EXPIRED = a_gate(closed=True, expires=SLOT)
AHEAD = a_gate("rollout", once(BEGIN, END))
AT_WORK = BlockingBuild(namespace="team-a", name="nightly", app_server="nightly-1", estimated_end_at=at(BEGIN))


def looked_at(gate: Gate, now: Instant = SLOT, *blocking: BlockingBuild, held_back: int = 0) -> GateStatus:
    """Give the status that a look at a gate writes."""
    plan = plan_gate(GateFacts(gate=gate, blocking=blocking, held_back=held_back), a_now(now))
    assert plan.status is not None
    return plan.status


def verdicts(status: GateStatus) -> list[tuple[str, str, str]]:
    """Give type, status and reason of its conditions."""
    return [(one.type, one.status, one.reason) for one in status.conditions]


CONDITIONS = {
    "open": (a_gate(), (), ("True", "Accepted"), ("True", "Open"), ("False", "GateOpen")),
    "open while something is being built": (
        a_gate(),
        (AT_WORK,),
        ("True", "Accepted"),
        ("True", "Open"),
        ("False", "GateOpen"),
    ),
    "closed": (CLOSED, (), ("True", "Accepted"), ("False", "Closed"), ("True", "NothingInProgress")),
    "closed while something is being built": (
        CLOSED,
        (AT_WORK,),
        ("True", "Accepted"),
        ("False", "Closed"),
        ("False", "BuildsInProgress"),
    ),
    "in a window": (
        a_gate("g", once(SLOT, END)),
        (),
        ("True", "Accepted"),
        ("False", "InWindow"),
        ("True", "NothingInProgress"),
    ),
    "ahead of a window": (AHEAD, (), ("True", "Accepted"), ("True", "Open"), ("False", "GateOpen")),
    "with an unreadable window": (
        a_gate("g", unreadable()),
        (),
        ("False", "InvalidWindow"),
        ("False", "InvalidWindow"),
        ("True", "NothingInProgress"),
    ),
    "with a window that never comes": (
        a_gate("g", once(BEGIN, END), again("30 2 31 2 *", "1h")),
        (),
        ("False", "NeverDue"),
        ("True", "Open"),
        ("False", "GateOpen"),
    ),
    "expired": (
        EXPIRED,
        (AT_WORK,),
        ("True", "Accepted"),
        ("True", "Expired"),
        ("False", "GateOpen"),
    ),
    "not understood": (
        a_gate(problem="spec.scope: no object"),
        (),
        ("False", "InvalidSpec"),
        ("True", "Open"),
        ("False", "GateOpen"),
    ),
}


@pytest.mark.parametrize(("gate", "blocking", "valid", "open_", "safe"), CONDITIONS.values(), ids=list(CONDITIONS))
def test_conditions_say_whether_it_is_understood_open_and_safe(
    gate: Gate,
    blocking: tuple[BlockingBuild, ...],
    valid: tuple[str, str],
    open_: tuple[str, str],
    safe: tuple[str, str],
) -> None:
    """R34, R35: safe exactly while it is closed and nothing is in progress."""
    status = looked_at(gate, SLOT, *blocking)
    assert verdicts(status) == [("Valid", *valid), ("Open", *open_), ("Safe", *safe)]


OTHER = "BuildGate other, spec.scope: no object"
NOT_READ = {
    "none is obeyed": (GateFacts(gate=CLOSED, is_read=False), ("True", "Unreadable"), ("False", "Unreadable")),
    "none is obeyed, and something is being built": (
        GateFacts(gate=CLOSED, is_read=False, blocking=(AT_WORK,), held_back=1),
        ("True", "Unreadable"),
        ("False", "Unreadable"),
    ),
    "none is obeyed, and it has expired": (
        GateFacts(gate=EXPIRED, is_read=False),
        ("True", "Unreadable"),
        ("False", "Unreadable"),
    ),
    "every build is held back": (
        GateFacts(gate=CLOSED, is_read=False, problem="no right", held_back=1),
        ("False", "Unreadable"),
        ("False", "Unreadable"),
    ),
    "every build is held back because of another gate": (
        GateFacts(gate=CLOSED, problem=OTHER),
        ("False", "Unreadable"),
        ("True", "NothingInProgress"),
    ),
    "every build is held back because of another gate, and this one is open": (
        GateFacts(gate=a_gate(), problem=OTHER),
        ("False", "Unreadable"),
        ("False", "GateOpen"),
    ),
}


@pytest.mark.parametrize(("facts", "open_", "safe"), NOT_READ.values(), ids=list(NOT_READ))
def test_when_gates_cannot_be_read_it_says_what_becomes_of_builds_and_vouches_for_nothing_it_has_not_read(
    facts: GateFacts, open_: tuple[str, str], safe: tuple[str, str]
) -> None:
    """R35."""
    status = plan_gate(facts, a_now(SLOT)).status
    assert status is not None
    assert verdicts(status)[1:] == [("Open", *open_), ("Safe", *safe)]
    assert (status.held_back, status.blocking_count) == (0, 0)


def test_messages_say_why_gates_are_not_read() -> None:
    ignored = plan_gate(GateFacts(gate=CLOSED, is_read=False), a_now(SLOT)).status
    assert ignored is not None
    assert [one.message for one in ignored.conditions[1:]] == [
        "the operator may not read gates, so no build waits for this one: allow it to list and watch them",
        "the operator may not read gates, so it does not know what this one says: allow it to list and watch them",
    ]
    held = plan_gate(GateFacts(gate=CLOSED, is_read=False, problem="no right"), a_now(SLOT)).status
    assert held is not None
    assert held.conditions[1].message == "no build starts, since the operator cannot read gates: no right"


def test_a_scope_without_a_build_is_warned_about() -> None:
    plan = plan_gate(GateFacts(gate=CLOSED, has_scope=False), a_now(SLOT))
    assert plan.status is not None
    assert verdicts(plan.status)[0] == ("Valid", "True", "NothingInScope")


def test_what_is_wrong_with_a_window_is_said_in_a_sentence() -> None:
    status = looked_at(a_gate("g", unreadable()))
    message = "spec.windows[broken].recurring.timeZone: no such zone; until then the gate is closed"
    assert status.conditions[0].message == message


def test_messages_say_which_window_it_is_and_until_when() -> None:
    assert looked_at(AHEAD, BEGIN).conditions[1].message == (
        "closed by window upgrade until 2026-11-24T05:00:00Z: no build in its scope starts"
    )
    assert looked_at(CLOSED).conditions[1].message == "closed: no build in its scope starts"


def test_every_condition_carries_the_generation_it_was_judged_by() -> None:
    """R34: so that nobody who waits for it is answered by an older closing."""
    edited = replace(CLOSED, generation=7, status=looked_at(CLOSED))
    status = looked_at(edited)
    assert status.observed_generation == 7
    assert {one.observed_generation for one in status.conditions} == {7}


def test_a_transition_is_when_the_status_of_a_condition_has_changed() -> None:
    before = replace(AHEAD, status=looked_at(AHEAD, SLOT))
    status = looked_at(before, "2026-11-24T03:00:00.5")
    assert [one.changed_at for one in status.conditions] == [at(SLOT), at(BEGIN), at(BEGIN)]


def test_the_next_window_is_the_next_to_begin() -> None:
    assert looked_at(AHEAD).next_window == NextWindow(name="upgrade", start=at(BEGIN), end=at(END))
    assert looked_at(AHEAD, BEGIN).next_window is None


def test_twenty_builds_are_named_and_all_are_counted() -> None:
    many = tuple(replace(AT_WORK, name=f"build-{number:02}") for number in range(25))
    status = looked_at(CLOSED, SLOT, *many, held_back=3)
    assert (status.blocking_count, status.held_back) == (25, 3)
    assert status.blocking_builds == many[:BLOCKING_SHOWN]


def test_while_it_is_open_nothing_is_said_of_what_is_being_built() -> None:
    """Each start and each end would be a write that nobody reads."""
    status = looked_at(a_gate(), SLOT, AT_WORK)
    assert (status.blocking_count, status.blocking_builds) == (0, ())


def test_nothing_is_written_while_nothing_changes() -> None:
    known = replace(AHEAD, status=looked_at(AHEAD))
    assert plan_gate(GateFacts(gate=known), a_now("2026-11-24T02:45:00")) == GatePlan(wake=Wake(wall=at(BEGIN)))


PACES = {
    "the first": (None, True, None),
    "too soon": ("2026-11-24T02:29:57", False, "2026-11-24T02:30:02"),
    "five seconds later": ("2026-11-24T02:29:55", True, None),
}


@pytest.mark.parametrize(("written", "writes", "wake"), PACES.values(), ids=list(PACES))
def test_a_status_is_written_once_in_five_seconds(written: str | None, wake: str | None, *, writes: bool) -> None:
    """R34."""
    plan = plan_gate(GateFacts(gate=CLOSED, written_at=at_if_any(written)), a_now(SLOT))
    assert (plan.status is not None, plan.wake.steady) == (writes, at_if_any(wake))


def test_it_is_looked_at_when_it_says_something_else_by_itself() -> None:
    assert plan_gate(GateFacts(gate=AHEAD), a_now(SLOT)).wake == Wake(wall=at(BEGIN))
    assert plan_gate(GateFacts(gate=AHEAD), a_now(BEGIN)).wake == Wake(wall=at(END))
    assert plan_gate(GateFacts(gate=CLOSED), a_now(SLOT)).wake == Wake()


def test_windows_are_not_judged_by_a_clock_that_is_not_trusted() -> None:
    """R9."""
    plan = plan_gate(GateFacts(gate=CLOSED, clock_is_trusted=False), a_now(SLOT))
    assert plan == GatePlan(wake=Wake(steady=at("2026-11-24T02:30:05")))
