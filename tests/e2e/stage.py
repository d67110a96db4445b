"""Where a test plays: namespaces of its own, objects in them, and waiting for what should become of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pykube
import yaml
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.waiting import wait_for
from tests.e2e.objects import AppServer, PeriodicBuild, Resource

WITHIN_SECONDS = 45
"""How long anything may take that the operator and one node on a busy machine do at once."""

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """One cluster with the operator in it, as its administrator sees them."""

    cluster: Cluster
    api: pykube.HTTPClient

    def new_namespaces(self, count: int, **labels: str) -> list[str]:
        """Make namespaces, and wait until pods can be created in all of them."""
        names = [f"e2e-{uuid.uuid4().hex[:10]}" for _ in range(count)]
        for name in names:
            pykube.Namespace(self.api, {"metadata": {"name": name, "labels": labels}}).create()
        for name in names:
            accounts = pykube.ServiceAccount.objects(self.api, namespace=name)
            eventually(
                lambda accounts=accounts: accounts.get_or_none(name="default"),
                f"namespace {name} has its default service account",
            )
        return names

    def new_namespace(self, **labels: str) -> str:
        """Make one."""
        return self.new_namespaces(1, **labels)[0]

    def create(self, namespace: str, name: str, spec: Mapping[str, Any]) -> PeriodicBuild:
        """Create a PeriodicBuild."""
        return PeriodicBuild.made_of(self.api, namespace, name, spec)

    def create_all(self, specs: Mapping[str, Mapping[str, Any]]) -> dict[str, PeriodicBuild]:
        """Create PeriodicBuilds that have nothing to do with each other, each in a namespace of its own."""
        namespaces = self.new_namespaces(len(specs))
        return {
            name: self.create(namespace, name.replace(" ", "-"), spec)
            for namespace, (name, spec) in zip(namespaces, specs.items(), strict=True)
        }

    def create_by_hand(self, build: PeriodicBuild, name: str, **spec: Any) -> AppServer:
        """Create an AppServer as a person does: with a reference and little else."""
        return AppServer.made_of(self.api, build.namespace, name, {"periodicBuildRef": {"name": build.name}} | spec)

    def app_servers(self, build: PeriodicBuild) -> list[AppServer]:
        """Give the AppServers that this very PeriodicBuild controls, in the order of their names: by slot and attempt."""
        everything = AppServer.objects(self.api, namespace=build.namespace)
        return sorted((one for one in everything if one.controller_uid == build.uid), key=lambda one: str(one.name))

    def pods(self, namespace: str) -> list[pykube.Pod]:
        """Give the pods of a namespace, in the order of their names."""
        return sorted(pykube.Pod.objects(self.api, namespace=namespace), key=lambda pod: str(pod.name))

    def reasons(self, namespace: str) -> list[str]:
        """Give the reasons of our Events in a namespace, oldest first."""
        listed = self.api.get(url="events", version="events.k8s.io/v1", namespace=namespace)
        listed.raise_for_status()
        ours = [one for one in listed.json()["items"] if one.get("reportingController") == "periodicbuild.dev/operator"]
        return [str(one["reason"]) for one in sorted(ours, key=lambda one: one["eventTime"])]

    def attempt(
        self, build: PeriodicBuild, number: int, state: str, *, within_seconds: float = WITHIN_SECONDS
    ) -> AppServer:
        """Wait until the so-manieth AppServer of a PeriodicBuild (1 = the first) is in a state."""
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


def _dump(*resources: Resource) -> str:
    shown = [{key: one.obj.get(key) for key in ("metadata", "status")} for one in resources]
    for one in shown:
        one["metadata"].pop("managedFields", None)
    return yaml.safe_dump_all(shown)
