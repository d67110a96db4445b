"""Where a test plays: a namespace of its own, objects in it, and waiting for what should become of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import pykube
import yaml
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.waiting import wait_for
from tests.e2e.objects import AppServer, PeriodicBuild, Resource
from tests.e2e.templates import SIGN, a_build_spec

WITHIN_SECONDS = 60
"""How long anything may take that the operator and one node on a busy machine do at once."""

BUILD_LABEL = "periodicbuild.dev/periodic-build"

Builds: TypeAlias = Mapping[str, PeriodicBuild]
"""Those of a module's SPECS, by their names there."""

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """One cluster with the operator in it, as its administrator sees them."""

    cluster: Cluster
    api: pykube.HTTPClient
    _namespaces: list[str] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """Give the test's own namespace."""
        return self._namespaces[0] if self._namespaces else self.new_namespace()

    def new_namespace(self, labels: Mapping[str, str] | None = None) -> str:
        """Make a namespace, and wait until pods can be created in it."""
        name = f"e2e-{uuid.uuid4().hex[:10]}"
        pykube.Namespace(self.api, {"metadata": {"name": name, "labels": dict(labels or {})}}).create()
        self._namespaces.append(name)
        accounts = pykube.ServiceAccount.objects(self.api, namespace=name)
        eventually(lambda: accounts.get_or_none(name="default"), f"namespace {name} has its default service account")
        return name

    def clear(self) -> None:
        """Remove the namespaces and with them everything in them, without waiting."""
        for name in self._namespaces:
            pykube.Namespace(self.api, {"metadata": {"name": name}}).delete()

    def create(
        self, name: str, spec: Mapping[str, Any], *, namespace: str | None = None, **metadata: Any
    ) -> PeriodicBuild:
        """Create a PeriodicBuild."""
        return PeriodicBuild.made_of(self.api, namespace or self.namespace, name, spec, **metadata)

    def create_all(self, specs: Mapping[str, Mapping[str, Any]]) -> Builds:
        """Create PeriodicBuilds that have nothing to do with each other, at the same time; spaces in names may be."""
        return {name: self.create(name.replace(" ", "-"), spec) for name, spec in specs.items()}

    def create_by_hand(self, build: PeriodicBuild, name: str, **spec: Any) -> AppServer:
        """Create an AppServer as a person does: with a reference and little else."""
        return self.create_app_server(name, {"periodicBuildRef": {"name": build.name}} | spec)

    def create_app_server(self, name: str, spec: Mapping[str, Any]) -> AppServer:
        """Create an AppServer of any kind."""
        return AppServer.made_of(self.api, self.namespace, name, spec)

    def app_servers(self, build: PeriodicBuild) -> list[AppServer]:
        """Give the AppServers that this very PeriodicBuild controls, oldest first, attempts of a run in order."""
        everything = AppServer.objects(self.api, namespace=build.namespace)
        return sorted(
            (one for one in everything if one.controller_uid == build.uid),
            key=lambda one: (one.read("metadata.creationTimestamp"), one.name),
        )

    def app_server(self, build: PeriodicBuild, name: str) -> AppServer:
        """Give the AppServer of that name."""
        found: AppServer = AppServer.objects(self.api, namespace=build.namespace).get(name=name)
        return found

    def pods(self, build: PeriodicBuild) -> list[pykube.Pod]:
        """Give the pods that carry the name of a PeriodicBuild, in the order of their names."""
        pods = pykube.Pod.objects(self.api, namespace=build.namespace).filter(selector={BUILD_LABEL: build.name})
        return sorted(pods, key=lambda pod: str(pod.name))

    def pod(self, app_server: AppServer) -> pykube.Pod:
        """Give the pod of an AppServer."""
        return pykube.Pod.objects(self.api, namespace=app_server.namespace).get(name=app_server.name)

    def events(self, resource: Resource) -> list[str]:
        """Give the reasons of the Events about one object, oldest first."""
        listed = self.api.get(url="events", version="events.k8s.io/v1", namespace=resource.namespace)
        listed.raise_for_status()
        about = [one for one in listed.json()["items"] if one["regarding"].get("uid") == resource.uid]
        return [str(one["reason"]) for one in sorted(about, key=lambda one: one["eventTime"])]

    @property
    def node(self) -> str:
        """Give the name of the node."""
        return str(next(iter(pykube.Node.objects(self.api))).name)

    def kubectl(self, *arguments: str) -> str:
        """Give what kubectl prints in the test's own namespace."""
        return self.cluster.kubectl(f"--namespace={self.namespace}", *arguments)

    def tell(self, app_server: AppServer) -> None:
        """Tell a script that works until it is told to go on."""
        self.kubectl("exec", app_server.name, "--", "touch", SIGN)

    def outlast(self) -> None:
        """Wait until the operator has dealt with something that came later than what it should leave alone."""
        later = self.create("later", a_build_spec(enabled=False), namespace=self.new_namespace())
        see(later, lambda one: one.read("status.observedGeneration"), "the operator has looked at something later")

    def attempt(
        self, build: PeriodicBuild, number: int, state: str, *, within_seconds: float = WITHIN_SECONDS
    ) -> AppServer:
        """Wait until an AppServer of a PeriodicBuild, counted from its oldest = 1, is in a state."""
        found: list[AppServer] = []

        def check() -> AppServer | None:
            found[:] = self.app_servers(build)
            return found[number - 1] if len(found) >= number and found[number - 1].state == state else None

        what = f"AppServer {number} of {build.name} is {state}"
        return eventually(check, what, within_seconds=within_seconds, otherwise=lambda: _dump(build, *found))


def eventually(
    check: Callable[[], T | None],
    what: str,
    *,
    within_seconds: float = WITHIN_SECONDS,
    otherwise: Callable[[], str] = str,
) -> T:
    """Return the first result of check that is not None and not False; fail with what there was `otherwise`."""
    try:
        return wait_for(check, within_seconds=within_seconds, what=what)
    except ClusterError as error:
        raise AssertionError(f"{error}\n{otherwise()}") from error


def see(resource: R, holds: Callable[[R], object], what: str, *, within_seconds: float = WITHIN_SECONDS) -> R:
    """Read an object until something holds."""

    def check() -> bool:
        resource.reload()
        return bool(holds(resource))

    eventually(check, what, within_seconds=within_seconds, otherwise=lambda: _dump(resource))
    return resource


def see_gone(*resources: pykube.objects.APIObject) -> None:
    """Wait until objects no longer exist."""
    for one in resources:
        eventually(lambda one=one: not one.exists(), f"{one.kind} {one.name} is gone")  # type: ignore[misc] # a loop's variable, bound


def _dump(*resources: Resource) -> str:
    shown = [{key: one.obj.get(key) for key in ("metadata", "status")} for one in resources]
    for one in shown:
        one["metadata"].pop("managedFields", None)
    return yaml.safe_dump_all(shown)
