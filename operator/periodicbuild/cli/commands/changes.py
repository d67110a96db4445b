"""`changes`: what a PeriodicBuild is built from, and whether that has changed since the last success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.comparisons import changes_document, changes_sentence, inputs_table, outputs_table
from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.objects import app_servers_of, read_build
from periodicbuild.cli.options import cluster_options, name_argument, output_option
from periodicbuild.cli.tables import one_line, print_tables
from periodicbuild.cli.times import now as read_clock

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster


@click.command
@name_argument
@output_option(Format.JSON, Format.YAML)
@cluster_options
def command(*, cluster: Cluster, name: str, output: Format | None) -> None:
    """Show what has changed since the last success.

    First what was compared when a slot was last due: the template and the sources of spec.changeDetection. Then the
    successes on record, with the digests of their inputs and, where builds tell it, of their output: the same inputs
    should lead to the same output.
    """
    build = read_build(cluster, name).facts
    app_servers = app_servers_of(cluster, build)
    if output is not None:
        print_document(changes_document(build, app_servers), output)
        return
    click.echo(one_line(changes_sentence(build, read_clock())))
    tables = [table for table in (inputs_table(build.status.changes), outputs_table(app_servers)) if table.rows]
    if tables:
        click.echo()
        print_tables(*tables)
