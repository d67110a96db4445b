"""`status`: how PeriodicBuilds are, in a line each, or on a page each if they are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.cluster import EVERYWHERE
from periodicbuild.cli.detail import detail_tables
from periodicbuild.cli.documents import Format, api_list, api_object, print_document
from periodicbuild.cli.errors import BadInputError
from periodicbuild.cli.objects import app_servers_of, list_builds, read_build
from periodicbuild.cli.options import Name, cluster_options, output_option
from periodicbuild.cli.summary import summary_table
from periodicbuild.cli.tables import print_tables
from periodicbuild.cli.times import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.objects import BuildDocument


@click.command
@click.argument("names", type=Name(), nargs=-1, metavar="[NAME]...")
@click.option("-A", "--all-namespaces", is_flag=True, help="Look in all namespaces.")
@output_option()
@cluster_options
def command(*, cluster: Cluster, names: tuple[str, ...], all_namespaces: bool, output: Format | None) -> None:
    """Show how PeriodicBuilds are.

    A line tells the next slot, what it waits for, what runs, and how the last run ended. With names, each has a page of
    its own. With -o json or yaml they are printed as the API has them.
    """
    if names and all_namespaces:
        raise BadInputError("a name is looked for in one namespace: leave -A out, and write -n NAMESPACE")
    found = [read_build(cluster, name) for name in dict.fromkeys(names)]
    if not names:
        found = list_builds(cluster, EVERYWHERE if all_namespaces else cluster.namespace)
    if output is not None and output is not Format.WIDE:
        _print_for_programs(found, output, is_list=len(names) != 1)
    elif not found:
        place = "any namespace" if all_namespaces else f"namespace {cluster.namespace}"
        click.echo(f"No PeriodicBuilds in {place}.", err=True)
    elif names:
        _print_pages(cluster, found)
    else:
        is_wide = output is Format.WIDE
        facts = [one.facts for one in found]
        print_tables(summary_table(facts, now(), with_namespace=all_namespaces, wide=is_wide))


def _print_pages(cluster: Cluster, found: Sequence[BuildDocument]) -> None:
    for position, one in enumerate(found):
        if position:
            click.echo()
        print_tables(*detail_tables(one.facts, app_servers_of(cluster, one.facts), now()))


def _print_for_programs(found: Sequence[BuildDocument], output: Format, *, is_list: bool) -> None:
    if output is Format.NAME:
        for one in found:
            click.echo(one.resource_name)
        return
    objects = [api_object(one.json) for one in found]
    print_document(api_list(objects) if is_list else objects[0], output)
