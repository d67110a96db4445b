"""Credentials are on loan: read again when old or refused, never shown, and the same for kopf as for us."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cluster.certificates import Authority
from tests.loopback import TOKEN, Loopback, json_answer

from periodicbuild.kube.credentials import REFUSED_REREAD_EVERY_SECONDS, REREAD_EVERY_SECONDS, load_credentials
from periodicbuild.kube.errors import CredentialsError
from periodicbuild.kube.session import KubeSession
from periodicbuild.wiring.handlers import connection_of

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

EXEC_VERSION = "client.authentication.k8s.io/v1"
LATER = "2200-01-01T00:00:00Z"


def a_kubeconfig(folder: Path, user: dict[str, object], **cluster: object) -> Path:
    """Write a kubeconfig."""
    path = folder / "kubeconfig.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "it",
                "clusters": [{"name": "it", "cluster": {"server": "https://127.0.0.1:1", **cluster}}],
                "users": [{"name": "it", "user": user}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            }
        )
    )
    return path


def a_plug_in(folder: Path) -> tuple[dict[str, object], Path]:
    """Give a user who logs in with a program that prints a file, and that file."""
    answer, program = folder / "answer.json", folder / "plug-in"
    program.write_text(f"#!/bin/sh\necho run >>{folder}/runs\ncat {answer}\n")
    program.chmod(stat.S_IRWXU)
    return {"exec": {"apiVersion": EXEC_VERSION, "command": str(program), "interactiveMode": "Never"}}, answer


def an_answer(token: str) -> str:
    """Render what a plug-in prints: a token that is good for a long time."""
    status = {"token": token, "expirationTimestamp": LATER}
    return json.dumps({"apiVersion": EXEC_VERSION, "kind": "ExecCredential", "status": status})


def test_a_plug_in_is_not_run_again_while_what_it_gave_is_good(tmp_path: Path) -> None:
    user, answer = a_plug_in(tmp_path)
    answer.write_text(an_answer("one"))
    now = [1000.0]

    async def scenario() -> str | None:
        credentials = await load_credentials(a_kubeconfig(tmp_path, user), monotonic=lambda: now[0])
        now[0] += REREAD_EVERY_SECONDS
        return await credentials.authorization()

    assert asyncio.run(scenario()) == "Bearer one"
    assert (tmp_path / "runs").read_text().count("run") == 1


def test_a_plug_in_is_run_again_when_what_it_gave_is_refused(tmp_path: Path) -> None:
    """A token may be revoked long before it expires."""
    user, answer = a_plug_in(tmp_path)
    answer.write_text(an_answer("revoked"))
    now = [1000.0]

    async def only_with_the_new_one(request: web.BaseRequest) -> web.StreamResponse:
        return json_answer({}, 200 if request.headers.get("Authorization") == "Bearer new" else 401)

    async def scenario() -> None:
        async with Loopback(only_with_the_new_one) as server:
            kubeconfig = a_kubeconfig(tmp_path, user, server=server.url)
            credentials = await load_credentials(kubeconfig, monotonic=lambda: now[0])
            async with KubeSession(credentials) as session:
                answer.write_text(an_answer("new"))
                now[0] += REFUSED_REREAD_EVERY_SECONDS
                await session.get("/version")

    asyncio.run(scenario())


def test_a_plug_in_that_fails_leaves_the_old_token_in_force(tmp_path: Path) -> None:
    user, answer = a_plug_in(tmp_path)
    answer.write_text(an_answer("one"))
    now = [1000.0]

    async def scenario() -> tuple[bool, str | None]:
        credentials = await load_credentials(a_kubeconfig(tmp_path, user), monotonic=lambda: now[0])
        answer.write_text("not logged in")
        now[0] += REFUSED_REREAD_EVERY_SECONDS
        return await credentials.renew("Bearer one"), await credentials.authorization()

    assert asyncio.run(scenario()) == (False, "Bearer one")


def test_requests_refused_together_are_one_reason_to_read_again(tmp_path: Path) -> None:
    user, answer = a_plug_in(tmp_path)
    answer.write_text(an_answer("one"))
    now = [1000.0]

    async def scenario() -> list[bool]:
        credentials = await load_credentials(a_kubeconfig(tmp_path, user), monotonic=lambda: now[0])
        answer.write_text(an_answer("two"))
        now[0] += REFUSED_REREAD_EVERY_SECONDS
        return await asyncio.gather(*(credentials.renew("Bearer one") for _ in range(32)))

    assert asyncio.run(scenario()) == [True] * 32
    assert (tmp_path / "runs").read_text().count("run") == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"users:\n- user: {{token: {TOKEN}\n  name: x", id="a bracket that is not closed"),
        pytest.param(f"users: [\n\ttoken: {TOKEN}", id="a tab"),
        pytest.param(f"{TOKEN}", id="no mapping"),
        pytest.param(f"clusters: {TOKEN}\nusers: {TOKEN}\ncontexts: {TOKEN}\ncurrent-context: it\n", id="no lists"),
    ],
)
def test_a_broken_kubeconfig_is_named_and_not_quoted(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kubeconfig.yaml"
    path.write_text(text)
    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsError, match=r"kubeconfig\.yaml") as refusal:
        asyncio.run(load_credentials(path))
    assert TOKEN not in f"{refusal.value!r} {refusal.value} {caplog.text}"


@pytest.mark.parametrize(
    ("user", "why"),
    [
        pytest.param({}, "neither a token nor a client certificate", id="nobody"),
        pytest.param({"tokenFile": "/nowhere/token"}, "/nowhere/token", id="a token file that is not there"),
        pytest.param(
            {"exec": {"apiVersion": EXEC_VERSION, "command": "/nowhere/plug-in", "interactiveMode": "Never"}},
            "run that by hand",
            id="a plug-in that is not there",
        ),
        pytest.param(
            {"client-certificate": "/nowhere/crt", "client-key": "/nowhere/key"}, "/nowhere", id="no such key"
        ),
    ],
)
def test_who_cannot_log_in_is_told_why(tmp_path: Path, user: dict[str, object], why: str) -> None:
    with pytest.raises(CredentialsError, match=why):
        asyncio.run(load_credentials(a_kubeconfig(tmp_path, user)))


def test_kopf_logs_in_as_we_do_with_a_client_certificate(tmp_path: Path) -> None:
    authority = Authority.create()
    ca_file = authority.write(tmp_path)
    certificate, key = authority.issue("ops").write(tmp_path, "ops")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    kubeconfig = a_kubeconfig(tmp_path, dict(user), **{"certificate-authority": str(ca_file)})

    async def scenario() -> tuple[object, ...]:
        info = await connection_of(await load_credentials(kubeconfig))
        return info.server, info.ca_path, info.certificate_path, info.private_key_path, info.token, bool(info.insecure)

    paths = tuple(os.fspath(path) for path in (ca_file, certificate, key))
    assert asyncio.run(scenario()) == ("https://127.0.0.1:1", *paths, None, False)


@pytest.mark.parametrize("is_insecure", [False, True])
def test_kopf_verifies_certificates_exactly_if_we_do_and_whoever_turns_it_off_is_warned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, is_insecure: bool
) -> None:
    kubeconfig = a_kubeconfig(tmp_path, {"token": "t"}, **{"insecure-skip-tls-verify": is_insecure})

    async def scenario() -> tuple[bool, str, str | None, str | None]:
        info = await connection_of(await load_credentials(kubeconfig))
        return bool(info.insecure), str(info.as_ssl_context().verify_mode.name), info.scheme, str(info.token)

    expected = (is_insecure, "CERT_NONE" if is_insecure else "CERT_REQUIRED", "Bearer", "t")
    assert asyncio.run(scenario()) == expected
    assert len(caplog.records) == is_insecure


def test_kopf_goes_through_the_proxy_that_we_go_through(tmp_path: Path) -> None:
    kubeconfig = a_kubeconfig(tmp_path, {"token": "t"}, **{"proxy-url": "http://127.0.0.1:3128"})

    async def scenario() -> str | None:
        return (await connection_of(await load_credentials(kubeconfig))).proxy_url

    assert asyncio.run(scenario()) == "http://127.0.0.1:3128"
