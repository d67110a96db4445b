"""BuildGates of a cluster, as facts beside the JSON they came from.

Must not know what is shown of them, or why one is changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from periodicbuild.cli.cluster import EVERYWHERE
from periodicbuild.cli.errors import AnswerIsNoError, is_kind_unknown
from periodicbuild.kube.errors import ForbiddenError, NotFoundError
from periodicbuild.kube.kinds import BUILD_GATES, GROUP
from periodicbuild.kube.parse import gate_from_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.core.gates import Gate

NO_GATES: Final = "this cluster does not know BuildGates, so nothing holds builds back: kubectl apply -f crds/"
DNS_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""What a name of a gate is; nothing else may get into the path of a request."""


class GateName(click.ParamType[str]):
    """The name of a BuildGate."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what no name can be."""
        if not DNS_NAME.fullmatch(value) or ".." in value:
            self.fail(f"{value!r} is no name of a BuildGate: small letters, digits, '-' and '.' only", param, ctx)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDocument:
    """One BuildGate."""

    facts: Gate
    json: bytes
    """As the API server sent it."""

    @property
    def resource_name(self) -> str:
        """Name it as kubectl does."""
        return gate_resource_name(self.facts.ref.name)

    @property
    def spec(self) -> dict[str, Any]:
        """Give its spec as it is written."""
        spec = msgspec.json.decode(self.json).get("spec")
        return spec if isinstance(spec, dict) else {}


def gate_resource_name(name: str) -> str:
    """Name a gate as kubectl does."""
    return f"buildgate.{GROUP}/{name}"


def document_of(json: bytes) -> GateDocument:
    """Read one."""
    return GateDocument(facts=gate_from_json(json), json=json)


def list_gates(cluster: Cluster) -> list[GateDocument]:
    """List all of them; raises AnswerIsNoError where there can be none."""
    try:
        return list(map(document_of, cluster.list(BUILD_GATES, EVERYWHERE)))
    except NotFoundError as error:
        raise AnswerIsNoError(NO_GATES) from error


def find_gate(cluster: Cluster, name: str) -> GateDocument | None:
    """Read one; None if it is not there."""
    try:
        return document_of(cluster.read_path(BUILD_GATES.path(name=name)))
    except NotFoundError as error:
        if is_kind_unknown(error):
            raise AnswerIsNoError(NO_GATES) from error
        return None


def read_gate(cluster: Cluster, name: str) -> GateDocument:
    """Read one; raises AnswerIsNoError with near names if it is not there."""
    found = find_gate(cluster, name)
    if found is None:
        raise AnswerIsNoError(_missing(cluster, name))
    return found


def patch_gate(cluster: Cluster, name: str, change: Mapping[str, Any]) -> GateDocument:
    """Change one by a merge patch."""
    return document_of(cluster.patch_path(BUILD_GATES.path(name=name), change))


def create_gate(cluster: Cluster, manifest: Mapping[str, Any]) -> GateDocument:
    """Create one."""
    return document_of(cluster.create(BUILD_GATES, manifest))


def _missing(cluster: Cluster, name: str) -> str:
    sentence = f"BuildGate {name!r} does not exist"
    try:
        names = [one.facts.ref.name for one in list_gates(cluster)]
    except ForbiddenError:
        return sentence
    near = get_close_matches(name, names)
    return f"{sentence}: did you mean {' or '.join(near)}?" if near else sentence
