"""Whether the admission policies of crds/ are there, and bound.

Without the one on templates an AppServer's template can be changed while it is built; without the other one only the
warnings are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from periodicbuild.cli.checks.definitions import APPLY
from periodicbuild.cli.checks.finding import failed, ok, unseen, warning
from periodicbuild.kube.errors import ForbiddenError, NotFoundError
from periodicbuild.kube.paths import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient
    from periodicbuild.cli.cluster import Cluster

_GROUP: Final = "admissionregistration.k8s.io"
PARTS: Final = {
    "policy": Kind(_GROUP, "v1", "validatingadmissionpolicies"),
    "binding": Kind(_GROUP, "v1", "validatingadmissionpolicybindings"),
}


class Policy(NamedTuple):
    """One policy, whose binding has its name."""

    name: str
    is_needed: bool
    """Something is not kept without it; otherwise somebody is not warned."""
    without: str


POLICIES: Final = (
    Policy(
        "appserver-rights.periodicbuild.dev",
        is_needed=True,
        without="whoever creates an AppServer needs no right to create pods, and can forge the answer to a slot",
    ),
    Policy("appserver-template.periodicbuild.dev", is_needed=True, without="templates of AppServers can be changed"),
    Policy(
        "periodicbuild-activation.periodicbuild.dev",
        is_needed=True,
        without="whoever writes a PeriodicBuild can have any Service switched that has opted in",
    ),
    Policy(
        "periodicbuild-rights.periodicbuild.dev",
        is_needed=True,
        without="whoever writes a PeriodicBuild needs no right to create pods",
    ),
    Policy("periodicbuild-warnings.periodicbuild.dev", is_needed=False, without="nobody is warned of unusual specs"),
)


def check(patient: Patient) -> Iterator[Finding]:
    """Look for each of them."""
    for policy in POLICIES:
        title = f"policy {policy.name.partition('.')[0]}"
        try:
            missing = [part for part, kind in PARTS.items() if not _exists(patient.cluster, kind, policy.name)]
        except ForbiddenError as error:
            yield unseen(title, error)
            continue
        if missing:
            find = failed if policy.is_needed else warning
            yield find(title, f"its {' and '.join(missing)} {_is(missing)} missing, so {policy.without}", APPLY)
        else:
            yield ok(title, "it is there, and bound")


def _exists(cluster: Cluster, kind: Kind, name: str) -> bool:
    try:
        cluster.read_path(kind.path(name=name))
    except NotFoundError:
        return False
    return True


def _is(parts: list[str]) -> str:
    return "is" if len(parts) == 1 else "are"
