"""Addresses of the API: from a kind to a path, and from a request back to what RBAC and a person call it.

The one idea a newcomer would miss: metrics, errors and tests of permissions all speak of (verb, resource), and
deriving both from the request itself keeps them from ever disagreeing with what was really sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object, as its address needs it."""

    group: str
    """Empty for the core group."""

    version: str
    """For example v1alpha1."""

    plural: str
    """For example appservers."""

    @property
    def api_version(self) -> str:
        """Give the `apiVersion` as manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, *, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Give the path of one object, or of the collection if `name` is empty (of all namespaces if both are)."""
        root = f"/apis/{self.group}" if self.group else "/api"
        scope = f"namespaces/{namespace}" if namespace else ""
        return "/".join(part for part in (root, self.version, scope, self.plural, name, subresource) if part)


@dataclass(frozen=True, slots=True)
class Target:
    """What a request does to what."""

    verb: str
    """As in RBAC: get, list, watch, create, update, patch, delete, deletecollection."""

    resource: str
    """Plural with subresource, for example `pods/log`; the bare path for what is no resource (`/readyz`)."""

    namespace: str = ""
    """Empty if there is none."""

    name: str = ""
    """Empty for a collection."""

    @property
    def ref(self) -> str:
        """Name the target for a person: `pods team-a/nightly-1`."""
        return f"{self.resource} {'/'.join(part for part in (self.namespace, self.name) if part)}".rstrip()


def target_of(method: str, path: str, params: Mapping[str, str]) -> Target:
    """Tell what a request is about; `params` decides between list and watch."""
    parts = path.strip("/").split("/")
    if parts[0] not in ("api", "apis"):
        return Target(method.lower(), path)
    parts = parts[2 if parts[0] == "api" else 3 :]
    namespace = ""
    if parts[:1] == ["namespaces"] and len(parts) > 2:  # noqa: PLR2004 - namespaces/NAME/RESOURCE; shorter is the namespace itself
        namespace, parts = parts[1], parts[2:]
    resource, name, subresource = (*parts, "", "", "")[:3]
    return Target(_verb(method, name, params), "/".join(filter(None, (resource, subresource))), namespace, name)


def _verb(method: str, name: str, params: Mapping[str, str]) -> str:
    if method == "GET":
        collection = "watch" if params.get("watch") in ("1", "true") else "list"
        return "get" if name else collection
    if method == "DELETE" and not name:
        return "deletecollection"
    return _VERBS.get(method, method.lower())
