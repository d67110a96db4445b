"""What the operator asked of the API server, as the API server's own audit log tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from tests.cluster.cluster import Cluster
from tests.operator_process import ACCOUNT, NAMESPACE

OPERATOR = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request."""

    verb: str
    resource: str
    """With its subresource: `appservers/status`."""
    group: str
    namespace: str
    name: str
    code: int
    is_permitted: bool
    """What RBAC said; a quota or a policy may still have refused."""

    @classmethod
    def of(cls, line: dict[str, Any]) -> Self:
        """Read a line of the log."""
        about = line.get("objectRef", {})
        return cls(
            verb=line["verb"],
            resource="/".join(filter(None, (about.get("resource", ""), about.get("subresource")))),
            group=about.get("apiGroup", ""),
            namespace=about.get("namespace", ""),
            name=about.get("name", ""),
            code=line.get("responseStatus", {}).get("code", 0),
            is_permitted=line.get("annotations", {}).get("authorization.k8s.io/decision") != "forbid",
        )

    @property
    def is_write(self) -> bool:
        """Tell whether it would have changed something."""
        return self.verb in WRITES


def length_of_log(cluster: Cluster) -> int:
    """Give where the audit log ends now."""
    return cluster.audit_log.stat().st_size


def requests_of_the_operator(cluster: Cluster, *, since: int = 0) -> list[Request]:
    """Give the operator's requests that stand in the log after a place given by `length_of_log`."""
    with cluster.audit_log.open("rb") as log:
        log.seek(since)
        lines = [json.loads(line) for line in log.read().splitlines(keepends=True) if line.endswith(b"\n")]
    return [Request.of(line) for line in lines if _is_of_the_operator(line)]


def _is_of_the_operator(line: dict[str, Any]) -> bool:
    """Tell it from the plug-in, which may be used with the same account."""
    is_plugin = line.get("userAgent", "").startswith("kubectl-periodicbuild")
    return line["user"].get("username") == OPERATOR and not is_plugin
