"""The Lease at the end of a process, where the API server has carried out what it has not answered."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.loopback import eventually, is_list_by_watch, json_answer, no_list_by_watch, talking_to

from periodicbuild.kube.election import Election, ElectionSettings

if TYPE_CHECKING:
    from aiohttp import web

    from periodicbuild.kube.session import KubeSession

ONE = "one"
ANOTHER = "another"
BY_SOMEBODY_ELSE = "2026-11-29T08:00:00.000000Z"
"""A mark that is none of ours."""
RENEWAL = 2
"""The first write takes the Lease."""


class LeaseServer:
    """An API server with one Lease, which carries a renewal out and never answers."""

    def __init__(self, *, answers_reads: bool = True) -> None:
        self.version = 1
        self.spec: dict[str, Any] = {}
        self.patches = 0
        """Those that were carried out."""
        self._answers_reads = answers_reads

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer as an API server does, apart from what it has lost."""
        if is_list_by_watch(request):
            return no_list_by_watch()
        if "watch" in request.query:
            await asyncio.Event().wait()
        if "fieldSelector" in request.query:
            return json_answer({"metadata": {"resourceVersion": str(self.version)}, "items": [self.lease]})
        if request.method == "PATCH":
            return await self._patch(msgspec.json.decode(await request.read()))
        if self.patches and not self._answers_reads:
            await asyncio.Event().wait()
        return json_answer(self.lease)

    async def _patch(self, patch: dict[str, Any]) -> web.StreamResponse:
        if patch["metadata"]["resourceVersion"] != str(self.version):
            return json_answer({"kind": "Status", "code": 409, "reason": "Conflict"}, HTTPStatus.CONFLICT)
        self.write(**patch["spec"])
        self.patches += 1
        if self.patches == RENEWAL:
            await asyncio.Event().wait()
        return json_answer(self.lease)

    def write(self, **spec: Any) -> None:
        """Change it."""
        self.version += 1
        self.spec |= spec

    @property
    def lease(self) -> dict[str, Any]:
        """Give it as it is."""
        return {"metadata": {"name": "periodicbuild", "resourceVersion": str(self.version)}, "spec": self.spec}


async def ended_in_a_renewal(server: LeaseServer, session: KubeSession) -> Election:
    """Give an election whose process is told to end while a renewal has no answer yet."""
    settings = ElectionSettings(namespace="builds", name="periodicbuild", identity=ONE, duration_seconds=1)
    election = Election(session, settings, now=lambda: datetime.now(UTC))
    running = asyncio.create_task(election.run())
    await eventually(lambda: server.patches == RENEWAL)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return election


def test_a_lease_whose_renewal_was_never_answered_is_given_back() -> None:
    server = LeaseServer()

    async def scenario() -> None:
        async with talking_to(server.answer) as (_, session):
            election = await ended_in_a_renewal(server, session)
            assert server.spec["holderIdentity"] == ONE
            await election.release()
            assert (server.spec["holderIdentity"], election.is_leading) == (None, False)

    asyncio.run(scenario())


@pytest.mark.parametrize("holder", [ANOTHER, ONE], ids=["another", "a namesake"])
def test_a_lease_that_somebody_else_has_taken_meanwhile_is_left_alone(holder: str) -> None:
    server = LeaseServer()

    async def scenario() -> None:
        async with talking_to(server.answer) as (_, session):
            election = await ended_in_a_renewal(server, session)
            server.write(holderIdentity=holder, renewTime=BY_SOMEBODY_ELSE)
            taken = server.lease
            await election.release()
            assert server.lease == taken

    asyncio.run(scenario())


def test_giving_it_back_takes_no_longer_than_it_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.kube.election.RELEASE_SECONDS", 0.2)
    server = LeaseServer(answers_reads=False)

    async def scenario() -> None:
        async with talking_to(server.answer) as (_, session):
            election = await ended_in_a_renewal(server, session)
            began = time.monotonic()
            await election.release()
            assert 0.2 <= time.monotonic() - began < 2

    asyncio.run(scenario())
