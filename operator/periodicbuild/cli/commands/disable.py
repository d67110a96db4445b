"""`disable`: turn the schedule off."""

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
    """Turn a schedule off.

    A slot that waits is skipped; what runs goes on, and `run` works as before.
    """
    switch(cluster, name, output, enabled=False)
