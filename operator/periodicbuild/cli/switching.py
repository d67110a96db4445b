"""Turning a schedule on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from periodicbuild.cli.documents import Format, api_object, print_document
from periodicbuild.cli.objects import patch_build, read_build

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster


def switch(cluster: Cluster, name: str, output: Format | None, *, enabled: bool) -> None:
    """Bring `spec.enabled` to a value, and say whether that changed anything."""
    build = read_build(cluster, name)
    word = "enabled" if enabled else "disabled"
    is_changed = build.facts.spec.schedule.enabled is not enabled
    if is_changed:
        build = patch_build(cluster, name, {"spec": {"enabled": enabled}})
    if output is not None and output.is_document:
        print_document(api_object(build.json), output)
    elif output is Format.NAME:
        click.echo(build.resource_name)
    else:
        click.echo(f"{build.resource_name} {word if is_changed else f'unchanged: it was {word} already'}")
