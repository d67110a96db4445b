"""`history`: what became of a PeriodicBuild's slots, and of the runs that people asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from periodicbuild.cli.detail import slots_text
from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.ledger_rows import ledger_table
from periodicbuild.cli.manual_runs import (
    manual_run_document,
    manual_runs_of,
    manual_runs_table,
    recoveries_of,
    recoveries_table,
)
from periodicbuild.cli.objects import app_server_resource_name, app_servers_of, read_build
from periodicbuild.cli.options import cluster_options, name_argument, output_option
from periodicbuild.cli.tables import print_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.objects import BuildDocument
    from periodicbuild.core.facts import AppServer, PeriodicBuild


@click.command
@name_argument
@output_option()
@cluster_options
def command(*, cluster: Cluster, name: str, output: Format | None) -> None:
    """Show what became of each slot.

    The ledger comes newest first, then the manual runs and the recoveries that are on record.

    Neighbouring slots with the same fate are one entry: the first, the last, and how many. With -o name, print the
    AppServers on record.
    """
    build = read_build(cluster, name)
    app_servers = app_servers_of(cluster, build.facts)
    if output is Format.NAME:
        for one in app_servers:
            click.echo(app_server_resource_name(one.ref.name))
    elif output is not None and output.is_document:
        print_document(_document(build, app_servers), output)
    else:
        _print_for_people(build, app_servers, wide=output is Format.WIDE)


def _print_for_people(build: BuildDocument, app_servers: Sequence[AppServer], *, wide: bool) -> None:
    ledger = build.facts.status.ledger
    tables = [
        ledger_table(build.facts, ledger, app_servers, title=_title(build.facts), wide=wide),
        manual_runs_table(manual_runs_of(app_servers)),
        recoveries_table(recoveries_of(app_servers)),
    ]
    tables = [table for table in tables if table.rows]
    if not tables:
        click.echo(f"PeriodicBuild {build.facts.ref.name} has no history yet.", err=True)
    print_tables(*tables)


def _title(build: PeriodicBuild) -> str:
    """Give the counters, and say how many slots are only counted there."""
    status = build.status
    counted = status.slots.due if status.slots is not None else 0
    unlisted = counted - sum(entry.count for entry in status.ledger) - (status.waiting is not None)
    return f"Ledger, {slots_text(build)}{f'; the oldest {unlisted} are no longer listed' if unlisted > 0 else ''}:"


def _document(build: BuildDocument, app_servers: Sequence[AppServer]) -> dict[str, Any]:
    """Give the ledger as it is stored, and beside it what the AppServers tell."""
    return {
        "namespace": build.facts.ref.namespace,
        "name": build.facts.ref.name,
        "ledger": msgspec.json.decode(build.ledger_json) or [],
        "manualRuns": [manual_run_document(one) for one in manual_runs_of(app_servers)],
        "recoveries": [manual_run_document(one) for one in recoveries_of(app_servers)],
    }
