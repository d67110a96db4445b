"""`convert`: a PeriodicBuild in the place of a CronJob.  Needs no cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import wrap
from typing import IO, TYPE_CHECKING, Final

import click
import msgspec

from periodicbuild.cli.cron_jobs import convert, each_cron_job
from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import BadInputError
from periodicbuild.cli.manifest_files import check_manifest, read_documents

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 100


@click.command
@click.option(
    "-f",
    "--filename",
    "file",
    type=click.File("rb", lazy=True),
    required=True,
    help="The CronJob's manifest; - = standard input, as from kubectl get cronjob NAME -o yaml.",
)
def command(*, file: IO[bytes]) -> None:
    """Turn CronJobs into PeriodicBuilds.

    Prints manifests to review and apply, each below a comment that lists what changes in meaning. What has no
    counterpart is an error, and nothing is printed then.
    """
    converted = [convert(one) for one in each_cron_job(read_documents(file), file.name)]
    if not converted:
        raise BadInputError(f"{file.name} holds no CronJob")
    for manifest, _ in converted:
        check_manifest(msgspec.json.decode(msgspec.json.encode(manifest)), file.name, datetime.now(UTC))
    for number, (manifest, changes) in enumerate(converted):
        if number:
            click.echo("---")
        click.echo(_comment(manifest["metadata"]["name"], changes))
        print_document(manifest, Format.YAML)


def _comment(name: str, changes: Sequence[str]) -> str:
    """Write what changes as a comment that stays with the manifest."""
    lines = [f"CronJob {name} as a PeriodicBuild. What changes in meaning:"]
    for change in changes:
        lines += wrap(change, WIDTH, initial_indent="- ", subsequent_indent="  ")
    lines.append("Delete the CronJob when this is applied: else both build.")
    return "\n".join(f"# {line}" for line in lines)
