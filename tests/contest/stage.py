"""Where a turn is played and by whom, and what is written down of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench.audit import by_verb_and_target
from tests.bench.machine import machine, today
from tests.cluster.control_plane import API_SERVER, ETCD
from tests.cluster.processes import running
from tests.cluster.programs import VERSION
from tests.contest.commit import commit
from tests.contest.costs import Meter
from tests.contest.slots import Lag
from tests.contest.turns import Costs, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.audit import Request
    from tests.cluster.cluster import LocalCluster
    from tests.contest.attendance import Attendant
    from tests.contest.contestants import Contestant
    from tests.contest.scenarios import Scenario
    from tests.contest.slots import Child, Slots
    from tests.contest.world import World


class ContestError(Exception):
    """A turn that is not worth counting; the sentence says why."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """Where a turn is played, and by whom."""

    cluster: LocalCluster
    contestant: Contestant
    scenario: Scenario
    round: int
    is_first: bool
    api_server: Meter = field(default_factory=Meter, init=False)
    etcd: Meter = field(default_factory=Meter, init=False)

    def begin_to_meter(self) -> None:
        """Meter the servers from now on."""
        pids = {component: pid for pid, component in running(self.cluster.state.root).items()}
        self.api_server.begin(pids[API_SERVER])
        self.etcd.begin(pids[ETCD])

    def end_to_meter(self) -> None:
        """Meter the servers until now."""
        self.api_server.end()
        self.etcd.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A turn that is over."""

    stage: Stage
    slots: Slots
    world: World
    attendant: Attendant
    requests: Sequence[Request]
    """Of the contestant, from before it started."""

    @property
    def started(self) -> list[Child]:
        """Give the first children of the slots that count."""
        return self.slots.started(self.world.children)

    @property
    def catch_up_seconds(self) -> float | None:
        """Give the time that a controller took, once it was back, to start what was due before."""
        returned_at = self.attendant.returned_at
        if returned_at is None:
            return None
        late = [child.seen_at for child in self.started if child.slot < returned_at]
        return (max(late, default=returned_at) - returned_at).total_seconds()

    @property
    def requests_per_run(self) -> dict[str, float]:
        """Count those of the minutes that count, for each run that started."""
        counted = by_verb_and_target(one for one in self.requests if one.received_at >= self.slots.minutes[0])
        runs = max(1, len(self.started))
        return {f"{verb} {target}": round(number / runs, 4) for (verb, target), number in counted.most_common()}


def turn_of(played: Played, *, explained: int, warnings: int, load: float) -> Turn:
    """Write it down."""
    stage, slots, children = played.stage, played.slots, played.world.children
    by_minute = slots.lag_by_minute(children)
    return Turn(
        scenario=stage.scenario.id,
        round=stage.round,
        contestant=stage.contestant.name,
        is_first=stage.is_first,
        date=today(),
        commit=commit(),
        machine=machine(),
        kubernetes=VERSION,
        load=round(load, 2),
        schedules=stage.scenario.objects,
        due=slots.due,
        started=len(played.started),
        doubled=slots.doubled(children),
        explained=explained,
        lost=slots.due - len(played.started) - explained,
        warnings=warnings,
        lag=Lag.of(played.started),
        lag_of_bodies=Lag.of(slots.started(played.world.bodies)),
        p99_by_minute=[None if lag is None else lag.p99 for lag in by_minute],
        catch_up_seconds=played.catch_up_seconds,
        kills=played.attendant.kills,
        requests=played.requests_per_run,
        controller=_costs(played.attendant.meter),
        api_server=_costs(stage.api_server),
        etcd=_costs(stage.etcd),
    )


def _costs(meter: Meter) -> Costs:
    return Costs(cpu_seconds=round(meter.cpu_seconds, 2), peak_mb=round(meter.peak_mb, 1))
