"""The session asks, and understands a real API server's refusals."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from secrets import token_hex
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.faults.effects import Drop, When
from tests.faults.script import Fault
from tests.integration.kube_support import (
    CONFIG_MAPS,
    NAMESPACES,
    PODS,
    QUOTAS,
    a_config_map,
    create_config_map,
    faulty,
    new_namespace,
    opened,
)

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.errors import (
    NO_ANSWER,
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TransientKubeError,
)
from periodicbuild.kube.paths import Kind, Target
from periodicbuild.kube.session import MERGE_PATCH, KubeSession

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.kube_support import ControlPlane

pytestmark = pytest.mark.control_plane

REVIEWS = Kind("authentication.k8s.io", "v1", "selfsubjectreviews")
SECOND_ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: rotated, namespace: kube-system}
"""


def a_pod(name: str) -> bytes:
    """Render a pod that names no service account."""
    containers = [{"name": "main", "image": "none", "resources": {"limits": {"cpu": "1"}}}]
    return msgspec.json.encode({"metadata": {"name": name}, "spec": {"containers": containers}})


async def user_of(session: KubeSession) -> str:
    """Ask the server who we are."""
    review = json.loads(await session.request("POST", REVIEWS.path(), b"{}"))
    return str(review["status"]["userInfo"]["username"])


async def refused_pod(session: KubeSession, namespace: str) -> ForbiddenError:
    """Create pods until the quota refuses one: service account and quota both take a moment to be in force."""
    async with asyncio.timeout(30):
        while True:
            try:
                await session.request("POST", PODS.path(namespace=namespace), a_pod(f"nightly-{token_hex(4)}"))
            except ForbiddenError as refusal:
                if not refusal.is_service_account_missing:
                    return refusal
            await asyncio.sleep(0.1)


def test_a_full_quota_is_recognised(control_plane: ControlPlane) -> None:
    async def scenario() -> ForbiddenError:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
            await session.request("POST", QUOTAS.path(namespace=namespace), msgspec.json.encode(quota))
            return await refused_pod(session, namespace)

    refusal = asyncio.run(scenario())
    assert refusal.is_quota_exceeded
    assert not refusal.is_namespace_terminating


def test_a_dying_namespace_is_recognised_and_then_a_missing_one(control_plane: ControlPlane) -> None:
    async def scenario() -> tuple[ForbiddenError, NotFoundError]:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            keeper = {"metadata": {"name": "keeper", "finalizers": ["periodicbuild.dev/test"]}}
            await session.request("POST", CONFIG_MAPS.path(namespace=namespace), msgspec.json.encode(keeper))
            await session.request("DELETE", NAMESPACES.path(name=namespace))
            with pytest.raises(ForbiddenError) as dying:
                await create_config_map(session, namespace, "late")
            path = CONFIG_MAPS.path(namespace=namespace, name="keeper")
            await session.request("PATCH", path, b'{"metadata": {"finalizers": null}}', MERGE_PATCH)
            with pytest.raises(NotFoundError) as gone:
                await create_config_map(session, "never-was", "late")
            return dying.value, gone.value

    dying, gone = asyncio.run(scenario())
    assert dying.is_namespace_terminating
    assert not dying.is_quota_exceeded
    assert gone.is_namespace_missing


def test_a_taken_name_and_a_stale_version_are_two_things(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            await create_config_map(session, namespace, "one")
            with pytest.raises(AlreadyExistsError):
                await create_config_map(session, namespace, "one")
            stale = b'{"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}'
            path = CONFIG_MAPS.path(namespace=namespace, name="one")
            with pytest.raises(ConflictError):
                await session.request("PATCH", path, stale, MERGE_PATCH)
            with pytest.raises(NotFoundError) as missing:
                await session.get(CONFIG_MAPS.path(namespace=namespace, name="two"))
            assert not missing.value.is_namespace_missing

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"metadata": {"name": "Bad_Name"}}', id="an invalid field, 422"),
        pytest.param(b'{"metadata": {"name": 7}}', id="a field of the wrong type, 400"),
        pytest.param(b"{", id="no JSON, 400"),
    ],
)
def test_what_can_never_be_accepted_is_invalid(control_plane: ControlPlane, body: bytes) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            with pytest.raises(InvalidError):
                await session.request("POST", CONFIG_MAPS.path(namespace="default"), body)

    asyncio.run(scenario())


def test_the_servers_clock_is_known_from_its_first_answer_on(control_plane: ControlPlane) -> None:
    async def scenario() -> tuple[datetime | None, datetime | None]:
        async with opened(control_plane.kubeconfig) as session:
            before = session.server_now()
            await session.get("/version")
            return before, session.server_now()

    before, after = asyncio.run(scenario())
    assert before is None
    assert after is not None
    assert abs(after - datetime.now(UTC)) < timedelta(seconds=5)


def test_each_request_is_reported_with_verb_resource_and_code(control_plane: ControlPlane) -> None:
    seen: list[tuple[Target, int]] = []

    async def scenario() -> None:
        credentials = await load_credentials(control_plane.kubeconfig)
        async with KubeSession(credentials, on_request=lambda target, code, _: seen.append((target, code))) as session:
            await session.get(CONFIG_MAPS.path(namespace="default"), {"limit": "1"})
            with pytest.raises(NotFoundError):
                await session.get(PODS.path(namespace="default", name="none"))

    asyncio.run(scenario())
    assert seen == [(Target("list", "configmaps", "default"), 200), (Target("get", "pods", "default", "none"), 404)]


def test_a_lost_answer_is_transient_though_the_write_was_made(control_plane: ControlPlane, tmp_path: Path) -> None:
    codes: list[int] = []

    async def scenario() -> None:
        async with faulty(control_plane.kubeconfig, tmp_path) as (proxy, session):
            namespace = await new_namespace(session)
            proxy.add(Fault(Drop(when=When.AFTER)))
            with pytest.raises(TransientKubeError) as lost:
                await session.request("POST", CONFIG_MAPS.path(namespace=namespace), a_config_map("one"))
            codes.append(lost.value.status)
            with pytest.raises(AlreadyExistsError):
                await create_config_map(session, namespace, "one")
            assert {seen.user_agent for seen in proxy.seen} == {f"periodicbuild/{version('periodicbuild')}"}

    asyncio.run(scenario())
    assert codes == [NO_ANSWER]
