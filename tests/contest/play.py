"""Play one turn: prepare, let the minutes pass, see what came of them.

The one idea a newcomer would miss: most of the time nothing happens here, since a CronJob has no shorter period than a
minute.  All that is measured is measured by others: by a watch, the server's audit log, the kernel.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from tests.bench.audit import Trail
from tests.bench.client import Call, send_all
from tests.bench.cron_jobs import EVENTS, times_told
from tests.bench.objects import names
from tests.contest.attendance import Attendant
from tests.contest.contestants import ONCE_A_YEAR
from tests.contest.ground import clear, namespace_names
from tests.contest.passing import full_minute_in, pass_until
from tests.contest.scenarios import WARM_UP
from tests.contest.script import Script
from tests.contest.slots import Slots, cron_expression, minutes_from
from tests.contest.stage import ContestError, Played, turn_of
from tests.contest.world import World, living

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contest.stage import Stage
    from tests.contest.turns import Turn

READY_BEFORE = timedelta(seconds=2)
"""Whoever is not ready by then has not had the same first minute."""
LOOKED_AT_AFTER = timedelta(seconds=20)
"""The last minute is left in peace for so long: reading the log takes CPU from those who write it."""
COLLECTED_BEFORE = timedelta(seconds=10)
"""Garbage of the API server: so long before each minute, and never in its first seconds."""
CALM_SECONDS = 5.0
"""Longer than a pause within a run, except for the build itself."""


async def play(stage: Stage) -> Turn:
    """Play a turn and remove all that is left of it; raises ContestError for one that does not count."""
    namespaces = namespace_names(stage.scenario.namespaces)
    async with KubeSession(await load_credentials(stage.cluster.kubeconfig)) as session:
        try:
            turn = await _play(stage, session, namespaces)
        finally:
            await asyncio.to_thread(stage.contestant.stop)
        await clear(session, stage.contestant, namespaces)
        return turn


async def _play(stage: Stage, session: KubeSession, namespaces: Sequence[str]) -> Turn:
    scenario, contestant, load = stage.scenario, stage.contestant, os.getloadavg()[0]
    minutes = minutes_from(full_minute_in(scenario.lead_seconds), scenario.minutes)
    slots = Slots(names(scenario.schedules), minutes[WARM_UP:])
    script = Script(round=stage.round, hangs=scenario.hangs, fails=scenario.fails)
    attendant = Attendant(contestant, scenario)
    await _prepare(stage, session, namespaces, cron_expression(minutes))
    with Trail(stage.cluster.audit_log, contestant.accounts) as trail:
        async with living(World(session, contestant, script, minutes[0])) as world:
            await asyncio.to_thread(contestant.start)
            await asyncio.to_thread(contestant.wait_until_ready)
            if datetime.now(UTC) > minutes[0] - READY_BEFORE:
                raise ContestError(f"{contestant.name} was not prepared before its first minute")
            collecting = asyncio.create_task(_collect_garbage(stage, minutes))
            await pass_until(slots.minutes[0] - timedelta(seconds=10 if scenario.down_minutes else 0))
            stage.begin_to_meter()
            await attendant.attend(slots.minutes)
            await _settle(world, trail, slots.minutes[-1], scenario.settles_within_seconds)
            attendant.meter.end()
            stage.end_to_meter()
            await collecting
        if world.refused:
            raise ContestError(f"{len(world.refused)} ends of builds were refused, the first as {world.refused[0]}")
        explained = await contestant.explained(session, slots.missing(world.children))
        played = Played(stage=stage, slots=slots, world=world, attendant=attendant, requests=trail.read())
        return turn_of(played, explained=explained, warnings=await _warnings(session), load=load)


async def _collect_garbage(stage: Stage, minutes: Sequence[datetime]) -> None:
    for minute in minutes:
        await pass_until(minute - COLLECTED_BEFORE)
        await asyncio.to_thread(stage.cluster.collect_garbage)


async def _prepare(stage: Stage, session: KubeSession, namespaces: Sequence[str], expression: str) -> None:
    scenario, contestant = stage.scenario, stage.contestant
    calls = []
    for number, name in enumerate(names(scenario.objects)):
        due = expression if number < scenario.schedules else ONCE_A_YEAR
        body = msgspec.json.encode(contestant.manifest(name, due, scenario))
        calls.append(Call("POST", contestant.schedules.path(namespace=namespaces[number % len(namespaces)]), body))
    await send_all(session, contestant.first_looks(await send_all(session, calls)))


async def _settle(world: World, trail: Trail, last: datetime, within_seconds: float) -> None:
    """Wait until there is nothing left to do, or the time for it is over."""
    await pass_until(last + LOOKED_AT_AFTER)
    until = last + timedelta(seconds=within_seconds)
    while datetime.now(UTC) < until:
        if world.is_done and trail.calm_seconds(last) >= CALM_SECONDS:
            return
        await asyncio.sleep(1)


async def _warnings(session: KubeSession) -> int:
    events = msgspec.json.decode(await session.get(EVENTS.path(), {"fieldSelector": "type=Warning"}))["items"]
    return sum(times_told(event) for event in events)
