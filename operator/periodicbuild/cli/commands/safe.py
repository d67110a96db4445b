"""`safe`: whether a gate is closed and nothing in its scope is being built any more."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import click

from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import AnswerIsNoError, BadInputError, sentence_of
from periodicbuild.cli.gate_summary import safety_document, safety_of
from periodicbuild.cli.gates import GateName, read_gate
from periodicbuild.cli.options import Duration, cluster_options, output_option
from periodicbuild.cli.tables import one_line
from periodicbuild.cli.times import now, span
from periodicbuild.kube.errors import TransientKubeError

if TYPE_CHECKING:
    from datetime import timedelta

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.gate_summary import Safety
    from periodicbuild.core.gates import Gate

LOOK_EVERY_SECONDS: Final = 1.0
"""The operator writes at most once in five seconds."""


@click.command
@click.argument("name", type=GateName())
@click.option("--wait", is_flag=True, help="Wait until it is safe, and say what is still being built.")
@click.option("--timeout", type=Duration(), help="With --wait: how long, as in 2h30m.  [default: for ever]")
@output_option(Format.JSON, Format.YAML)
@cluster_options
def command(*, cluster: Cluster, name: str, wait: bool, timeout: timedelta | None, output: Format | None) -> None:
    """Say whether a rollout may begin: the gate is closed, and nothing in its scope is being built.

    Exit code 1 if it is not. A run that will be tried again counts as being built, since retries ask no gate.
    """
    if timeout is not None and not wait:
        raise BadInputError("--timeout says how long to wait: add --wait")
    gate, safety = _waited_for(cluster, name, timeout) if wait else _look(cluster, name)
    if output is not None:
        print_document(safety_document(gate, safety), output)
    elif safety.is_safe:
        click.echo(one_line(f"Safe: {safety.sentence}"))
    if not safety.is_safe:
        raise AnswerIsNoError(one_line(safety.sentence))


def _look(cluster: Cluster, name: str) -> tuple[Gate, Safety]:
    gate = read_gate(cluster, name).facts
    return gate, safety_of(gate, now())


def _waited_for(cluster: Cluster, name: str, timeout: timedelta | None) -> tuple[Gate, Safety]:
    """Report on stderr what keeps it from being safe; an API server that is away meanwhile is waited for, too."""
    began, said = time.monotonic(), ""
    while True:
        report = ""
        try:
            gate, safety = _look(cluster, name)
            if safety.is_safe:
                return gate, safety
            report = safety.sentence
        except TransientKubeError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise
            report = sentence_of(error)
        if report != said:
            click.echo(one_line(report), err=True)
            said = report
        if timeout is not None and time.monotonic() - began >= timeout.total_seconds():
            raise AnswerIsNoError(one_line(f"it is not safe after {span(timeout)}: {report}"))
        time.sleep(LOOK_EVERY_SECONDS)
