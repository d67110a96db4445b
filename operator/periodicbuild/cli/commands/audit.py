"""`audit`: an independent recount of every slot that should have a fate or a place to wait (R12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from periodicbuild.cli.auditing import audit_summary, findings_document, findings_table, recounted
from periodicbuild.cli.cluster import EVERYWHERE
from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import AnswerIsNoError, BadInputError
from periodicbuild.cli.objects import each_build, read_build
from periodicbuild.cli.options import Name, cluster_options, output_option
from periodicbuild.cli.progress import counted
from periodicbuild.cli.tables import print_tables
from periodicbuild.cli.times import now as read_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from periodicbuild.cli.auditing import Finding
    from periodicbuild.cli.cluster import Cluster

MOST_NAMED: Final = 5
"""Objects in the sentence; the table has them all."""


@click.command
@click.argument("name", type=Name(), required=False)
@click.option("--all", "is_for_all", is_flag=True, help="Audit every PeriodicBuild of the namespace.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Audit every PeriodicBuild there is.")
@output_option(Format.JSON, Format.YAML)
@cluster_options
def command(
    *, cluster: Cluster, name: str | None, is_for_all: bool, all_namespaces: bool, output: Format | None
) -> None:
    """Count again the slots that should have become something.

    What the schedule in force says since it began is compared with what was counted in status; the code for it is not
    the planner's. Exit code 1 if they differ. The slots of the last two minutes (and of spread) are not judged.
    """
    findings = _findings(cluster, name, is_for_all=is_for_all or all_namespaces, all_namespaces=all_namespaces)
    if output is not None:
        print_document(findings_document(findings), output)
    elif findings:
        print_tables(findings_table(findings, with_namespace=all_namespaces))
        click.echo(f"\n{audit_summary(findings)}")
    else:
        place = "any namespace" if all_namespaces else f"namespace {cluster.namespace}"
        click.echo(f"No PeriodicBuilds in {place}.", err=True)
    _raise_if_any_differs(findings)


def _findings(cluster: Cluster, name: str | None, *, is_for_all: bool, all_namespaces: bool) -> list[Finding]:
    if name is None and not is_for_all:
        raise BadInputError("name a PeriodicBuild, or write --all for every one of the namespace")
    if name is not None and is_for_all:
        raise BadInputError("either a NAME or --all: leave one of them out")
    if name is not None:
        return [recounted(read_build(cluster, name).facts, read_clock())]
    namespace = EVERYWHERE if all_namespaces else cluster.namespace
    builds = counted(each_build(cluster, namespace), "PeriodicBuilds audited")
    return [recounted(one.facts, read_clock()) for one in builds]


def _raise_if_any_differs(findings: Sequence[Finding]) -> None:
    wrong = [one for one in findings if not one.adds_up]
    if wrong:
        named = "; ".join(one.sentence() for one in wrong[:MOST_NAMED])
        more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise AnswerIsNoError(
            f"{len(wrong)} of {len(findings)} {'does' if len(wrong) == 1 else 'do'} not add up: {named}{more}"
        )
