"""`gate`: show gates, close or open one, or show what would be held back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from periodicbuild.cli.cluster import EVERYWHERE
from periodicbuild.cli.documents import Format, api_list, api_object, print_document
from periodicbuild.cli.errors import AnswerIsNoError, BadInputError
from periodicbuild.cli.gate_edits import Closing, closed_spec, manifest_of, opened_spec, patch_of
from periodicbuild.cli.gate_summary import gates_table
from periodicbuild.cli.gates import (
    GateDocument,
    GateName,
    create_gate,
    document_of,
    find_gate,
    list_gates,
    patch_gate,
    read_gate,
)
from periodicbuild.cli.held_back import held_back, held_back_document, held_back_table
from periodicbuild.cli.instants import Instant
from periodicbuild.cli.objects import list_builds
from periodicbuild.cli.options import cluster_options, output_option
from periodicbuild.cli.tables import print_tables
from periodicbuild.cli.times import now as read_clock
from periodicbuild.core.gates import Gates
from periodicbuild.kube.errors import ConflictError
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.cli.cluster import Cluster

LIST, CLOSE, OPEN = ACTIONS = ("list", "close", "open")
LONGEST: Final = 31 * 24
"""Hours ahead: nobody reads more."""


@click.command
@click.argument("action", type=click.Choice(ACTIONS), default=LIST)
@click.argument("name", type=GateName(), required=False)
@click.option("--reason", help="With close: what it is for; needed for a new gate.")
@click.option("--owner", help="With close: whom to ask.")
@click.option(
    "--until", type=Instant(may_be_relative=True), help="With close: when it opens by itself, as +2h.  [default: never]"
)
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would be held back, and by what.")
@click.option(
    "--hours", type=click.IntRange(1, LONGEST), default=24, show_default=True, help="With --dry-run: how far to look."
)
@output_option(Format.JSON, Format.YAML, Format.NAME)
@cluster_options
def command(  # noqa: PLR0913 - an argument each
    *,
    cluster: Cluster,
    action: str,
    name: str | None,
    reason: str | None,
    owner: str | None,
    until: datetime | None,
    dry_run: bool,
    hours: int,
    output: Format | None,
) -> None:
    """Show gates, close or open one, or show what would be held back.

    A closed gate holds builds back before they start, and touches none that has started. `close` makes a gate about
    everything if there is none of that name. `open` undoes what was closed by hand; windows stay as they are.
    """
    now = read_clock()
    _refuse_what_does_not_fit(action, name, now, until, has_words=reason is not None or owner is not None)
    found = None if name is None else _found(cluster, action, name)
    edit = _edit(action, found, now, Closing(until=until, reason=reason, owner=owner))
    if dry_run:
        _print_held_back(cluster, _as_if(cluster, name, found, edit), now, hours, output)
    elif edit is None:
        _print_gates(list_gates(cluster) if found is None else [found], now, output)
    else:
        _print_edited(_apply(cluster, name or "", found, edit), action, now, output)


def _refuse_what_does_not_fit(
    action: str, name: str | None, now: datetime, until: datetime | None, *, has_words: bool
) -> None:
    if action != LIST and name is None:
        raise BadInputError(f"name the gate: kubectl periodicbuild gate {action} NAME")
    if action != CLOSE and (until is not None or has_words):
        raise BadInputError(
            "--until, --reason and --owner say how a gate is closed: write gate close NAME, or leave them out"
        )
    if until is not None and until <= now:
        raise BadInputError(f"--until {instant_text(until)} has passed: write a time that is to come, as in +2h")


def _found(cluster: Cluster, action: str, name: str) -> GateDocument | None:
    return find_gate(cluster, name) if action == CLOSE else read_gate(cluster, name)


def _edit(action: str, found: GateDocument | None, now: datetime, closing: Closing) -> dict[str, Any] | None:
    """Give the fields of the spec that are to change; None = none are."""
    if action == CLOSE:
        if found is None and closing.reason is None:
            raise BadInputError("there is no gate of that name: add --reason to make one, about every PeriodicBuild")
        return closed_spec(found, now, closing)
    return opened_spec(found) if action == OPEN and found is not None else None


def _apply(cluster: Cluster, name: str, found: GateDocument | None, edit: dict[str, Any]) -> GateDocument:
    """Create or change it; that the operator has written its status meanwhile is no reason to refuse."""
    if found is None:
        return create_gate(cluster, manifest_of(name, edit))
    try:
        return patch_gate(cluster, name, patch_of(found, edit))
    except ConflictError:
        newer = read_gate(cluster, name)
        if newer.spec != found.spec:
            raise
        return patch_gate(cluster, name, patch_of(newer, edit))


def _as_if(
    cluster: Cluster, name: str | None, found: GateDocument | None, edit: dict[str, Any] | None
) -> list[GateDocument]:
    """Give the gates as they would be; if one is named and not changed, only that one."""
    if edit is None:
        return list_gates(cluster) if found is None else [found]
    manifest = manifest_of(name or "", {**({} if found is None else found.spec), **edit})
    return [
        *(one for one in list_gates(cluster) if one.facts.ref.name != name),
        document_of(msgspec.json.encode(manifest)),
    ]


def _print_gates(gates: list[GateDocument], now: datetime, output: Format | None) -> None:
    if output is Format.NAME:
        for one in gates:
            click.echo(one.resource_name)
    elif output is not None:
        print_document(api_list([api_object(one.json) for one in gates]), output)
    elif gates:
        print_tables(gates_table([one.facts for one in gates], now))
    else:
        click.echo("No BuildGates: nothing holds builds back.", err=True)


def _print_edited(gate: GateDocument, action: str, now: datetime, output: Format | None) -> None:
    if output is not None and output.is_document:
        print_document(api_object(gate.json), output)
    else:
        state = "closed" if action == CLOSE else "opened"
        click.echo(gate.resource_name if output is Format.NAME else f"{gate.resource_name} {state}")
    closure = gate.facts.spec.closure_at(now)
    if action == OPEN and closure is not None:
        until = "" if closure.until is None else f" until {instant_text(closure.until)}"
        raise AnswerIsNoError(f"it stays closed by window {closure.window}{until}: edit spec.windows to end that")


def _print_held_back(
    cluster: Cluster, gates: list[GateDocument], now: datetime, hours: int, output: Format | None
) -> None:
    if output is Format.NAME:
        raise BadInputError("--dry-run names no objects: write -o yaml or -o json")
    builds = [one.facts for one in list_builds(cluster, EVERYWHERE)]
    known = Gates(known=tuple(sorted((one.facts for one in gates), key=lambda gate: gate.ref.name)))
    found = list(held_back(builds, known, now, now + timedelta(hours=hours)))
    if output is not None:
        print_document(held_back_document(found), output)
    elif found:
        print_tables(held_back_table(found))
    else:
        click.echo(f"Nothing would be held back in the next {hours} hours.", err=True)
