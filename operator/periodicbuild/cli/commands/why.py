"""`why`: the answer to "why did it not run", in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import BadInputError
from periodicbuild.cli.explanations import Knowledge
from periodicbuild.cli.in_progress import look_around
from periodicbuild.cli.instants import Instant
from periodicbuild.cli.objects import app_servers_of, read_build
from periodicbuild.cli.options import cluster_options, name_argument, output_option
from periodicbuild.cli.tables import one_line, print_tables
from periodicbuild.cli.times import now as read_clock
from periodicbuild.cli.why_now import why_now
from periodicbuild.cli.why_then import why_then
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.cli.cluster import Cluster


@click.command
@name_argument
@click.option("--at", "instant", type=Instant(), help="Ask about this instant: RFC 3339 with a zone.  [default: now]")
@output_option(Format.JSON, Format.YAML)
@cluster_options
def command(*, cluster: Cluster, name: str, instant: datetime | None, output: Format | None) -> None:
    """Tell why it does not run, or did not run then.

    About now: what is in the way, check by check if a slot waits, else what became of the last slot and what comes
    next. With --at: the slot that the instant belongs to, what became of it and why, and what one can do.
    """
    known = _read(cluster, name)
    if instant is not None and instant > known.now:
        ahead = f"--at {instant_text(instant)} lies ahead"
        raise BadInputError(f"{ahead}: what comes is told by kubectl periodicbuild next {name}")
    explanation = why_now(known) if instant is None else why_then(known, instant)
    if output is not None:
        print_document(explanation.document, output)
        return
    click.echo(one_line(explanation.answer))
    click.echo()
    print_tables(*explanation.tables())


def _read(cluster: Cluster, name: str) -> Knowledge:
    build = read_build(cluster, name).facts
    app_servers, now = tuple(app_servers_of(cluster, build)), read_clock()
    return Knowledge(build=build, app_servers=app_servers, seen=look_around(cluster, build, app_servers, now), now=now)
