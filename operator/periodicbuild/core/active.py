"""What a server is to the Service: the condition `Active` of its AppServer (R28)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.reasons import ActiveState, State

if TYPE_CHECKING:
    from periodicbuild.core.attempt import AppServerFacts

HAS_BEEN_ACTIVE = frozenset({ActiveState.SERVING, ActiveState.FALLBACK, ActiveState.SUPERSEDED})


def active_state(facts: AppServerFacts, state: State) -> ActiveState | None:
    """Return what a server in this state is to the Service; None = its PeriodicBuild activates nothing."""
    parent = facts.parent
    if parent is None or parent.spec.activation is None:
        return None
    known = parent.status.activation
    name = facts.app_server.ref.name
    if known is not None and state == State.RUNNING:
        if name == known.app_server:
            return ActiveState.SERVING
        if name == known.previous:
            return ActiveState.FALLBACK
    was_pointed_at = known is not None and name in {known.app_server, known.previous, known.rolled_back}
    has_been = was_pointed_at or facts.app_server.status.active in HAS_BEEN_ACTIVE
    return ActiveState.SUPERSEDED if has_been else ActiveState.NOT_ACTIVATED
