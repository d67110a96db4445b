"""PeriodicBuilds and AppServers of a cluster, as facts beside the JSON they came from.

Must not know what is shown of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from periodicbuild.cli.cluster import EVERYWHERE
from periodicbuild.cli.errors import AnswerIsNoError, is_kind_unknown
from periodicbuild.kube.errors import ForbiddenError, NotFoundError
from periodicbuild.kube.kinds import APP_SERVERS, GROUP, PERIODIC_BUILDS
from periodicbuild.kube.parse import app_server_from_json, stored_build_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.core.facts import AppServer, PeriodicBuild

MOST_NAMED: Final = 5
"""Names that are offered instead of one that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildDocument:
    """One PeriodicBuild."""

    facts: PeriodicBuild
    json: bytes
    """As the API server sent it."""
    ledger_json: bytes
    """The ledger in it."""

    @property
    def resource_name(self) -> str:
        """Name it as kubectl does."""
        return f"periodicbuild.{GROUP}/{self.facts.ref.name}"


def read_build(cluster: Cluster, name: str) -> BuildDocument:
    """Read one; raises AnswerIsNoError with near names if it is not there."""
    try:
        return _document(cluster.read(PERIODIC_BUILDS, name))
    except NotFoundError as error:
        if is_kind_unknown(error):
            raise
        raise AnswerIsNoError(_missing(cluster, name)) from error


def list_builds(cluster: Cluster, namespace: str) -> list[BuildDocument]:
    """List those of a namespace, or EVERYWHERE."""
    return list(each_build(cluster, namespace))


def each_build(cluster: Cluster, namespace: str) -> Iterator[BuildDocument]:
    """List them page by page, for whoever needs only one at a time."""
    return map(_document, cluster.list(PERIODIC_BUILDS, namespace))


def patch_build(cluster: Cluster, name: str, change: Mapping[str, Any]) -> BuildDocument:
    """Change one by a merge patch."""
    return _document(cluster.patch(PERIODIC_BUILDS, name, change))


def read_app_server(cluster: Cluster, name: str) -> AppServer | None:
    """Read one; None if it is not there."""
    try:
        return app_server_from_json(cluster.read(APP_SERVERS, name))
    except NotFoundError as error:
        if is_kind_unknown(error):
            raise
        return None


def app_servers_of(cluster: Cluster, build: PeriodicBuild) -> list[AppServer]:
    """List a PeriodicBuild's own, newest first, and those that name it and have not been taken up yet."""
    listed = map(app_server_from_json, cluster.list(APP_SERVERS, build.ref.namespace))
    own = [one for one in listed if one.controller_uid == build.ref.uid or _waits_for_adoption(one, build)]
    return sorted(own, key=lambda one: (one.created_at, one.attempt), reverse=True)


def app_server_resource_name(name: str) -> str:
    """Name an AppServer as kubectl does."""
    return f"appserver.{GROUP}/{name}"


def _waits_for_adoption(app_server: AppServer, build: PeriodicBuild) -> bool:
    return app_server.controller_uid is None and app_server.run is None and app_server.build_name == build.ref.name


def _document(json: bytes) -> BuildDocument:
    stored = stored_build_from_json(json)
    return BuildDocument(facts=stored.facts(), json=json, ledger_json=stored.ledger_json)


def _missing(cluster: Cluster, name: str) -> str:
    places = _names_by_namespace(cluster)
    here = places.pop(cluster.namespace, [])
    sentence = f"PeriodicBuild {name!r} does not exist in namespace {cluster.namespace}"
    if near := get_close_matches(name, here, n=MOST_NAMED):
        return f"{sentence}: did you mean {' or '.join(near)}?"
    if elsewhere := [namespace for namespace, names in places.items() if name in names]:
        return f"{sentence}, but in {', '.join(elsewhere[:MOST_NAMED])}: add -n {elsewhere[0]}"
    if here:
        more = ", ..." if len(here) > MOST_NAMED else ""
        return f"{sentence}: there are {', '.join(here[:MOST_NAMED])}{more}"
    return f"{sentence}, and no other: name the right one with -n"


def _names_by_namespace(cluster: Cluster) -> dict[str, list[str]]:
    """Look as far as we may: who may read one object need not be allowed to list any."""
    for scope in (EVERYWHERE, cluster.namespace):
        try:
            found = list_builds(cluster, scope)
        except ForbiddenError:
            continue
        places: dict[str, list[str]] = {}
        for one in found:
            places.setdefault(one.facts.ref.namespace, []).append(one.facts.ref.name)
        return places
    return {}
