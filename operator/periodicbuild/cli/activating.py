"""Asking for the Service to be pointed at a certain server, and waiting for the answer (R28).

The one idea a newcomer would miss: the operator makes the switch, so that fallback and status are right.  What is
refused here is refused sooner and in more words; what has changed since is refused there.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.objects import app_servers_of, patch_build, read_build
from periodicbuild.core.reasons import ConditionReason, ConditionType, State, Trigger
from periodicbuild.kube.kinds import ACTIVATE_ANNOTATION

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.core.facts import AppServer, PeriodicBuild

LOOK_EVERY_SECONDS: Final = 0.3
WITHIN_SECONDS: Final = 30.0
"""An operator that is up answers within a second."""


def activate(cluster: Cluster, name: str, app_server: str | None) -> str:
    """Point the Service at a server, without a name at the newest that is Ready; return its name."""
    build = _served_build(cluster, name)
    servers = app_servers_of(cluster, build)
    if app_server is None:
        ready = [one for one in servers if _is_ready(one) and one.trigger != Trigger.MANUAL]
        if not ready:
            raise AnswerIsNoError(
                f"no server of PeriodicBuild {name} is Ready: see kubectl periodicbuild history {name}"
            )
        app_server = max(ready, key=lambda one: one.newness).ref.name
    _check(build, app_server, servers)
    return _asked(cluster, build, app_server)


def roll_back(cluster: Cluster, name: str) -> str:
    """Point the Service at the server before the active one; return its name."""
    build = _served_build(cluster, name)
    known = build.status.activation
    if known is None or known.previous is None:
        raise AnswerIsNoError(
            f"PeriodicBuild {name} has no fallback to go back to: name a server that is up, as in"
            f" kubectl periodicbuild activate {name} APPSERVER"
        )
    _check(build, known.previous, app_servers_of(cluster, build))
    return _asked(cluster, build, known.previous)


def _served_build(cluster: Cluster, name: str) -> PeriodicBuild:
    build = read_build(cluster, name).facts
    if build.is_deleting:
        raise AnswerIsNoError(f"PeriodicBuild {name!r} is being deleted: nothing is switched any more")
    if build.spec.activation is None:
        raise AnswerIsNoError(
            f"PeriodicBuild {name} has no spec.activation, so there is no Service to point anywhere: name one in"
            " spec.activation.serviceName"
        )
    return build


def _check(build: PeriodicBuild, app_server: str, servers: list[AppServer]) -> None:
    server = next((one for one in servers if one.ref.name == app_server), None)
    name = build.ref.name
    if server is None:
        raise AnswerIsNoError(
            f"{app_server} is no server of PeriodicBuild {name}: see kubectl periodicbuild history {name}"
        )
    if not _is_ready(server):
        state = "Running, but its pod is not Ready" if server.state == State.RUNNING else f"{server.state}"
        raise AnswerIsNoError(f"AppServer {app_server} is not Ready, so it cannot serve: it is {state}")
    known, verdict = build.status.activation, build.status.condition(ConditionType.ACTIVATED)
    is_well = verdict is not None and verdict.status == "True"
    if known is not None and known.app_server == app_server and is_well:
        raise AnswerIsNoError(f"AppServer {app_server} is active already")


def _is_ready(server: AppServer) -> bool:
    return server.state == State.RUNNING and bool(server.status.is_ready) and not server.is_deleting


def _asked(cluster: Cluster, build: PeriodicBuild, app_server: str) -> str:
    """Ask, and wait for the answer; raises AnswerIsNoError if it is no, or does not come."""
    name, request = build.ref.name, f"{app_server}/{secrets.token_hex(4)}"
    patch_build(cluster, name, {"metadata": {"annotations": {ACTIVATE_ANNOTATION: request}}})
    began = time.monotonic()
    while time.monotonic() - began < WITHIN_SECONDS:
        answered = read_build(cluster, name).facts.status.asked_activation
        if answered is not None and answered.request == request:
            if answered.answer == ConditionReason.ACTIVATED:
                return app_server
            raise AnswerIsNoError(answered.message or f"{answered.answer}")
        time.sleep(LOOK_EVERY_SECONDS)
    raise AnswerIsNoError(
        f"nobody has answered within {WITHIN_SECONDS:.0f} s, and the request stays: is the operator up? It is the last"
        f" request that counts; see kubectl periodicbuild status {name}"
    )
