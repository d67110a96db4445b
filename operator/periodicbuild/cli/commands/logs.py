"""`logs`: what an attempt prints, or printed last."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from periodicbuild.cli.build_logs import find_attempt, live_log
from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.objects import read_build
from periodicbuild.cli.options import cluster_options, name_argument, run_option

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster


@click.command
@name_argument
@run_option
@click.option("-f", "--follow", is_flag=True, help="Go on while the build prints more.")
@click.option("-c", "--container", help="Of which container.  [default: the one that failed, else the last that ran]")
@cluster_options
def command(*, cluster: Cluster, name: str, run: str | None, follow: bool, container: str | None) -> None:
    """Print what the newest attempt prints.

    Once its pod is gone, print the last lines of the container that failed, which are kept.
    """
    attempt = find_attempt(cluster, read_build(cluster, name).facts, run)
    log = live_log(cluster, attempt, container, follow=follow)
    if log is not None:
        with closing(log):
            for chunk in log:
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
        return
    tail = attempt.status.log_tail
    if not tail:
        raise AnswerIsNoError(f"the pod of AppServer {attempt.ref.name} is gone, and nothing it printed was kept")
    click.echo(f"The pod of AppServer {attempt.ref.name} is gone; the last lines of what failed were kept:", err=True)
    click.echo(tail)
