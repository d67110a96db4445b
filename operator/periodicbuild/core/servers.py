"""Servers that have succeeded: which is up, which is Ready, and which of them serves.

Must not know what is done about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.reasons import State, Trigger

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft


def server_named(draft: Draft, name: str | None) -> AppServer | None:
    """Return the AppServer of that name, if it is ours and complete."""
    return next((child for child in draft.facts.children if child.ref.name == name and child.run is not None), None)


def is_up(server: AppServer | None) -> bool:
    """Tell whether a server has succeeded and nobody has seen its end."""
    return server is not None and server.state == State.RUNNING and not server.is_deleting


def is_ready(draft: Draft, server: AppServer | None) -> bool:
    """Tell whether a server could take requests now, by its record and by its pod."""
    if server is None or not is_up(server) or not server.status.is_ready:
        return False
    pod = draft.facts.pods.get(server.ref.uid)
    return pod is not None and pod.is_ready and not pod.is_deleting


def serving_server(draft: Draft) -> AppServer | None:
    """Return the server that serves or should, up or not: the active one, without activation the newest success.

    Without activation it is none if a newer success is on record whose AppServer a person has deleted: what is older
    was removed, and not lost.
    """
    if draft.build.spec.activation is not None:
        known = draft.status.activation
        return server_named(draft, known.app_server if known is not None else None)
    last = draft.status.last_success
    if last is not None and server_named(draft, last.app_server) is None:
        return None
    good = (one for one in draft.facts.children if one.state.has_succeeded and one.trigger != Trigger.MANUAL)
    newest = max(good, key=lambda server: server.newness, default=None)
    return newest if newest is not None and newest.state != State.COMPLETED else None
