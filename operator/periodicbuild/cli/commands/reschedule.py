"""`reschedule`: move the next run, and run nothing now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from periodicbuild.cli.documents import Format, api_object, print_document
from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.instants import Instant
from periodicbuild.cli.objects import patch_build, read_build
from periodicbuild.cli.options import cluster_options, name_argument, output_option
from periodicbuild.cli.rescheduling import check_reschedule
from periodicbuild.cli.slot_times import slot_text
from periodicbuild.cli.times import now as read_clock
from periodicbuild.kube.errors import ConflictError
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.objects import BuildDocument
    from periodicbuild.core.facts import PeriodicBuild

TRIES: Final = 10
"""What was checked must be what is changed: an object that has moved on is checked again."""


@click.command
@name_argument
@click.argument("time", type=Instant(may_be_relative=True))
@click.option("--skip-waiting", is_flag=True, help="Although a slot waits, which is skipped then.")
@output_option(Format.NAME, Format.JSON, Format.YAML)
@cluster_options
def command(*, cluster: Cluster, name: str, time: datetime, skip_waiting: bool, output: Format | None) -> None:
    """Move the next run to TIME, and run nothing now.

    TIME is RFC 3339 with a zone, or a length from now as in +2h; it is written to spec.schedule.notBefore. An interval
    runs at TIME and counts on from there; a calendar or cron at its first slot not before TIME.
    """
    build, slot = _move(cluster, name, time, may_skip_waiting=skip_waiting)
    if output is Format.NAME:
        click.echo(build.resource_name)
    elif output is not None:
        print_document(api_object(build.json), output)
    else:
        click.echo(f"{build.resource_name} rescheduled: {_sentence(build.facts, slot)}")


def _move(cluster: Cluster, name: str, time: datetime, *, may_skip_waiting: bool) -> tuple[BuildDocument, datetime]:
    for _ in range(TRIES):
        build = read_build(cluster, name).facts
        slot = check_reschedule(build, time, read_clock(), may_skip_waiting=may_skip_waiting)
        change: dict[str, Any] = {
            "metadata": {"resourceVersion": build.resource_version},
            "spec": {"schedule": {"notBefore": instant_text(time)}},
        }
        try:
            return patch_build(cluster, name, change), slot
        except ConflictError:
            continue
    raise AnswerIsNoError(f"PeriodicBuild {name!r} has changed {TRIES} times meanwhile: try again")


def _sentence(build: PeriodicBuild, slot: datetime) -> str:
    what = f"the next slot is {slot_text(slot, build.spec.schedule, read_clock())}"
    if build.spec.schedule.enabled:
        return what
    return f"{what} if it is enabled before; now it is disabled: kubectl periodicbuild enable {build.ref.name}"
