"""One play of the scenario: a namespace, a proxy and an operator of its own, and at most one kill.

Must not judge: it says what has become of everything.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pykube
import yaml
from tests.background import in_background
from tests.cluster.errors import ClusterError
from tests.cluster.waiting import wait_for
from tests.crash.history import Record
from tests.crash.scenario import Scenario
from tests.crash.states import Slots, State, read_events, read_state, slots_of
from tests.e2e.stage import Stage
from tests.faults.effects import Kill, When
from tests.faults.proxy import proxy_between
from tests.faults.script import Fault, Match
from tests.operator_process import ACCOUNT, NAMESPACE, ROOT, OperatorProcess

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from tests.cluster.cluster import Cluster
    from tests.crash.history import History
    from tests.faults.proxy import FaultProxy
    from tests.faults.script import Seen
    from tests.mail.running import RunningMailServer

WRITES: Final = Match(verbs=("write",), except_resources=("leases",))
"""Those that follow from what happens; a lease is renewed by the clock."""
NO_SLOTS: Final = Slots(())
CALM_SECONDS: Final = 2.0
"""Without a write: longer than an operator that has something left to do lets pass."""
SETTLES_WITHIN_SECONDS: Final = 30.0
"""How long it may take from the last step until everything is as it should be."""
ANSWERS_WITHIN_SECONDS: Final = 60.0
"""How long the API server may take for one request of a person, on a machine where ten operators start."""
IS_A_BUG: Final = "this is a bug"
"""As the operator calls what it has not foreseen."""


class OfKind(Match, frozen=True):
    """The writes of one kind, which may be about several slots."""

    kind: str

    def fits(self, seen: Seen) -> bool:
        """Tell whether it is one of them."""
        return WRITES.fits(seen) and kind_of(name_of(seen, NO_SLOTS)) == self.kind


@dataclass(frozen=True, slots=True)
class Point:
    """When the operator is killed."""

    when: When
    nth: int = 1
    match: Match = WRITES

    def __str__(self) -> str:
        """Name it."""
        return f"{self.when} write {self.nth}{f' of {self.match.kind}' if isinstance(self.match, OfKind) else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What has become of one play."""

    point: Point | None
    struck: str
    """The write at which the operator was killed; empty if that write never came."""
    writes: tuple[str, ...]
    """Of the operator, in their order."""
    slots: Slots
    state: State
    events: Counter[tuple[str, str, str]]
    """By type, reason and object."""
    letters: Mapping[str, frozenset[str]]
    """By what they tell: the Message-IDs."""
    history: History
    complaints: tuple[str, ...]
    """What never came about, and what the operator itself calls a bug."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Arena:
    """What all plays share."""

    cluster: Cluster
    mail: RunningMailServer
    account: Path
    """The kubeconfig of the operator's service account."""
    record: Record
    """The API server's own."""
    scenario: Callable[[Scenario], None] = Scenario.play

    @classmethod
    def in_cluster(
        cls, cluster: Cluster, mail: RunningMailServer, scenario: Callable[[Scenario], None] = Scenario.play
    ) -> Arena:
        """Give an arena in a cluster with the definitions and roles in it."""
        account = cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
        return cls(cluster, mail, account, Record(cluster.audit_log), scenario)

    def play(self, point: Point | None = None, *, until: State | None = None) -> Outcome:
        """Play once, killing the operator at a point, until everything is as in an undisturbed play."""
        config = pykube.KubeConfig.from_file(str(self.cluster.kubeconfig))
        api = pykube.HTTPClient(config, timeout=ANSWERS_WITHIN_SECONDS)
        stage = Stage(self.cluster, api)
        folder = self.cluster.folder / "plays" / stage.namespace
        folder.mkdir(parents=True)
        victim = _Victim(self.operator(stage.namespace, folder))
        try:
            with in_background(
                lambda: proxy_between(self.account, victim.operator.kubeconfig, kill=victim.kill)
            ) as proxy:
                return _Play(self, stage, victim.operator, proxy, point).outcome(until)
        finally:
            victim.operator.stop()
            stage.clear()
            api.session.close()

    def operator(self, namespace: str, folder: Path) -> OperatorProcess:
        """Give the operator of one play, not started, with a Lease of its own: the only place that knows its flags."""
        self.cluster.kubectl("apply", "--filename=-", input=json.dumps(_rights_to_a_lease(namespace)))
        flags = [f"--namespace={namespace}", f"--leader-elect-resource-namespace={namespace}", *self.mail.flags]
        return OperatorProcess(folder / "through-proxy.yaml", folder / "operator.log", flags)


def _rights_to_a_lease(namespace: str) -> dict[str, object]:
    """Give what manifests/rbac.yaml allows in the operator's own namespace, for another one."""
    shipped = yaml.safe_load_all((ROOT / "manifests" / "rbac.yaml").read_text())
    own = [one for one in shipped if one["kind"] in ("Role", "RoleBinding")]
    items = [one | {"metadata": one["metadata"] | {"namespace": namespace}} for one in own]
    return {"apiVersion": "v1", "kind": "List", "items": items}


@dataclass(frozen=True, slots=True)
class _Victim:
    operator: OperatorProcess

    def kill(self) -> None:
        """End it, and let it come back at once, as a kubelet does."""
        self.operator.stop(signal.SIGKILL)
        self.operator.start_unready()


@dataclass(slots=True)
class _Play:
    arena: Arena
    stage: Stage
    operator: OperatorProcess
    proxy: FaultProxy
    point: Point | None
    _complaints: list[str] = field(default_factory=list, init=False)

    def outcome(self, until: State | None) -> Outcome:
        """Play, and tell."""
        began = time.monotonic()
        if self.point is not None:
            point = self.point
            self.proxy.add(Fault(Kill(when=point.when), match=point.match, nth=point.nth))
        self.operator.start()
        try:
            self.arena.scenario(Scenario(self.stage))
            self._settle(until)
        except AssertionError as error:
            self._complaints.append(str(error))
        self.operator.stop()
        seconds = time.monotonic() - began
        if IS_A_BUG in self.operator.log.read_text():
            self._complaints.append(f"{IS_A_BUG}, says {self.operator.log}")
        return self._outcome(seconds)

    def _settle(self, until: State | None) -> None:
        """Wait until all is as it should be, if that is known, and nothing is written any more."""
        if until is not None:
            try:
                wait_for(
                    lambda: read_state(self.stage) == until,
                    within_seconds=SETTLES_WITHIN_SECONDS,
                    what="all is as it should be",
                )
            except ClusterError:
                return  # what differs is for others to say
        while self._counts_up():
            pass

    def _counts_up(self) -> bool:
        """Tell whether anything is written within CALM_SECONDS."""
        before = len(self._writes())
        try:
            wait_for(lambda: len(self._writes()) > before, within_seconds=CALM_SECONDS, what="one more write")
        except ClusterError:
            return False
        return True

    def _writes(self) -> list[Seen]:
        return [seen for seen in self.proxy.seen if WRITES.fits(seen)]

    def _outcome(self, seconds: float) -> Outcome:
        slots = slots_of(self.stage)
        struck = [strike.seen for strike in self.proxy.strikes]
        return Outcome(
            point=self.point,
            struck=name_of(struck[0], slots) if struck else "",
            writes=tuple(name_of(seen, slots) for seen in self._writes()),
            slots=slots,
            state=read_state(self.stage),
            events=read_events(self.stage, slots),
            letters=self._letters(slots),
            history=self.arena.record.history(self.stage.namespace),
            complaints=tuple(self._complaints),
            seconds=seconds,
        )

    def _letters(self, slots: Slots) -> dict[str, frozenset[str]]:
        ids: defaultdict[str, set[str]] = defaultdict(set)
        for letter in self.arena.mail.letters_about(self.stage.namespace):
            build = letter["X-PeriodicBuild-Name"]
            run = slots.numbered(build, letter["X-PeriodicBuild-Run"])
            ids[f"{letter['X-PeriodicBuild-Kind']} of {build} {run}"].add(letter["Message-ID"])
        return {fact: frozenset(found) for fact, found in ids.items()}


def name_of(write: Seen, slots: Slots) -> str:
    """Name a write so that it has the same name in every play."""
    what = f"{write.target.verb} {write.target.resource}"
    body = json.loads(write.body) if write.body else None
    if not isinstance(body, dict) or write.target.verb != "create":
        return f"{what} {slots.numbered_name(write.target.name)}"
    if write.target.resource == "events":
        return f"{what} {body['reason']} {slots.numbered_name(body['regarding']['name'])}"
    metadata = body["metadata"]
    name = slots.numbered_name(metadata.get("name") or metadata["generateName"])
    return f"{what} {name}{' (dry run)' if write.is_dry_run else ''}"


def kind_of(name: str) -> str:
    """Give the name of a write without the slot that it is about."""
    return re.sub(r"\(slot \d+\)|\d{8}-\d{6}", "(slot)", name)
