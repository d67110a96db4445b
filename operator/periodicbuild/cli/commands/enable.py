"""`enable`: turn the schedule on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.options import cluster_options, name_argument, output_option
from periodicbuild.cli.switching import switch

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.documents import Format


@click.command
@name_argument
@output_option()
@cluster_options
def command(*, cluster: Cluster, name: str, output: Format | None) -> None:
    """Turn a schedule on.

    The first slot of one that never ran is due at once; others count on from their last start.
    """
    switch(cluster, name, output, enabled=True)
