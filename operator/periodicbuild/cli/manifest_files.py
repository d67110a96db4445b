"""A PeriodicBuild from a file, read as kubectl reads it.

Must not know what is done with it, and asks no cluster.

The one idea a newcomer would miss: kubectl's YAML knows neither sexagesimal numbers nor timestamps, so `time: 02:30`
without quotes is a text there; PyYAML by itself would make 150 of it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from periodicbuild.cli.errors import BadInputError
from periodicbuild.kube.kinds import PERIODIC_BUILD, PERIODIC_BUILDS
from periodicbuild.kube.parse_build import periodic_build_from_json
from periodicbuild.kube.parse_values import UNREADABLE

if TYPE_CHECKING:
    from datetime import datetime
    from typing import IO

    from periodicbuild.core.facts import PeriodicBuild

WANTED: Final = f"one {PERIODIC_BUILD} of {PERIODIC_BUILDS.api_version} is wanted"
DEFAULT_NAMESPACE: Final = "default"
"""Of a manifest that names none: spread depends on it."""

_NUMBER: Final = "tag:yaml.org,2002:int"
_REPLACED: Final = {_NUMBER, "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp"}


class _Loader(yaml.SafeLoader):
    """YAML as kubectl has it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_NUMBER, re.compile(r"[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def read_manifest(file: IO[bytes], created_at: datetime) -> PeriodicBuild:
    """Read the one PeriodicBuild in a file as if it were created at an instant; raises BadInputError."""
    return check_manifest(_document(file), file.name, created_at)


def check_manifest(body: dict[str, Any], file: str, created_at: datetime) -> PeriodicBuild:
    """Read a PeriodicBuild as if it were created at an instant; raises BadInputError, which names the file."""
    metadata = {
        "namespace": DEFAULT_NAMESPACE,
        **body["metadata"],
        "creationTimestamp": created_at,
        "deletionTimestamp": None,
    }
    try:
        build = periodic_build_from_json(msgspec.json.encode({"metadata": metadata, "spec": body["spec"]}))
    except (*UNREADABLE, TypeError) as error:
        raise BadInputError(f"{file} holds no usable {PERIODIC_BUILD}: {error}") from error
    if build.spec.schedule_error is not None:
        raise BadInputError(f"{file}: {build.spec.schedule_error}")
    return build


def _document(file: IO[bytes]) -> dict[str, Any]:
    """Give the only document, checked as far as its kind, its name, and that it has a spec."""
    documents = read_documents(file)
    if len(documents) != 1:
        found = f"holds {len(documents)} documents" if documents else "is empty"
        raise BadInputError(f"{file.name} {found}: {WANTED}")
    (body,) = documents
    if not isinstance(body, dict) or (body.get("apiVersion"), body.get("kind")) != _WANTED_KIND:
        raise BadInputError(f"{file.name} holds {_what(body)}: {WANTED}")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise BadInputError(f"{file.name}: metadata.name is missing: write it as in {{name: nightly}}")
    if not isinstance(body.get("spec"), dict):
        raise BadInputError(f"{file.name}: spec is missing: the schedule is in it")
    return body


_WANTED_KIND: Final = (PERIODIC_BUILDS.api_version, PERIODIC_BUILD)


def read_documents(file: IO[bytes]) -> list[Any]:
    """Read every document of a file, YAML or JSON; raises BadInputError."""
    text = file.read()
    try:
        if text.lstrip().startswith(b"{"):
            return [json.loads(text)]
        return [one for one in yaml.load_all(text, Loader=_Loader) if one is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInputError(f"{file.name} is neither YAML nor JSON: {error}") from error


def _what(body: Any) -> str:
    """Name what was found instead."""
    kind = body.get("kind") if isinstance(body, dict) else None
    return f"a {kind} of {body.get('apiVersion') or 'no apiVersion'}" if kind else "no object of Kubernetes"
