"""Asking for a run: one annotation, and the name of the AppServer that will answer it.

Must not know how the run is followed.

The one idea a newcomer would miss: a newer request replaces one that the operator has not taken up yet, and that would
be lost.  Who asks meanwhile therefore joins it: the run begins after both have asked, with the template of that moment,
and so is what both want.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.objects import patch_build, read_build
from periodicbuild.core.names import app_server_name, manual_run_id
from periodicbuild.kube.errors import ConflictError
from periodicbuild.kube.kinds import RUN_NOW_ANNOTATION

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.core.facts import PeriodicBuild

TRIES: Final = 10
"""The object changes between reading and asking only if its status is written in that very moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for a run."""

    build: str
    token: str
    is_joined: bool
    """Somebody had asked already, and the operator has not taken it up yet."""

    @property
    def run(self) -> str:
        """Give the id of the run, a function of the token (design 2.4)."""
        return manual_run_id(self.token)

    @property
    def app_server(self) -> str:
        """Give the name of the one AppServer of the run."""
        return app_server_name(self.build, self.run, 1)


def request_run(cluster: Cluster, name: str, now: datetime) -> Request:
    """Ask for a run, unless one is asked for that has not begun; raises AnswerIsNoError if none can be had."""
    for _ in range(TRIES):
        build = read_build(cluster, name).facts
        if build.is_deleting:
            raise AnswerIsNoError(f"PeriodicBuild {name!r} is being deleted: no run of it can begin any more")
        if build.run_now is not None and not is_taken_up(build, build.run_now):
            return Request(build=name, token=build.run_now, is_joined=True)
        token = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        metadata = {"resourceVersion": build.resource_version, "annotations": {RUN_NOW_ANNOTATION: token}}
        try:
            patch_build(cluster, name, {"metadata": metadata})
        except ConflictError:
            continue
        return Request(build=name, token=token, is_joined=False)
    raise AnswerIsNoError(f"PeriodicBuild {name!r} has changed {TRIES} times while a run was asked for: try again")


def is_taken_up(build: PeriodicBuild, token: str) -> bool:
    """Tell whether the operator has answered a request, the last one it answered."""
    return build.status.manual is not None and build.status.manual.token == token
