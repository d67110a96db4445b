"""Whether the operator may do what it has to.

The one idea a newcomer would miss: the question is asked about its service account, which takes the right to create
SubjectAccessReviews.  Whoever has the operator's own credentials needs no right to ask about himself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from periodicbuild.cli.checks.finding import failed, named, ok, warning
from periodicbuild.cli.checks.reviews import missing_rights, rights
from periodicbuild.cli.cluster import EVERYWHERE
from periodicbuild.kube.errors import ForbiddenError
from periodicbuild.kube.kinds import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient

TITLE: Final = "operator's rights"

FOR_GATES: Final = (*rights(GROUP, "buildgates", "list", "watch"), *rights(GROUP, "buildgates/status", "patch"))
"""Without these it works, and no gate holds anything back; no Role of a namespace can give them."""

NEEDED: Final = (
    *rights(GROUP, "periodicbuilds", "list", "watch"),
    *rights(GROUP, "periodicbuilds/status", "patch"),
    *rights(GROUP, "appservers/status", "patch"),
    *rights(GROUP, "appservers", "get", "list", "watch", "create", "patch", "delete"),
    *rights("", "pods", "get", "list", "watch", "create", "delete"),
    *rights("", "pods/log", "get"),
    *rights("", "services", "get", "patch"),
    *rights("", "namespaces", "get"),
    *rights("events.k8s.io", "events", "create"),
    *FOR_GATES,
)
"""What manifests/rbac.yaml grants."""


def check(patient: Patient) -> Iterator[Finding]:
    """Ask in all namespaces, and for what is missing there in the one that is meant."""
    account = None if patient.is_operator else patient.account
    who = "you" if account is None else f"service account {account.namespace}/{account.name}"
    try:
        missing = missing_rights(patient.cluster, NEEDED, EVERYWHERE, account)
        still = missing_rights(patient.cluster, missing, patient.cluster.namespace, account)
    except ForbiddenError:
        saw = "you may not create subjectaccessreviews, so this cannot be seen"
        yield warning(TITLE, saw, "ask an administrator, or use the operator's own credentials and --as-operator")
        return
    blind = " and it sees no gates" if set(still) & set(FOR_GATES) else ""
    still = [right for right in still if right not in FOR_GATES]
    if still:
        saw = f"{who} may not {named([str(right) for right in still])}"
        remedy = "kubectl apply -f manifests/rbac.yaml"
        yield failed(TITLE, saw, remedy if account is None else f"{remedy}, or name its account (--operator-account)")
    elif missing and set(missing) <= set(FOR_GATES):
        saw = f"{who} may not {named([str(right) for right in missing])}, so gates hold nothing back"
        yield warning(TITLE, saw, "kubectl apply -f manifests/rbac.yaml")
    elif missing:
        saw = f"{who} may do everything in namespace {patient.cluster.namespace}, and not in all of them{blind}"
        yield warning(TITLE, saw, f"right if the operator runs with --namespace {patient.cluster.namespace}")
    else:
        yield ok(TITLE, f"{who} may do all {len(NEEDED)} things that it has to, everywhere")
