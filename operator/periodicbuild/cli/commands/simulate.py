"""`simulate`: what the operator would do with a manifest, on a virtual clock.  Needs no cluster."""

from __future__ import annotations

from datetime import timedelta
from typing import IO, TYPE_CHECKING

import click

from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import BadInputError
from periodicbuild.cli.instants import Instant
from periodicbuild.cli.manifest_files import read_manifest
from periodicbuild.cli.options import Duration, output_option
from periodicbuild.cli.progress import timed
from periodicbuild.cli.simulated import simulation_document, simulation_summary, simulation_table
from periodicbuild.cli.tables import one_line, print_tables
from periodicbuild.core.simulation import simulate
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild


@click.command
@click.option(
    "-f",
    "--filename",
    "file",
    type=click.File("rb", lazy=True),
    required=True,
    help="The manifest; - = standard input.",
)
@click.option("--from", "since", type=Instant(), required=True, help="When it is created: RFC 3339 with a zone.")
@click.option("--to", "until", type=Instant(), required=True, help="The last instant, inclusive.")
@click.option(
    "--estimate", type=Duration(may_be_zero=True), default=timedelta(), help="How long a build takes.  [default: 0s]"
)
@output_option(Format.JSON, Format.YAML)
def command(*, file: IO[bytes], since: datetime, until: datetime, estimate: timedelta, output: Format | None) -> None:
    """Show what the operator would do with each slot.

    Reads the manifest of one PeriodicBuild, YAML or JSON, and lets the operator's own planner live through the time on
    a virtual clock. Each build succeeds after the estimate; nothing else is in its way.
    """
    if until < since:
        raise BadInputError(f"--to {instant_text(until)} lies before --from {instant_text(since)}: exchange them")
    build = read_manifest(file, since)
    with timed(_what(build, since, until)):
        simulation = simulate(build, until=until, takes=estimate)
    if output is not None:
        print_document(simulation_document(simulation), output)
        return
    if not build.spec.schedule.enabled:
        click.echo("spec.enabled is false: the schedule starts nothing until it is true.", err=True)
    click.echo(one_line(f"{build.ref.namespace}/{build.ref.name}: {build.spec.schedule.text()}"))
    click.echo(simulation_summary(simulation))
    if simulation.rulings:
        click.echo()
        print_tables(simulation_table(simulation))


def _what(build: PeriodicBuild, since: datetime, until: datetime) -> str:
    """Name the work, with its size where that is known ahead."""
    pattern = build.spec.schedule.pattern
    if pattern is None:
        return "simulating"
    return f"simulating {pattern.count(after=since, until=until)} slots"
