"""What the API says of a Service becomes a fact, whatever it says (R28)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.builders import a_build
from tests.builders.serving import NEW, OLD, a_service
from tests.loopback import json_answer, talking_to
from tests.looping import NOON

from periodicbuild.core.plans import Refused, SwitchService
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.services import Services
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.services import Service, ServiceRead

BUILD = a_build()
Answer = tuple[Any, int]


def body(server: AppServer | None = None) -> Answer:
    selector = {} if server is None else {"periodicbuild.dev/app-server": server.ref.name}
    labels = {"periodicbuild.dev/activated-by": "nightly"}
    return {"metadata": {"name": "front", "uid": "uid-front", "labels": labels}, "spec": {"selector": selector}}, 200


def no(status: int, message: str = "no") -> Answer:
    return {"kind": "Status", "code": status, "message": message}, status


def fact_after(what: Callable[[Services], Any], get: Answer, patch: Answer | None = None) -> ServiceRead:
    """Give what is remembered after something was asked for."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        content, status = get if request.method == "GET" else patch or get
        return json_answer(content, status)

    async def scenario() -> ServiceRead:
        async with talking_to(answer) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            store = Store(lambda _: None)
            clock = Clock(wall=lambda: NOON, monotonic=lambda: 1.0)
            await what(Services(session, writer, store, clock))
            fact = store.build_memory(BUILD.ref.uid).service
            assert fact is not None
            assert fact.name == "front"
            assert fact.version == BUILD.resource_version
            assert abs(fact.read_at - clock.now().steady) < timedelta(seconds=1)
            return fact

    return asyncio.run(scenario())


READS: dict[str, tuple[Answer, Service | None, Refused | None]] = {
    "there": (body(OLD), a_service(OLD), None),
    "not there": (no(404), None, None),
    "forbidden": (no(403), None, Refused.FORBIDDEN),
    "broken": (no(500), None, Refused.API_ERROR),
}


@pytest.mark.parametrize(("answer", "service", "refused"), READS.values(), ids=list(READS))
def test_a_reading_is_remembered(answer: Answer, service: Service | None, refused: Refused | None) -> None:
    fact = fact_after(lambda services: services.read("front", BUILD), answer)
    assert (fact.service, fact.refused, bool(fact.message)) == (service, refused, refused is not None)


SWITCHES: dict[str, tuple[Answer, Answer, Service | None, Refused | None]] = {
    "done": (body(OLD), body(NEW), a_service(NEW), None),
    "not as it was read": (body(), no(422), a_service(), None),
    "gone": (no(404), no(404), None, None),
    "changed at the same moment": (body(OLD), no(409), a_service(OLD), None),
    "refused for what it is": (body(OLD), no(422), a_service(OLD), Refused.FORBIDDEN),
    "forbidden": (body(OLD), no(403), None, Refused.FORBIDDEN),
    "without an answer": (body(OLD), no(503), None, Refused.API_ERROR),
}


@pytest.mark.parametrize(("get", "patch", "service", "refused"), SWITCHES.values(), ids=list(SWITCHES))
def test_what_came_of_a_switch_is_remembered(
    get: Answer, patch: Answer, service: Service | None, refused: Refused | None
) -> None:
    switch = SwitchService(service=a_service(OLD), app_server=NEW.ref.name)
    fact = fact_after(lambda services: services.switch(switch, BUILD), get, patch)
    assert (fact.service, fact.refused) == (service, refused)
