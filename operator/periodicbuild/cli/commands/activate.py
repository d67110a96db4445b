"""`activate`: point the Service at a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.activating import activate
from periodicbuild.cli.documents import Format
from periodicbuild.cli.objects import app_server_resource_name
from periodicbuild.cli.options import cluster_options, name_argument, output_option

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster


@click.command
@name_argument
@click.argument("app_server", metavar="[APPSERVER]", required=False)
@output_option(Format.NAME)
@cluster_options
def command(*, cluster: Cluster, name: str, app_server: str | None, output: Format | None) -> None:
    """Point the Service at a server.

    Without APPSERVER it is the newest of the schedule that is Ready. Any server of the PeriodicBuild that is Ready may
    be named, also one that was run by hand. The one before stays up for spec.activation.fallbackFor.
    """
    resource = app_server_resource_name(activate(cluster, name, app_server))
    click.echo(resource if output is Format.NAME else f"{resource} activated")
