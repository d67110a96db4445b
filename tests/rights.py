"""What the operator asks for against what its roles allow, both ways: nothing may be missing, and nothing unused.

Usage: python -m tests.rights FOLDER [--publish]

Each cluster of a test run leaves in FOLDER what the operator has asked of it, by the API server's own record; when all
tests are over the two lists are compared.

The one idea a newcomer would miss: a right that no test uses is either not needed, or not tested.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import yaml
from tests.bench.audit import OPERATOR
from tests.bench.figures import ROOT, measured, publish
from tests.cluster.console import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.cluster.cluster import Cluster

FOLDER: Final = "PERIODICBUILD_REQUESTS"
"""The environment variable that says where clusters leave their requests; without it they leave none."""


class Right(NamedTuple):
    """One verb on one resource, as in a role."""

    group: str
    resource: str
    """With its subresource, as in `pods/log`."""
    verb: str

    def __str__(self) -> str:
        """Write it as kubectl's messages do."""
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}"


class _User(msgspec.Struct):
    username: str = ""


class _Object(msgspec.Struct, rename="camel"):
    api_group: str = ""
    resource: str = ""
    subresource: str = ""


class _Line(msgspec.Struct, rename="camel"):
    verb: str
    user: _User
    user_agent: str = ""
    object_ref: _Object | None = None


def granted() -> frozenset[Right]:
    """Give every right of the roles that are shipped."""
    documents = yaml.safe_load_all((ROOT / "manifests" / "rbac.yaml").read_text())
    return frozenset(
        Right(group, resource, verb)
        for role in documents
        for rule in role.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )


def asked_of(cluster: Cluster) -> frozenset[Right]:
    """Give what the operator has asked of a cluster; the plug-in with its account is somebody else."""
    logs = cluster.audit_log.parent.glob(f"{cluster.audit_log.stem}*{cluster.audit_log.suffix}")
    return frozenset(right for log in logs for right in _each(log))


def _each(log: Path) -> Iterator[Right]:
    decode = msgspec.json.Decoder(_Line).decode
    with log.open("rb") as lines:
        for raw in lines:
            if OPERATOR.encode() not in raw or not raw.endswith(b"\n"):
                continue
            line = decode(raw)
            is_ours = line.user.username == OPERATOR and line.user_agent.startswith("periodicbuild/")
            if is_ours and line.object_ref is not None:
                it = line.object_ref
                yield Right(it.api_group, "/".join(filter(None, (it.resource, it.subresource))), line.verb)


def leave_requests(cluster: Cluster) -> None:
    """Leave what the operator has asked of a cluster that is about to go."""
    folder = os.environ.get(FOLDER)
    if folder is None or not cluster.audit_log.exists():
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    asked = sorted(asked_of(cluster))
    (Path(folder) / f"{uuid.uuid4().hex}.json").write_text(json.dumps(asked))


def read_requests(folder: Path) -> frozenset[Right]:
    """Read what all clusters have left."""
    return frozenset(Right(*right) for file in folder.glob("*.json") for right in json.loads(file.read_text()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; the exit status is 1 if the roles are not exactly what is used."""
    parser = argparse.ArgumentParser(prog="python -m tests.rights", description="Compare requests with roles.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--publish", action="store_true", help="write the two figures")
    options = parser.parse_args(arguments)
    asked, allowed = read_requests(options.folder), granted()
    missing, unused = sorted(asked - allowed), sorted(allowed - asked)
    for what, rights in (("missing in", missing), ("unused, of", unused)):
        for right in rights:
            say(f"{what} the roles: {right}")
    say(f"The operator's roles: {len(allowed)} rights, {len(missing)} missing, {len(unused)} unused.")
    if options.publish:
        publish(measured({"roles-missing-verbs": len(missing), "roles-unused-verbs": len(unused)}))
    return 1 if missing or unused else 0


if __name__ == "__main__":
    sys.exit(main())
