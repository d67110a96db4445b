"""`rollback`: point the Service at the server before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.activating import roll_back
from periodicbuild.cli.documents import Format
from periodicbuild.cli.objects import app_server_resource_name
from periodicbuild.cli.options import cluster_options, name_argument, output_option

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster


@click.command
@name_argument
@output_option(Format.NAME)
@cluster_options
def command(*, cluster: Cluster, name: str, output: Format | None) -> None:
    """Point the Service at the server before.

    The server it is switched from stays up for spec.activation.fallbackFor, and comes back only by hand; the next good
    build takes over as usual.
    """
    resource = app_server_resource_name(roll_back(cluster, name))
    click.echo(resource if output is Format.NAME else f"{resource} activated")
