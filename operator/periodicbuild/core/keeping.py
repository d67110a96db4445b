"""Which pods run and which records stay (R29).

Only what status already records is removed, and no rule reads what was removed.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from periodicbuild.core.candidates import servers_in_use
from periodicbuild.core.plans import DeleteAppServer, DeletePod
from periodicbuild.core.reasons import State, Trigger
from periodicbuild.core.servers import serving_server
from periodicbuild.core.serving import may_remove_servers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft

Attempts: TypeAlias = "tuple[AppServer, ...]"
"""All attempts of one run, oldest first."""

MANUAL_SERVER_FOR = timedelta(hours=48)
"""A server a person asked for stays up this long, unless it is activated."""


def remove_superseded_servers(draft: Draft) -> None:
    """Remove the pods of succeeded servers that nobody is meant to use any more."""
    kept = _meant_to_run(draft)
    for server in _servers(draft):
        pod = draft.facts.pods.get(server.ref.uid)
        if pod is not None and not pod.is_deleting and server.ref.uid not in kept and may_remove_servers(draft):
            draft.then.append(DeletePod(name=pod.ref.name, uid=pod.ref.uid))


def prune_history(draft: Draft) -> None:
    """Remove the records of runs beyond the limits or too old; the newest success and the newest failure always stay.

    So does the record of a server that is meant to run, however many succeeded since: its pod would go with it; and of
    a run of which people have not been told yet.
    """
    runs = _ended_runs(draft)
    untold = {notice.run for notice in draft.status.mail.pending}
    kept = _meant_to_run(draft) | {server.ref.uid for server in (serving_server(draft),) if server is not None}
    history = draft.build.spec.history
    succeeded = [run for run in runs if run[-1].state.has_succeeded]
    failed = [run for run in runs if run[-1].state.has_failed]
    cancelled = [run for run in runs if run[-1].state == State.CANCELLED]
    surplus = [
        *_surplus(draft, succeeded[1:], max(0, history.successful_limit - 1)),
        *_surplus(draft, failed[1:], max(0, history.failed_limit - 1)),
        *_surplus(draft, cancelled, history.failed_limit),
    ]
    for run in surplus:
        if kept.isdisjoint(one.ref.uid for one in run) and run[0].run not in untold:
            draft.then.extend(DeleteAppServer(name=one.ref.name, uid=one.ref.uid) for one in run if not one.is_deleting)


def _surplus(draft: Draft, runs: list[Attempts], limit: int) -> Iterable[Attempts]:
    """Give the runs beyond a limit and those that are too old, and ask to look again when the next one will be."""
    max_age = draft.build.spec.history.max_age
    for place, run in enumerate(runs):
        if place >= limit:
            yield run
        elif max_age is not None:
            until = _ended_at(run)[0] + max_age
            if draft.now.steady >= until:
                yield run
            else:
                draft.wake_at(steady=until)


def _servers(draft: Draft) -> list[AppServer]:
    return [child for child in draft.facts.children if child.state == State.RUNNING and not child.is_deleting]


def _meant_to_run(draft: Draft) -> frozenset[str]:
    """Return the uids of what serves or is about to, of its fallback, and of manual servers for their time."""
    servers = _servers(draft)
    in_use = servers_in_use(draft, servers)
    return frozenset(
        server.ref.uid
        for server in servers
        if server.ref.uid in in_use or (server.trigger == Trigger.MANUAL and not _is_over(draft, server))
    )


def _ended_runs(draft: Draft) -> list[Attempts]:
    """Return the runs that have ended, newest first."""
    in_progress = {run.id for run in draft.status.runs}
    attempts: dict[str, list[AppServer]] = defaultdict(list)
    for child in draft.facts.children:
        if child.run is not None and child.run not in in_progress:
            attempts[child.run].append(child)
    ended = [
        tuple(sorted(run, key=lambda one: one.attempt))
        for run in attempts.values()
        if all(one.state.is_finished for one in run)
    ]
    return sorted(ended, key=_ended_at, reverse=True)


def _ended_at(run: Iterable[AppServer]) -> tuple[datetime, str]:
    return max((one.status.finished_at or one.created_at, one.ref.name) for one in run)


def _is_over(draft: Draft, server: AppServer) -> bool:
    activation = draft.build.spec.activation
    stays_for = MANUAL_SERVER_FOR if activation is None else activation.fallback_for
    until = (server.status.finished_at or server.created_at) + stays_for
    if draft.now.steady < until:
        draft.wake_at(steady=until)
        return False
    return True
