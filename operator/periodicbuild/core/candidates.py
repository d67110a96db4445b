"""Which server the Service should point at, and which are kept for that (R28, R29).

Must not know how a Service is read or switched.

The one idea a newcomer would miss: what was pointed at once is remembered by its slot, not by its name.  So a server
from which was switched back never comes again by itself, and a newer one always may.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.reasons import Trigger
from periodicbuild.core.servers import is_ready, is_up, server_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft
    from periodicbuild.core.services import Service
    from periodicbuild.core.status import Activation

FIRST_MINUTES = timedelta(minutes=5)
"""A server that loses readiness this soon after the switch was no good after all."""


def servers_in_use(draft: Draft, servers: Iterable[AppServer]) -> frozenset[str]:
    """Return the uids of the servers, of those that are up, that serve, may have to, or are about to (R29)."""
    scheduled = [server for server in servers if server.trigger != Trigger.MANUAL]
    newest = max(scheduled, key=lambda server: server.newness, default=None)
    if draft.build.spec.activation is None:
        return frozenset() if newest is None else frozenset({newest.ref.uid})
    known, read = draft.status.activation, draft.facts.service
    names = {read.service.app_server} if read is not None and read.service is not None else set()
    if known is not None:
        names |= {known.app_server, known.previous if _fallback_lasts(draft, known) else None}
    coming = [one for one in (newest, _newest_good(draft)) if one is not None and _is_newer(one, known)]
    return frozenset(server.ref.uid for server in servers if server.ref.name in names or server in coming)


def ready_fallback(draft: Draft) -> AppServer | None:
    """Return the server before the active one, if it could take over by itself."""
    known = draft.status.activation
    if known is None or known.previous is None or known.previous == known.rolled_back:
        return None
    fallback = server_named(draft, known.previous)
    return fallback if is_ready(draft, fallback) else None


def newer_server(draft: Draft) -> AppServer | None:
    """Return a server that is up, has not been pointed at yet, and will be as soon as it can."""
    known = draft.status.activation
    return next((one for one in _scheduled(draft) if is_up(one) and _is_newer(one, known)), None)


def target_of(draft: Draft, service: Service | None) -> AppServer | None:
    """Return the server the Service is to be pointed at; None = it points where it should, or there is none."""
    known = draft.status.activation
    newest = _newest_good(draft)
    if known is None or newest is not None:
        return newest
    active = server_named(draft, known.app_server)
    if service is not None and service.uid != known.service_uid and is_up(active):
        return active
    return ready_fallback(draft) if _has_proved_bad(draft, known, active) else None


def _newest_good(draft: Draft) -> AppServer | None:
    """Return the newest server that is Ready and newer than all that were pointed at."""
    known = draft.status.activation
    good = (one for one in _scheduled(draft) if is_ready(draft, one) and _is_newer(one, known))
    return max(good, key=lambda server: server.newness, default=None)


def _scheduled(draft: Draft) -> Iterable[AppServer]:
    return (child for child in draft.facts.children if child.trigger != Trigger.MANUAL)


def _is_newer(server: AppServer, known: Activation | None) -> bool:
    """Tell whether a server is newer than all that were pointed at."""
    return known is None or server.newness[:2] > (known.epoch, known.slot)


def _has_proved_bad(draft: Draft, known: Activation, active: AppServer | None) -> bool:
    """Tell whether the active server is lost, or was not Ready soon after the switch (R28, R30)."""
    if active is None or not is_up(active):
        return True
    return active.status.is_ready is False and draft.now.steady < known.at + FIRST_MINUTES


def _fallback_lasts(draft: Draft, known: Activation) -> bool:
    until = known.fallback_until
    if until is None or draft.now.steady >= until:
        return False
    draft.wake_at(steady=until)
    return True
