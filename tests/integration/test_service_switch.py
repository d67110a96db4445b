"""The one patch that switches a Service, on a real API server: what happens between reading and patching (R28)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.faults.effects import Drop, When
from tests.faults.script import Fault
from tests.integration.action_scenes import ActionScene, play_in

from periodicbuild.core.plans import ReadService, Refused, SwitchService
from periodicbuild.kube.kinds import SERVICES
from periodicbuild.kube.session import MERGE_PATCH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.cluster.cluster import Cluster

    from periodicbuild.core.services import Service, ServiceRead

pytestmark = pytest.mark.control_plane

LABEL = "periodicbuild.dev/activated-by"
OURS = "periodicbuild.dev/app-server"
PORTS = [{"name": "http", "port": 80, "targetPort": 8080}]


class Scene(ActionScene):
    """One Service, and what the operator does with it through a proxy."""

    @property
    def _path(self) -> str:
        return SERVICES.path(namespace=self.build.ref.namespace)

    async def create(self, **spec: Any) -> None:
        """Create the Service."""
        labels = {LABEL: self.build.ref.name}
        body = {"metadata": {"name": "front", "labels": labels}, "spec": {"ports": PORTS} | spec}
        await self.session.request("POST", self._path, msgspec.json.encode(body))

    async def delete(self) -> None:
        """Delete it."""
        await self.session.request("DELETE", f"{self._path}/front")

    async def change(self, **parts: Any) -> None:
        """Change it by a merge patch, as somebody else does."""
        await self.session.request("PATCH", f"{self._path}/front", msgspec.json.encode(parts), MERGE_PATCH)

    async def spec(self) -> Any:
        """Give the part of its spec that somebody has written."""
        stored = msgspec.json.decode(await self.session.get(f"{self._path}/front"))["spec"]
        return {name: stored.get(name) for name in ("ports", "selector")}

    async def read(self) -> Service:
        """Read it as the operator does."""
        await self.actions.for_build(ReadService(name="front"), self.build)
        assert self.fact.service is not None
        return self.fact.service

    async def switch(self, service: Service, to: str = "nightly-1") -> None:
        """Switch it as the operator does."""
        await self.actions.for_build(SwitchService(service=service, app_server=to), self.build)

    @property
    def fact(self) -> ServiceRead:
        """Give what the operator knows then."""
        fact = self.store.build_memory(self.build.ref.uid).service
        assert fact is not None
        return fact


def play(cluster: Cluster, folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    play_in(Scene, cluster, folder, scenario)


BEFORE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "something else": {"selector": {"app": "web", "tier": "front"}},
    "another server of ours": {"selector": {OURS: "nightly-0"}},
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=list(BEFORE))
def test_the_selector_is_replaced_and_nothing_else(
    control_plane: Cluster, tmp_path: Path, before: dict[str, Any]
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.create(**before)
        was = await scene.spec()
        await scene.switch(await scene.read())
        assert await scene.spec() == was | {"selector": {OURS: "nightly-1"}}
        assert scene.fact.service is not None
        assert (scene.fact.service.app_server, scene.fact.refused) == ("nightly-1", None)

    play(control_plane, tmp_path, scenario)


CHANGES: dict[str, dict[str, Any]] = {
    "points it elsewhere": {"spec": {"selector": {"app": "web"}}},
    "takes the consent back": {"metadata": {"labels": {LABEL: None}}},
    "lets another have it": {"metadata": {"labels": {LABEL: "hourly"}}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_nothing_is_switched_if_somebody_meanwhile(
    control_plane: Cluster, tmp_path: Path, change: dict[str, Any]
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.create()
        service = await scene.read()
        await scene.change(**change)
        was = await scene.spec()
        await scene.switch(service)
        assert await scene.spec() == was
        assert scene.fact.service not in {None, service}
        assert scene.fact.refused is None

    play(control_plane, tmp_path, scenario)


def test_what_does_not_matter_may_change_meanwhile(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.create()
        service = await scene.read()
        await scene.change(metadata={"labels": {"version": "2"}}, spec={"sessionAffinity": "ClientIP"})
        await scene.switch(service)
        assert (await scene.spec())["selector"] == {OURS: "nightly-1"}

    play(control_plane, tmp_path, scenario)


def test_one_that_was_deleted_meanwhile_is_not_there(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.create()
        service = await scene.read()
        await scene.delete()
        await scene.switch(service)
        assert (scene.fact.service, scene.fact.refused) == (None, None)

    play(control_plane, tmp_path, scenario)


def test_one_that_was_made_anew_meanwhile_is_another(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.create()
        service = await scene.read()
        await scene.delete()
        await scene.create()
        await scene.switch(service)
        assert (await scene.spec())["selector"] is None
        assert scene.fact.service is not None
        assert scene.fact.service.uid != service.uid

    play(control_plane, tmp_path, scenario)


def test_a_switch_whose_answer_is_lost_shows_when_the_service_is_read(control_plane: Cluster, tmp_path: Path) -> None:
    """R42: as after a crash."""

    async def scenario(scene: Scene) -> None:
        await scene.create()
        service = await scene.read()
        scene.proxy.add(Fault(Drop(when=When.AFTER)))
        await scene.switch(service)
        assert (scene.fact.service, scene.fact.refused) == (None, Refused.API_ERROR)
        assert (await scene.read()).app_server == "nightly-1"

    play(control_plane, tmp_path, scenario)


def test_a_refusal_is_remembered_with_its_words(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.create()
        service = await scene.read()
        await scene.switch(service, to="no label: value")
        assert (scene.fact.service, scene.fact.refused) == (service, Refused.FORBIDDEN)
        assert "spec.selector" in scene.fact.message

    play(control_plane, tmp_path, scenario)
