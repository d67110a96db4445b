"""`run`: ask for a run now, and follow it if asked to; or print what to edit for a run with changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from periodicbuild.cli.documents import Format, print_document
from periodicbuild.cli.errors import BadInputError
from periodicbuild.cli.following import follow
from periodicbuild.cli.manifests import app_server_manifest
from periodicbuild.cli.objects import app_server_resource_name, read_build
from periodicbuild.cli.options import Duration, cluster_options, name_argument, output_option
from periodicbuild.cli.run_requests import request_run
from periodicbuild.cli.times import now

if TYPE_CHECKING:
    from datetime import timedelta

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.run_requests import Request

HOW_TO_USE: Final = (
    "# Edit, then: kubectl create -f FILE. Without spec.template it runs the PeriodicBuild's own, and counts as such."
)


@click.command
@name_argument
@click.option("--wait", is_flag=True, help="Follow the run until it has ended; exit code 1 if it has failed.")
@click.option(
    "--timeout", type=Duration(), help="With --wait: how long to follow it, as in 2h30m.  [default: for ever]"
)
@click.option("--dry-run", is_flag=True, help="Ask for nothing; print an AppServer to edit and create.")
@output_option()
@cluster_options
def command(  # noqa: PLR0913 - an argument each
    *, cluster: Cluster, name: str, wait: bool, timeout: timedelta | None, dry_run: bool, output: Format | None
) -> None:
    """Ask for a run now.

    Prints the name of the run's AppServer. The run is one attempt, whether the schedule is enabled or not. It waits for
    what is running, and goes before a slot that waits.
    """
    if dry_run:
        _print_manifest(cluster, name, output, is_alone=not (wait or timeout))
        return
    if timeout is not None and not wait:
        raise BadInputError("--timeout says how long to follow the run: add --wait")
    request = request_run(cluster, name, now())
    if request.is_joined:
        click.echo("A run was asked for already and has not begun; it will do for both.", err=True)
    if not wait:
        _print_request(cluster, request, output, state="asked for")
        return
    server = follow(cluster, request, timeout)
    _print_request(cluster, request, output, state=f"{server.state}")


def _print_manifest(cluster: Cluster, name: str, output: Format | None, *, is_alone: bool) -> None:
    if not is_alone:
        raise BadInputError("--dry-run asks for no run, so there is none to follow: leave --wait and --timeout out")
    output = output or Format.YAML
    if not output.is_document:
        raise BadInputError(f"--dry-run prints a manifest, and {output.value!r} is none: write -o yaml or -o json")
    manifest = app_server_manifest(read_build(cluster, name).facts)
    if output is Format.YAML:
        click.echo(HOW_TO_USE)
    print_document(manifest, output)


def _print_request(cluster: Cluster, request: Request, output: Format | None, *, state: str) -> None:
    resource = app_server_resource_name(request.app_server)
    if output is not None and output.is_document:
        document = {
            "namespace": cluster.namespace,
            "periodicBuild": request.build,
            "token": request.token,
            "run": request.run,
            "appServer": request.app_server,
            "state": state,
        }
        print_document(document, output)
    else:
        click.echo(resource if output is Format.NAME else f"{resource} {state}")
