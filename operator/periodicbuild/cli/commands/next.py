"""`next`: the next slots, if nothing intervenes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.objects import read_build
from periodicbuild.cli.options import cluster_options, name_argument, output_option
from periodicbuild.cli.summary import schedule_text
from periodicbuild.cli.tables import one_line, print_tables
from periodicbuild.cli.times import now as read_clock
from periodicbuild.cli.upcoming import coming_starts, notes_ahead, starts_document, starts_table

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster

MOST: Final = 1_000
"""Slots at once: nobody reads more."""


@click.command
@name_argument
@click.option("-c", "--count", type=click.IntRange(1, MOST), default=10, show_default=True, help="How many.")
@output_option(Format.JSON, Format.YAML)
@cluster_options
def command(*, cluster: Cluster, name: str, count: int, output: Format | None) -> None:
    """Show the next slots, if nothing intervenes.

    They are those of the schedule in force, by the clock it follows and in UTC. With spread, a build starts later than
    its slot. What is special comes first: a slot that waits, changes of the clock.
    """
    build, now = read_build(cluster, name).facts, read_clock()
    starts = coming_starts(build, now, count)
    if output is not None:
        print_document(starts_document(starts), output)
        return
    click.echo(one_line(f"{build.ref.namespace}/{build.ref.name}: {schedule_text(build)}"))
    for note in notes_ahead(build, now):
        click.echo(one_line(f"Note: {note}"))
    if starts:
        click.echo()
        print_tables(starts_table(build, starts, now))
