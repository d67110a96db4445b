"""Something is rolled out: gates close, open, announce windows, expire and go, and somebody overrides one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis.stateful import rule
from tests.builders.gates import a_gate, once
from tests.property.history import Reaction, reactions
from tests.property.history_servers import Servers

if TYPE_CHECKING:
    from periodicbuild.core.windows import Window

NAMES = ["audit", "rollout"]
AHEAD = st.sampled_from([-30, 0, 1, 20, 90, 400])
"""Minutes until a window begins."""


class Rollouts(Servers):
    """Gates come and go."""

    @rule(name=st.sampled_from(NAMES), expires=st.sampled_from([None, None, -5, 10, 300]), reaction=reactions)
    def a_gate_closes(self, name: str, expires: int | None, reaction: Reaction) -> None:
        """Close one by hand, perhaps for some minutes only."""
        self.api.gates[name] = a_gate(name, closed=True, expires=None if expires is None else self.in_minutes(expires))
        self.react(reaction)

    @rule(
        name=st.sampled_from(NAMES),
        windows=st.lists(st.tuples(AHEAD, st.sampled_from([1, 45, 600])), min_size=1, max_size=2),
        margin=st.sampled_from([None, "5m"]),
        expires=st.sampled_from([None, None, 60]),
        reaction=reactions,
    )
    def windows_are_announced(
        self, name: str, windows: list[tuple[int, int]], margin: str | None, expires: int | None, reaction: Reaction
    ) -> None:
        """Let a gate have windows, which may overlap."""
        spans = [self.window(number, *one) for number, one in enumerate(windows)]
        life = None if expires is None else self.in_minutes(expires)
        self.api.gates[name] = a_gate(name, *spans, margin=margin, expires=life)
        self.react(reaction)

    @rule(name=st.sampled_from(NAMES), reaction=reactions)
    def a_gate_goes(self, name: str, reaction: Reaction) -> None:
        """Delete one, whatever waits for it."""
        self.api.gates.pop(name, None)
        self.react(reaction)

    @rule(names=st.sets(st.sampled_from(NAMES)), reaction=reactions)
    def gates_are_overridden(self, names: set[str], reaction: Reaction) -> None:
        """Write the annotation, or take it away."""
        self.edit(overrides=frozenset(names))
        self.react(reaction)

    def in_minutes(self, minutes: int) -> str:
        """Give an instant on a whole second, as the API holds them."""
        instant = self.clocks.now.wall.replace(microsecond=0) + timedelta(minutes=minutes)
        return instant.isoformat()

    def window(self, number: int, ahead: int, minutes: int) -> Window:
        """Give a window."""
        return once(self.in_minutes(ahead), self.in_minutes(ahead + minutes), name=f"window-{number}")
