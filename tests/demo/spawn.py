"""The run by hand in the middle of the story: when to ask for it, and what it did to the interval (R5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text
from tests.demo.examples import SPAWNED
from tests.demo.observation import Build
from tests.demo.words import clock, seconds

CLEAR_OF_SLOT = timedelta(seconds=5)
"""How far away the next slot must be when it is asked for, so that the two do not meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """A run asked for by annotation."""

    token: str
    before: datetime
    """The next slot when it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What came of it."""

    before: datetime
    started_at: datetime
    """What the interval now counts from."""
    after: datetime
    """The next slot."""


def may_ask(build: Build | None, now: datetime) -> bool:
    """Tell whether a run by hand would start at once and move a slot that lies well ahead."""
    if build is None or build.runs or build.waits_for or build.next_slot is None:
        return False
    return build.next_slot - now >= CLEAR_OF_SLOT


def effect(spawn: Spawn, build: Build | None) -> Effect | None:
    """Return what the spawn did; None until the operator has taken it up and moved the next slot."""
    if build is None or build.handled_token != spawn.token or build.next_slot is None or build.anchor_at is None:
        return None
    if build.next_slot <= spawn.before:
        return None
    return Effect(before=spawn.before, started_at=build.anchor_at, after=build.next_slot)


def asked_in_words(spawn: Spawn) -> Text:
    """Say what was done, for somebody who could do it too."""
    return Text.assemble(
        "Now a run by hand, in the middle of an interval:\n",
        (f"kubectl annotate periodicbuild {SPAWNED} periodicbuild.dev/run-now={spawn.token}", "bold"),
        f"\nThe next slot of {SPAWNED} is {clock(spawn.before)}, so far.",
    )


def effect_in_words(effect: Effect) -> Text:
    """Say how the interval has started anew."""
    return Text.assemble(
        ("The run by hand makes the interval start anew. ", "bold"),
        f"It started at {clock(effect.started_at)}, and {SPAWNED} counts from there:\nthe next slot was ",
        (clock(effect.before), "strike red"),
        ", now it is ",
        (clock(effect.after), "bold green"),
        f" = {clock(effect.started_at)} + {seconds(effect.after - effect.started_at)}.",
        "\nThe slot that was to come moved; none was lost, so the ledger has nothing to explain.",
    )
