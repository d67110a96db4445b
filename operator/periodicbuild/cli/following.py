"""Following a requested run until it has ended.

Must not know how it was asked for, or what is printed in the end.

The one idea a newcomer would miss: the PeriodicBuild is read before the AppServer.  The operator creates the AppServer
first, so one that is missing after the request was taken up has existed, and is gone.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import click

from periodicbuild.cli.errors import AnswerIsNoError, sentence_of
from periodicbuild.cli.ledger_rows import failure_text
from periodicbuild.cli.objects import read_app_server, read_build
from periodicbuild.cli.run_requests import is_taken_up
from periodicbuild.cli.tables import one_line
from periodicbuild.cli.times import span
from periodicbuild.core.reasons import ConditionType
from periodicbuild.kube.errors import TransientKubeError

if TYPE_CHECKING:
    from datetime import timedelta

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.run_requests import Request
    from periodicbuild.core.facts import AppServer, PeriodicBuild

LOOK_EVERY_SECONDS: Final = 0.5
"""Two small reads: one person who waits is no load."""

SUSPICIOUS_AFTER_SECONDS: Final = 5.0
"""An operator that is up takes a request up within a second."""


def follow(cluster: Cluster, request: Request, timeout: timedelta | None) -> AppServer:
    """Report on stderr what the run does, until it has succeeded; raises AnswerIsNoError if it does not.

    An API server that goes away meanwhile is waited for, too; one that no longer accepts us is not.
    """
    began = time.monotonic()
    said = ""
    while True:
        waited = time.monotonic() - began
        try:
            server, report = _look(cluster, request, waited)
        except TransientKubeError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise
            server, report = None, sentence_of(error)
        if report != said:
            click.echo(one_line(report), err=True)
            said = report
        if server is not None and server.state.is_finished:
            return _succeeded(server)
        if timeout is not None and waited >= timeout.total_seconds():
            raise AnswerIsNoError(
                f"AppServer {request.app_server} has not ended within {span(timeout)}, and goes on: {report}"
            )
        time.sleep(LOOK_EVERY_SECONDS)


def _look(cluster: Cluster, request: Request, waited_seconds: float) -> tuple[AppServer | None, str]:
    """Give the AppServer, if there is one yet, and what to say."""
    build = read_build(cluster, request.build).facts
    server = read_app_server(cluster, request.app_server)
    if server is not None:
        return server, f"{request.app_server} is {server.state}: {server.status.message or 'just created'}"
    if is_taken_up(build, request.token):
        raise AnswerIsNoError(f"AppServer {request.app_server} was deleted, or never made: see kubectl get events")
    if build.run_now != request.token:
        raise AnswerIsNoError(
            f"the request for {request.app_server} was replaced by another one before it was taken up"
        )
    return None, _why_not_yet(build, request, waited_seconds)


def _why_not_yet(build: PeriodicBuild, request: Request, waited_seconds: float) -> str:
    ready = build.status.condition(ConditionType.READY)
    if ready is not None and ready.status == "False":
        return f"{request.app_server} is not there yet; Ready is False ({ready.reason}): {ready.message}"
    hint = (
        "; is the operator up, and may it create AppServers here?" if waited_seconds > SUSPICIOUS_AFTER_SECONDS else ""
    )
    return f"{request.app_server} is not there yet{hint}"


def _succeeded(server: AppServer) -> AppServer:
    if not server.state.has_succeeded:
        verb = "has failed" if server.state.has_failed else "was ended"
        why = failure_text(server) if server.status.result is not None else server.status.message
        raise AnswerIsNoError(f"AppServer {server.ref.name} {verb} ({server.state}): {why}")
    return server
