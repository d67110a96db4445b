"""`mail`: who is told of a PeriodicBuild, what is owed, and what a mail would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.errors import BadInputError
from periodicbuild.cli.mail_page import mail_tables, preview
from periodicbuild.cli.objects import app_servers_of, read_build
from periodicbuild.cli.options import cluster_options, name_argument
from periodicbuild.cli.tables import print_tables
from periodicbuild.cli.times import now
from periodicbuild.core.reasons import NoticeKind

if TYPE_CHECKING:
    from email.message import EmailMessage

    from periodicbuild.cli.cluster import Cluster


@click.command
@name_argument
@click.option("--preview", "is_preview", is_flag=True, help="Print the mail about the last failure; nothing is sent.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in NoticeKind]),
    help="With --preview: another kind of mail.  [default: RunFailed]",
)
@click.option("--html", "is_html", is_flag=True, help="With --preview: the HTML part.")
@cluster_options
def command(*, cluster: Cluster, name: str, is_preview: bool, kind: str | None, is_html: bool) -> None:
    """Show who is told of a PeriodicBuild, how the last delivery went, and what is owed.

    With --preview, print what a mail would say.
    """
    if not is_preview and (kind is not None or is_html):
        raise BadInputError("--kind and --html say what to preview: write --preview, too")
    build = read_build(cluster, name).facts
    if not is_preview:
        print_tables(*mail_tables(build, now()))
        return
    message = preview(build, app_servers_of(cluster, build), NoticeKind(kind or NoticeKind.RUN_FAILED), now())
    if is_html:
        click.echo(_part(message, "html"))
        return
    for header in ("To", "Subject"):
        click.echo(f"{header}: {message[header]}")
    click.echo()
    click.echo(_part(message, "plain"))


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return "" if part is None else str(part.get_content()).rstrip("\n")
