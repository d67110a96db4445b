"""Whether whoever asks may use the plug-in, command by command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from periodicbuild.cli.checks.finding import failed, ok, warning
from periodicbuild.cli.checks.reviews import missing_rights, rights
from periodicbuild.kube.kinds import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient
    from periodicbuild.cli.checks.reviews import Right


class Use(NamedTuple):
    """What commands need."""

    commands: str
    needs: tuple[Right, ...]


READING: Final = Use("any command", tuple(rights(GROUP, "periodicbuilds", "get", "list")))
USES: Final = (
    Use("history, why, logs", tuple(rights(GROUP, "appservers", "get", "list"))),
    Use("run, enable, disable, reschedule", tuple(rights(GROUP, "periodicbuilds", "patch"))),
    Use("cancel", tuple(rights(GROUP, "appservers", "patch"))),
    Use("gate, safe", tuple(rights(GROUP, "buildgates", "get", "list"))),
    Use("gate close, gate open", tuple(rights(GROUP, "buildgates", "create", "patch"))),
    Use("logs of a build that runs", (*rights("", "pods", "get"), *rights("", "pods/log", "get"))),
)


def check(patient: Patient) -> Iterator[Finding]:
    """Ask for each right in the namespace that is meant; with the operator's own credentials nobody uses commands."""
    if patient.is_operator:
        return
    cluster, title = patient.cluster, "your rights"
    place = f"namespace {cluster.namespace}"
    refused = {use: missing_rights(cluster, use.needs, cluster.namespace) for use in (READING, *USES)}
    lacks = [f"{' and '.join(map(str, missing))} ({use.commands})" for use, missing in refused.items() if missing]
    remedy = "ask whoever runs the cluster for the rights, or name another namespace with -n"
    if refused[READING]:
        yield failed(title, f"in {place} you may not {'; '.join(lacks)}", remedy)
    elif lacks:
        yield warning(title, f"in {place} you may not {'; '.join(lacks)}", remedy)
    else:
        yield ok(title, f"you may use every command in {place}")
