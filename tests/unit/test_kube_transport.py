"""A session between us and a server that answers badly, slowly, or not at all."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from tests.cluster.certificates import Authority
from tests.loopback import DEADLINE_SECONDS, TOKEN, Loopback, credentials_for, json_answer, talking_to

from periodicbuild.kube.connector import UNACKNOWLEDGED_SECONDS, impatient_socket
from periodicbuild.kube.credentials import REFUSED_REREAD_EVERY_SECONDS, REREAD_EVERY_SECONDS
from periodicbuild.kube.errors import NO_ANSWER, KubeError, TransientKubeError
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

PATH = "/api/v1/namespaces/team-a/pods"


async def page_of_a_balancer(_: web.BaseRequest) -> web.StreamResponse:
    """Answer as a load balancer without a server behind it."""
    return web.Response(status=502, body=b"<html>" + b"Bad Gateway \xff" * 1000, content_type="text/html")


async def half_an_answer(request: web.BaseRequest) -> web.StreamResponse:
    """Promise more than is sent."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"kind":')
    assert request.transport is not None
    request.transport.close()
    return response


async def no_http(request: web.BaseRequest) -> web.StreamResponse:
    """Send something that is no HTTP."""
    assert request.transport is not None
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    request.transport.close()
    return web.Response()


async def nothing(_: web.BaseRequest) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(page_of_a_balancer, 502, id="an error page that is no JSON and no UTF-8"),
        pytest.param(half_an_answer, NO_ANSWER, id="an answer that is cut in the middle"),
        pytest.param(no_http, NO_ANSWER, id="an answer that is no HTTP"),
        pytest.param(nothing, NO_ANSWER, id="no answer in time"),
    ],
)
def test_whatever_goes_wrong_on_the_way_is_transient_and_gives_no_token_away(
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("periodicbuild.kube.session.REQUEST_TIMEOUT", aiohttp.ClientTimeout(total=1))

    async def scenario() -> TransientKubeError:
        async with talking_to(answer) as (_, session):
            with pytest.raises(TransientKubeError) as failure:
                await session.request("POST", PATH, b"{}")
            return failure.value

    failure = asyncio.run(scenario())
    assert failure.status == status
    assert len(str(failure)) < 500
    assert TOKEN not in f"{failure} {failure!r} {failure.__cause__!r}"


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        pytest.param({}, {"Retry-After": "7"}, 7.0, id="in the header"),
        pytest.param({"details": {"retryAfterSeconds": 3}}, {}, 3.0, id="in the body"),
        pytest.param({"details": {"retryAfterSeconds": 3}}, {"Retry-After": "7"}, 7.0, id="in both"),
        pytest.param({}, {"Retry-After": "Wed, 25 Nov 2026 04:00:00 GMT"}, None, id="as a date, which a proxy sends"),
        pytest.param({}, {}, None, id="nowhere"),
    ],
)
def test_a_servers_wish_for_patience_is_read(
    body: dict[str, object], headers: dict[str, str], expected: float | None
) -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        refusal = json_answer(body, 429)
        refusal.headers.update(headers)
        return refusal

    async def scenario() -> float | None:
        async with talking_to(answer) as (_, session):
            with pytest.raises(TransientKubeError) as refusal:
                await session.get(PATH)
            return refusal.value.retry_after

    assert asyncio.run(scenario()) == expected


def test_no_token_follows_a_redirect() -> None:
    seen: list[str] = []

    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return json_answer({})

    async def scenario() -> None:
        async with Loopback(elsewhere) as other:

            async def redirect(_: web.BaseRequest) -> web.StreamResponse:
                return web.Response(status=307, headers={"Location": other.url})

            async with talking_to(redirect) as (_, session):
                with pytest.raises(KubeError, match="307"):
                    await session.get(PATH)

    asyncio.run(scenario())
    assert seen == []


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        pytest.param("Tue, 24 Nov 2026 12:00:00 GMT", datetime(2026, 11, 24, 12, tzinfo=UTC), id="as HTTP has it"),
        pytest.param("Tue, 24 Nov 2026 12:00:00 -0000", datetime(2026, 11, 24, 12, tzinfo=UTC), id="without a zone"),
        pytest.param("Tue, 24 Nov 2026 14:00:00 +0200", datetime(2026, 11, 24, 12, tzinfo=UTC), id="in another zone"),
        pytest.param("the day before yesterday", None, id="no date at all"),
        pytest.param("Tue, 24 Nov 99999 12:00:00 GMT", None, id="a year that no calendar has"),
    ],
)
def test_the_servers_clock_is_read_from_what_it_says(date: str, expected: datetime | None) -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({}, Date=date)

    async def scenario() -> datetime | None:
        async with talking_to(answer) as (_, session):
            await session.get(PATH)
            return session.server_now()

    now = asyncio.run(scenario())
    if expected is None:
        assert now is None
    else:
        assert now is not None
        assert timedelta(0) <= now - expected < timedelta(minutes=1)


@asynccontextmanager
async def speaking_tls(folder: Path, authority: Authority, host: str) -> AsyncIterator[Loopback]:
    """Open a server with a certificate for a host."""
    certificate, key = authority.issue("server", hosts=[host]).write(folder, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({})

    async with Loopback(answer, tls=context) as server:
        yield server


@pytest.mark.parametrize(
    ("is_ours", "host", "is_trusted"),
    [
        pytest.param(True, "127.0.0.1", True, id="our authority, the right host"),
        pytest.param(True, "10.0.0.1", False, id="our authority, another host"),
        pytest.param(False, "127.0.0.1", False, id="another authority"),
    ],
)
def test_only_a_server_with_a_certificate_of_our_authority_sees_the_token(
    tmp_path: Path, host: str, *, is_ours: bool, is_trusted: bool
) -> None:
    ours, others = Authority.create(), Authority.create()
    ca_file = ours.write(tmp_path / "ours")

    async def scenario() -> int:
        async with (
            speaking_tls(tmp_path, ours if is_ours else others, host) as server,
            KubeSession(await credentials_for(server.url, ca_file)) as session,
        ):
            if is_trusted:
                await session.get(PATH)
            else:
                with pytest.raises(TransientKubeError, match="certificate verify failed"):
                    await session.get(PATH)
            return len(server.requests)

    assert asyncio.run(scenario()) == (1 if is_trusted else 0)


def test_another_authority_in_the_file_takes_the_place_of_the_old_one_when_that_does_not_know_the_server(
    tmp_path: Path,
) -> None:
    old, new = Authority.create(), Authority.create()
    ca_file, now = old.write(tmp_path / "trusted"), [1000.0]

    async def scenario() -> None:
        async with (
            speaking_tls(tmp_path / "old", old, "127.0.0.1") as before,
            speaking_tls(tmp_path / "new", new, "127.0.0.1") as after,
            KubeSession(await credentials_for(before.url, ca_file, monotonic=lambda: now[0])) as session_before,
            KubeSession(await credentials_for(after.url, ca_file, monotonic=lambda: now[0])) as session_after,
        ):
            await session_before.get(PATH)
            with pytest.raises(TransientKubeError, match="certificate verify failed"):
                await session_after.get(PATH)
            new.write(tmp_path / "trusted")
            now[0] += REFUSED_REREAD_EVERY_SECONDS
            await session_after.get(PATH)
            now[0] += REREAD_EVERY_SECONDS
            with pytest.raises(TransientKubeError, match="certificate verify failed"):
                await session_before.get(PATH)

    asyncio.run(scenario())


def test_a_handshake_that_never_ends_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    """A load balancer accepts connections for a server that is away, and says nothing; SIGTERM works all the same."""
    ca_file = Authority.create().write(tmp_path)

    async def scenario() -> float:
        is_connected = asyncio.Event()

        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            is_connected.set()
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with silent, KubeSession(await credentials_for(url, ca_file)) as session:
            asking = asyncio.create_task(session.get(PATH))
            await asyncio.wait_for(is_connected.wait(), DEADLINE_SECONDS)
            asking.cancel()
            await asyncio.wait({asking})
            began = time.monotonic()
            await session.__aexit__(None, None, None)
            return time.monotonic() - began

    assert asyncio.run(scenario()) < 2


def test_what_does_not_arrive_soon_never_does() -> None:
    """Else a write of a leader that was cut off would come out of the network in another one's term."""
    made = impatient_socket((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 443)))
    with made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNACKNOWLEDGED_SECONDS * 1000
