"""Who may do what, asked of the API server itself: its answer holds whatever authorizes there.

Must not know why it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from periodicbuild.kube.paths import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from periodicbuild.cli.checks.patient import Account
    from periodicbuild.cli.cluster import Cluster

_GROUP: Final = "authorization.k8s.io"
SELF_REVIEWS: Final = Kind(_GROUP, "v1", "selfsubjectaccessreviews")
REVIEWS: Final = Kind(_GROUP, "v1", "subjectaccessreviews")


class Right(NamedTuple):
    """One verb on one resource."""

    verb: str
    resource: str
    """Plural, with a subresource as in `pods/log`."""
    group: str = ""

    def __str__(self) -> str:
        """Write it as kubectl's messages do."""
        return f"{self.verb} {self.resource}"


class _Status(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


def rights(group: str, resource: str, *verbs: str) -> Iterator[Right]:
    """Give a right for each verb."""
    return (Right(verb, resource, group) for verb in verbs)


def missing_rights(
    cluster: Cluster, asked: Iterable[Right], namespace: str, account: Account | None = None
) -> list[Right]:
    """Ask for each right in a namespace, or in all of them; `account` = None asks about ourselves."""
    return [right for right in asked if not _is_allowed(cluster, right, namespace, account)]


def _is_allowed(cluster: Cluster, right: Right, namespace: str, account: Account | None) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
    spec = {"resourceAttributes": attributes | {"namespace": namespace}, **_subject(account)}
    kind = SELF_REVIEWS if account is None else REVIEWS
    name = "SelfSubjectAccessReview" if account is None else "SubjectAccessReview"
    answer = cluster.ask(kind, {"apiVersion": kind.api_version, "kind": name, "spec": spec})
    return msgspec.json.decode(answer, type=_Review).status.allowed


def _subject(account: Account | None) -> dict[str, Any]:
    """Name a service account with the groups that its token would have."""
    if account is None:
        return {}
    user = f"system:serviceaccount:{account.namespace}:{account.name}"
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{account.namespace}", "system:authenticated")
    return {"user": user, "groups": groups}
