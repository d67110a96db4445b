"""A create whose answer is lost: what became of it is found out before its slot can get another fate (R22)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.faults.effects import Drop, Refuse, When
from tests.faults.script import Fault
from tests.integration.action_scenes import ActionScene, play_in
from tests.schema.manifests import TEMPLATE

from periodicbuild.core.facts import TemplateJson, Timeouts
from periodicbuild.core.intervals import parse_interval
from periodicbuild.core.plans import CancelAppServer, ConfirmAbsence, CreateAppServer, Refused
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import Trigger
from periodicbuild.kube.kinds import APP_SERVERS
from periodicbuild.kube.parse import app_server_from_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.cluster.cluster import Cluster


pytestmark = pytest.mark.control_plane

CREATE = CreateAppServer(
    name="nightly-20261124-023000-1",
    run="20261124-023000",
    attempt=1,
    trigger=Trigger.SCHEDULE,
    slot=datetime(2026, 11, 24, 2, 30, tzinfo=UTC),
    epoch=1,
    succeed_when=SucceedWhen.READY,
    timeouts=Timeouts(waiting=parse_interval("1h"), configuring=parse_interval("1h")),
    template=TemplateJson(msgspec.json.encode(TEMPLATE)),
)
CONFIRM = ConfirmAbsence(kind="AppServer", name=CREATE.name, uid=None)


class Scene(ActionScene):
    """One PeriodicBuild, and what the operator does for it through a proxy."""

    async def act(self, action: CreateAppServer | ConfirmAbsence | CancelAppServer) -> None:
        """Carry out one action."""
        await self.actions.for_build(action, self.build)

    @property
    def refusal(self) -> Refused | None:
        """Give what is remembered of the create."""
        known = self.store.build_memory(self.build.ref.uid).refusals.get(CREATE.name)
        return None if known is None else known.kind

    @property
    def is_known(self) -> bool:
        """Tell whether the operator knows of the AppServer."""
        return (self.build.ref.namespace, CREATE.name) in self.store.app_servers


def play(cluster: Cluster, folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    play_in(Scene, cluster, folder, scenario)


def test_a_create_that_was_done_is_found(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Drop(when=When.AFTER)))
        await scene.act(CREATE)
        assert (scene.refusal, scene.is_known) == (Refused.UNANSWERED, False)
        await scene.act(CONFIRM)
        assert (scene.refusal, scene.is_known) == (None, True)

    play(control_plane, tmp_path, scenario)


def test_a_create_that_was_not_done_is_an_error_like_any_other(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Refuse(status=503)))
        await scene.act(CREATE)
        assert (scene.refusal, scene.is_known) == (Refused.UNANSWERED, False)
        await scene.act(CONFIRM)
        assert (scene.refusal, scene.is_known) == (Refused.API_ERROR, False)
        await scene.act(CREATE)
        assert (scene.refusal, scene.is_known) == (None, True)

    play(control_plane, tmp_path, scenario)


def test_an_attempt_that_is_replaced_is_cancelled_once_and_only_by_its_uid(
    control_plane: Cluster, tmp_path: Path
) -> None:
    """R16."""

    async def scenario(scene: Scene) -> None:
        await scene.act(CREATE)
        server = scene.store.app_servers[scene.build.ref.namespace, CREATE.name]
        await scene.act(CancelAppServer(name=CREATE.name, uid="another"))
        path = APP_SERVERS.path(namespace=scene.build.ref.namespace, name=CREATE.name)
        assert not app_server_from_json(await scene.session.get(path)).cancelled
        await scene.act(CancelAppServer(name=CREATE.name, uid=server.ref.uid))
        assert scene.store.app_servers[scene.build.ref.namespace, CREATE.name].cancelled
        assert app_server_from_json(await scene.session.get(path)).cancelled

    play(control_plane, tmp_path, scenario)
