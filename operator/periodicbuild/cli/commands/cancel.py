"""`cancel`: end what is in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.cancelling import cancel
from periodicbuild.cli.documents import Format
from periodicbuild.cli.objects import app_server_resource_name
from periodicbuild.cli.options import cluster_options, name_argument, output_option, run_option

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster


@click.command
@name_argument
@run_option
@output_option(Format.NAME)
@cluster_options
def command(*, cluster: Cluster, name: str, run: str | None, output: Format | None) -> None:
    """End what is in progress.

    The pod gets its grace period. The run is not tried again, counts as neither success nor failure, and the schedule
    goes on. So do runs that wait for their turn or for their next attempt.
    """
    for app_server in cancel(cluster, name, run):
        resource = app_server_resource_name(app_server)
        click.echo(resource if output is Format.NAME else f"{resource} cancelled")
