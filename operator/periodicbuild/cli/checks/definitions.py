"""Whether the kinds are served, with every field that this plug-in knows.

The one idea a newcomer would miss: what is asked is the API server's OpenAPI document, which everybody may read, and
the fields are those of the types that parse and render.  A definition that is older lacks some, and the API server
drops what it does not know from every status without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import inspect

from periodicbuild.cli.checks.finding import failed, named, ok, warning
from periodicbuild.kube.errors import NotFoundError
from periodicbuild.kube.kinds import APP_SERVER, APP_SERVERS, BUILD_GATE, BUILD_GATES, PERIODIC_BUILD, PERIODIC_BUILDS
from periodicbuild.kube.wire import AppServerSpecWire, BuildSpecWire
from periodicbuild.kube.wire_gate import GateSpecWire, GateStatusWire
from periodicbuild.kube.wire_status import AppServerStatusWire, BuildStatusWire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient
    from periodicbuild.kube.paths import Kind

APPLY: Final = "kubectl apply -f crds/"
DOCUMENT: Final = f"/openapi/v3/apis/{PERIODIC_BUILDS.api_version}"

KNOWN: Final[tuple[tuple[str, Kind, dict[str, Any]], ...]] = (
    (PERIODIC_BUILD, PERIODIC_BUILDS, {"spec": BuildSpecWire, "status": BuildStatusWire}),
    (APP_SERVER, APP_SERVERS, {"spec": AppServerSpecWire, "status": AppServerStatusWire}),
    (BUILD_GATE, BUILD_GATES, {"spec": GateSpecWire, "status": GateStatusWire}),
)


class _KindName(msgspec.Struct):
    kind: str = ""


class Schema(msgspec.Struct):
    """One node of a schema, as far as it names fields."""

    properties: dict[str, Schema] = msgspec.field(default_factory=dict)
    items: Schema | None = None
    kinds: tuple[_KindName, ...] = msgspec.field(name="x-kubernetes-group-version-kind", default=())


class _Components(msgspec.Struct):
    schemas: dict[str, Schema] = msgspec.field(default_factory=dict)


class _Document(msgspec.Struct):
    components: _Components = msgspec.field(default_factory=_Components)


def check(patient: Patient) -> Iterator[Finding]:
    """Compare what is served with what is known, kind by kind."""
    schemas = _served(patient)
    for name, kind, known in KNOWN:
        title, schema = f"CRD {kind.plural}", schemas.get(name)
        if schema is None and name == BUILD_GATE:
            yield warning(title, f"{name} {kind.version} is not served, so nothing holds builds back", APPLY)
            continue
        if schema is None:
            yield failed(title, f"{name} {kind.version} is not served", APPLY)
            continue
        missing = [field for part, type_ in known.items() for field in missing_fields(schema, part, type_)]
        if missing:
            yield failed(title, f"it is older than this plug-in and lacks {named(missing)}", APPLY)
        else:
            yield ok(title, f"{kind.version} is served with every field that is known here")


def missing_fields(schema: Schema, name: str, type_: Any) -> Iterator[str]:
    """Give the paths of the fields of a type that a schema lacks, the outermost of each branch only."""
    yield from _missing(schema, name, inspect.type_info(type_), name)


def _served(patient: Patient) -> dict[str, Schema]:
    try:
        document = msgspec.json.decode(patient.cluster.read_path(DOCUMENT), type=_Document)
    except NotFoundError:
        return {}
    return {kind.kind: schema for schema in document.components.schemas.values() for kind in schema.kinds}


def _missing(parent: Schema, name: str, type_: inspect.Type, path: str) -> Iterator[str]:
    schema = parent.properties.get(name)
    if schema is None:
        yield path
        return
    for struct in _structs(type_):
        for field in struct.fields:
            yield from _missing(schema.items or schema, field.encode_name, field.type, f"{path}.{field.encode_name}")


def _structs(type_: inspect.Type) -> Iterator[inspect.StructType]:
    """Find the objects in an optional one, or in a list."""
    match type_:
        case inspect.StructType():
            yield type_
        case inspect.UnionType():
            for one in type_.types:
                yield from _structs(one)
        case inspect.VarTupleType():
            yield from _structs(type_.item_type)
