"""The session logs in to a real API server: with tokens that are refused, rotated, lost, or asked of a plug-in."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cluster.certificates import Authority, replace_private
from tests.cluster.cluster import LocalCluster
from tests.integration.kube_support import DEADLINE_SECONDS, opened

from periodicbuild.kube.credentials import REFUSED_REREAD_EVERY_SECONDS, REREAD_EVERY_SECONDS, load_credentials
from periodicbuild.kube.errors import TransientKubeError
from periodicbuild.kube.paths import Kind
from periodicbuild.kube.session import CONNECTIONS, KubeSession

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.integration.kube_support import ControlPlane

pytestmark = pytest.mark.control_plane

REVIEWS = Kind("authentication.k8s.io", "v1", "selfsubjectreviews")
SECOND_ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: rotated, namespace: kube-system}
"""


async def user_of(session: KubeSession) -> str:
    """Ask the server who we are."""
    review = json.loads(await session.request("POST", REVIEWS.path(), b"{}"))
    return str(review["status"]["userInfo"]["username"])


def test_a_refused_token_is_read_again_and_the_request_repeated(control_plane: ControlPlane, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-that-has-expired\n")
    kubeconfig = _with_token_file(control_plane, tmp_path, token)

    async def scenario() -> str:
        async with opened(kubeconfig) as session:
            with pytest.raises(TransientKubeError, match="401"):
                await user_of(session)
            await asyncio.sleep(1.1)  # the credentials are read at most once a second, however often they are refused
            token.write_text(_token(control_plane, "default") + "\n")
            return await user_of(session)

    assert asyncio.run(scenario()) == "system:serviceaccount:kube-system:default"


def test_a_rotated_token_is_taken_up_within_a_minute(control_plane: ControlPlane, tmp_path: Path) -> None:
    control_plane.kubectl("apply", "-f", "-", input=SECOND_ACCOUNT)
    token = tmp_path / "token"
    token.write_text(_token(control_plane, "default"))
    kubeconfig = _with_token_file(control_plane, tmp_path, token)
    now = [1000.0]

    async def scenario() -> list[str]:
        credentials = await load_credentials(kubeconfig, monotonic=lambda: now[0])
        async with KubeSession(credentials) as session:
            users = [await user_of(session)]
            token.write_text(_token(control_plane, "rotated"))
            users.append(await user_of(session))
            now[0] += REREAD_EVERY_SECONDS
            return [*users, await user_of(session)]

    names = [user.rpartition(":")[2] for user in asyncio.run(scenario())]
    assert names == ["default", "default", "rotated"]


def test_a_token_file_that_vanishes_leaves_the_old_token_in_force(
    control_plane: ControlPlane, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = tmp_path / "token"
    token.write_text(_token(control_plane, "default"))
    kubeconfig = _with_token_file(control_plane, tmp_path, token)
    now = [1000.0]

    async def scenario() -> None:
        async with KubeSession(await load_credentials(kubeconfig, monotonic=lambda: now[0])) as session:
            token.unlink()
            for _ in range(3):
                now[0] += REREAD_EVERY_SECONDS
                await user_of(session)

    asyncio.run(scenario())
    assert len(caplog.records) == 1


def test_a_client_certificate_that_is_refused_is_read_again_and_the_old_connections_are_left(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    assert isinstance(control_plane, LocalCluster)
    old, new = Authority.create(), Authority.create()
    files = old.issue("rotated").write(tmp_path, "client")
    kubeconfig = _with_user(control_plane, tmp_path, {"client-certificate": str(files[0]), "client-key": str(files[1])})

    now = [1000.0]

    async def is_known() -> bool:
        async with opened(kubeconfig) as another:
            with suppress(TransientKubeError):
                return await user_of(another) == "rotated"
        return False

    async def until_believed(*, is_it: bool) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await is_known() is not is_it:  # noqa: ASYNC110 - it is elsewhere
                await asyncio.sleep(0.05)

    async def scenario() -> list[str]:
        control_plane.believe(old)
        await until_believed(is_it=True)
        async with KubeSession(await load_credentials(kubeconfig, monotonic=lambda: now[0])) as session:
            await asyncio.gather(*(user_of(session) for _ in range(CONNECTIONS)))
            control_plane.believe(new)
            await until_believed(is_it=False)
            pair = new.issue("rotated")
            for name, content in zip(files, (pair.certificate, pair.key), strict=True):
                replace_private(name, content)
            now[0] += REFUSED_REREAD_EVERY_SECONDS
            return await asyncio.gather(*(user_of(session) for _ in range(CONNECTIONS)))

    try:
        assert asyncio.run(scenario()) == ["rotated"] * CONNECTIONS
    finally:
        control_plane.believe()


def test_an_exec_plug_in_gives_the_token(control_plane: ControlPlane, tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": _token(control_plane, "default")},
    }
    plug_in = tmp_path / "plug-in"
    plug_in.write_text(f"#!/bin/sh\ncat <<'JSON'\n{json.dumps(credential)}\nJSON\n")
    plug_in.chmod(stat.S_IRWXU)
    user = {"exec": {"apiVersion": credential["apiVersion"], "command": str(plug_in), "interactiveMode": "Never"}}

    async def scenario() -> str:
        async with opened(_with_user(control_plane, tmp_path, user)) as session:
            return await user_of(session)

    assert asyncio.run(scenario()) == "system:serviceaccount:kube-system:default"


def test_nobody_listening_is_transient(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "nobody.yaml"
    # Port 1 of loopback is reserved and never open here.
    kubeconfig.write_text(yaml.safe_dump(_one_of("http://127.0.0.1:1", {})))

    async def scenario() -> None:
        async with opened(kubeconfig) as session:
            with pytest.raises(TransientKubeError, match="no answer"):
                await session.get("/version")

    asyncio.run(scenario())


def _token(control_plane: ControlPlane, name: str) -> str:
    return control_plane.kubectl("create", "token", name, "-n", "kube-system").strip()


def _with_token_file(control_plane: ControlPlane, folder: Path, token: Path) -> Path:
    return _with_user(control_plane, folder, {"tokenFile": os.fspath(token)})


def _with_user(control_plane: ControlPlane, folder: Path, user: Mapping[str, object]) -> Path:
    """Take the cluster's address from the administrator's kubeconfig, and another user."""
    admin = yaml.safe_load(control_plane.kubeconfig.read_text())
    path = folder / "user.yaml"
    path.write_text(
        yaml.safe_dump({**admin, "users": [{"name": entry["name"], "user": user} for entry in admin["users"]]})
    )
    return path


def _one_of(server: str, user: Mapping[str, object]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
