"""An API server that is away, or refuses: how soon builds start again, what is lost, and how the operator bears it.

Each outage is met by an operator of its own, with builds that are due in the midst of it.

The one idea a newcomer would miss: recovery is timed from the moment at which the API server answers again until the
first of those builds starts.  That the operator reaches it again would be of no use to anybody who waits for a build.
"""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final

import pykube
from tests.bench.audit import Trail
from tests.bench.ground import own_cluster
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.levels import Level
from tests.cluster.waiting import wait_for
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.faults.effects import Cut, Refuse, Skip
from tests.faults.line import Line, line_to
from tests.faults.script import ALWAYS, Fault, Match
from tests.integration.simulated_specs import a_build_spec, every, in_seconds, text_of
from tests.operator_process import ACCOUNT, NAMESPACE, OperatorProcess
from tests.outages.credentials import Certificates, await_refusal, token_of, write_kubeconfig
from tests.outages.patient import Patient
from tests.replicas.history import double_starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.cluster.cluster import LocalCluster

NEVER: Final = datetime.max.replace(tzinfo=UTC)
DUE: Final = 5
"""PeriodicBuilds in each outage."""
DUE_AFTER_SECONDS: Final = 8
GONE_SECONDS: Final = 60.0
REFUSED_SECONDS: Final = 30.0
ETCD_GONE_SECONDS: Final = 15.0
TOKEN_SECONDS: Final = 25.0
TOKEN_DUE_AFTER_SECONDS: Final = 45
"""The API server goes on letting an expired token in for ten seconds, and some time is needed to get ready."""
WITHIN_SECONDS: Final = 180.0
HEALED_WITHIN_SECONDS: Final = 60.0


@dataclass(slots=True)
class Over:
    """When an outage was over."""

    at: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One outage, and the operator that meets it."""

    name: str
    kubeconfig: Path
    outage: Callable[[Over], AbstractContextManager[None]]
    """The API server is of no use from its beginning on until it says that it is over."""
    lasts_seconds: float = 0.0
    """At least; in any case until something is due."""
    due_after_seconds: int = DUE_AFTER_SECONDS


@dataclass(slots=True)
class Ward:
    """One cluster, and what all outages have cost together."""

    cluster: LocalCluster
    stage: Stage
    trail: Trail
    lost: int = field(default=0, init=False)
    unaccounted: float = field(default=0.0, init=False)
    failed_probes: int = field(default=0, init=False)
    repeated_warnings: int = field(default=0, init=False)
    unended: int = field(default=0, init=False)
    grown_mb: float = field(default=0.0, init=False)

    def recovery_seconds(self, scene: Scene) -> float:
        """Let one outage happen; give the seconds from its end to the first start of what was due."""
        say(f"Outage: {scene.name}.")
        with self.running(scene.name, scene.kubeconfig) as operator:
            self._warm_up(scene.name)
            slot = in_seconds(scene.due_after_seconds)
            spec = a_build_spec(schedule=every("24h", notBefore=text_of(slot)))
            builds = [self.stage.create(f"{scene.name}-{number}", spec) for number in range(DUE)]
            for build in builds:
                see(build, lambda one: one.read("status.schedule.nextSlotTime"), "its slot is known")
            with Patient(operator) as patient:
                began = time.monotonic()
                over = Over()
                with scene.outage(over):
                    until_due = (slot - datetime.now(UTC)).total_seconds()
                    left = scene.lasts_seconds - (time.monotonic() - began)
                    time.sleep(max(left, until_due, 0) + 1)  # an outage is time that passes
                seconds = (self._first_start(scene.name, slot) - over.at).total_seconds()
                self.lost += sum(not _has_started(build) for build in builds)
                patient.await_end()
            self.note(patient)
        say(f"The first build started {seconds:.1f} s after the API server was back.")
        return seconds

    def _warm_up(self, name: str) -> None:
        """Let it do once all that it does, so that its memory is as large as in everyday life."""
        build = self.stage.create(f"{name}-before", a_build_spec())
        see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it builds", within_seconds=WITHIN_SECONDS)

    def _first_start(self, name: str, slot: datetime) -> datetime:
        def starts() -> list[datetime]:
            return [
                one.answered_at
                for one in self.trail.read()
                if one.has_done("create", "appservers")
                and one.object.name.startswith(f"{name}-")
                and one.received_at >= slot
            ]

        wait_for(lambda: len(starts()) >= DUE, within_seconds=WITHIN_SECONDS, what="not all has started that was due")
        return min(starts())

    def note(self, patient: Patient) -> None:
        """Add up how one operator has borne it."""
        self.failed_probes += patient.failed_probes
        self.grown_mb = max(self.grown_mb, patient.grown_mb)
        repeated = {what: count for what, count in patient.loud_lines.items() if count > 1}
        self.repeated_warnings += sum(count - 1 for count in repeated.values())
        self.unended += len(patient.unended)
        self.unaccounted += patient.operator.metric("periodicbuild_unaccounted_slots")
        say(
            f"{patient.loud_lines.total()} warnings, {patient.failed_probes} failed probes, "
            f"{patient.grown_mb:.1f} MB more memory."
        )
        for what, count in repeated.items():
            say(f"  {count} times: {what}")
        for what in patient.unended:
            say(f"  never said to be over: {what}")

    @contextmanager
    def running(self, name: str, kubeconfig: Path) -> Iterator[OperatorProcess]:
        """Give an operator that is ready; the next one has its identity, and leads at once."""
        log = self.cluster.folder / f"{name}.log"
        operator = OperatorProcess(kubeconfig, log, ["--log-format=json"], identity="patient")
        try:
            yield operator.start()
        finally:
            operator.stop()


def measure_outages() -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.SIMULATED) as cluster, Trail(cluster.audit_log) as trail, ExitStack() as stack:
        certificates = Certificates(cluster, cluster.folder)
        api = _patient_administrator(cluster, certificates)
        stack.callback(api.session.close)
        account = cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
        way = cluster.folder / "line.yaml"
        line = stack.enter_context(line_to(account, way))
        ward = Ward(cluster, Stage(cluster, api), trail)
        figures: dict[str, float] = {}
        scenes = {
            "outage-60s-recovery-seconds": Scene(
                name="gone", kubeconfig=account, outage=partial(_gone, cluster), lasts_seconds=GONE_SECONDS
            ),
            "outage-429-recovery-seconds": Scene(
                name="refusing", kubeconfig=way, outage=partial(_refusing, cluster, line), lasts_seconds=GONE_SECONDS
            ),
            "outage-etcd-recovery-seconds": Scene(
                name="no-etcd",
                kubeconfig=account,
                outage=partial(_without_etcd, cluster, figures),
                lasts_seconds=ETCD_GONE_SECONDS,
            ),
        }
        figures |= {id_: ward.recovery_seconds(scene) for id_, scene in scenes.items()}
        figures |= _expired(ward, way, line)
        figures["outage-token-recovery-seconds"] = ward.recovery_seconds(_token_scene(cluster))
        figures["outage-certificates-recovery-seconds"] = ward.recovery_seconds(_certificate_scene(certificates))
        return {
            **figures,
            "outage-slots-lost": ward.lost,
            "outage-double-starts": len(double_starts(trail.read())),
            "outage-unaccounted": ward.unaccounted,
            "outage-failed-probes": ward.failed_probes,
            "outage-repeated-warnings": ward.repeated_warnings,
            "outage-unended-warnings": ward.unended,
            "outage-rss-growth-mb": ward.grown_mb,
        }


def _patient_administrator(cluster: LocalCluster, certificates: Certificates) -> pykube.HTTPClient:
    """Give a client that knows the API server by every certificate that it will ever show."""
    authority = cluster.folder / "everybody.crt"
    authority.write_bytes(certificates.everybody)
    config = pykube.KubeConfig.from_file(str(cluster.kubeconfig))
    client = pykube.HTTPClient(config)
    client.session.verify = str(authority)
    return client


def _has_started(build: PeriodicBuild) -> bool:
    """Tell whether its one slot has started, and is all that was ever due."""
    see(build, lambda one: one.slots.get("started"), "its slot is in the ledger")
    return build.slots == {"due": 1, "started": 1}


@contextmanager
def _gone(cluster: LocalCluster, over: Over) -> Iterator[None]:
    cluster.stop_api_server()
    try:
        yield
    finally:
        with ThreadPoolExecutor(max_workers=1) as elsewhere:
            first_answer = elsewhere.submit(_await_answer, cluster.server)
            cluster.start_api_server()
            over.at = first_answer.result()


def _await_answer(server: str) -> datetime:
    """Ask until the API server answers anybody at all; it calls itself ready only later."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    def has_answered() -> bool:
        connection = HTTPSConnection(server.removeprefix("https://"), timeout=1, context=trusting)
        with suppress(OSError, HTTPException), closing(connection):
            connection.request("GET", "/version")
            return connection.getresponse().status == HTTPStatus.OK
        return False

    wait_for(has_answered, within_seconds=WITHIN_SECONDS, what="the API server does not answer")
    return datetime.now(UTC)


@contextmanager
def _refusing(cluster: LocalCluster, line: Line, over: Over) -> Iterator[None]:
    """Gone, and then back with too many requests for half a minute."""
    with _gone(cluster, over):
        yield
        line.put(Fault(Refuse(status=429, retry_after_seconds=1), times=ALWAYS))
    time.sleep(REFUSED_SECONDS)  # an outage is time that passes
    over.at = datetime.now(UTC)
    line.mend()


@contextmanager
def _without_etcd(cluster: LocalCluster, figures: dict[str, float], over: Over) -> Iterator[None]:
    """Gone until it is started: how long the API server takes to find it again is a part of the recovery."""
    cluster.stop_etcd()
    try:
        yield
    finally:
        over.at = datetime.now(UTC)
        cluster.start_etcd()
        figures["outage-etcd-ready-seconds"] = (datetime.now(UTC) - over.at).total_seconds()


def _token_scene(cluster: LocalCluster) -> Scene:
    file = cluster.folder / "token"
    file.write_text(token_of(cluster, valid_seconds=TOKEN_SECONDS))
    authority = cluster.state.pki / "ca.crt"
    kubeconfig = write_kubeconfig(cluster, cluster.folder / "token.yaml", {"tokenFile": str(file)}, authority)

    @contextmanager
    def expired(over: Over) -> Iterator[None]:
        await_refusal(cluster, kubeconfig)
        yield
        over.at = datetime.now(UTC)
        file.write_text(token_of(cluster, valid_seconds=3600))

    return Scene(name="token", kubeconfig=kubeconfig, outage=expired, due_after_seconds=TOKEN_DUE_AFTER_SECONDS)


def _certificate_scene(certificates: Certificates) -> Scene:
    @contextmanager
    def refused(over: Over) -> Iterator[None]:
        certificates.rotate_server()
        yield
        over.at = datetime.now(UTC)
        certificates.rotate_client()

    return Scene(name="certificates", kubeconfig=certificates.begin(), outage=refused)


def _expired(ward: Ward, way: Path, line: Line) -> dict[str, float]:
    """Delete one of each kind while no deletion is told, then let the watches expire: what is still known is lost."""
    say("Watches expire, with deletions in between.")
    with ward.running("expired", way) as operator:
        build = ward.stage.create("deleted", a_build_spec())
        kept = ward.stage.create("kept", a_build_spec())
        for one in (build, kept):
            see(one, lambda it: it.fates == ["Started/Due: Succeeded"], "it has been built")
        (of_deleted,) = ward.stage.app_servers(build)
        (of_kept,) = ward.stage.app_servers(kept)
        with Patient(operator) as patient:
            line.put(Fault(Skip(), match=Match(event="DELETED"), times=ALWAYS))
            build.delete()
            wait_for(lambda: not of_deleted.exists(), within_seconds=WITHIN_SECONDS, what="it is not collected")
            kinds = ("periodicbuilds", "appservers", "pods")
            line.put(*(Fault(Cut(status=410), match=Match(resources=(kind,), event="*")) for kind in kinds))
            expired_at = time.monotonic()
            _touch(kept, of_kept, ward.stage.pod(of_kept))
            lost = _await_healing(ward, operator)
            seconds = time.monotonic() - expired_at
            line.mend()
        ward.note(patient)
    say(f"After {seconds:.1f} s {lost} deleted objects were still known.")
    return {"outage-410-healing-seconds": seconds, "outage-410-lost": lost}


def _touch(*objects: pykube.objects.APIObject) -> None:
    """Let each kind have something to tell, since that is when a watch is told that it has expired."""
    for one in objects:
        one.patch({"metadata": {"annotations": {"example.com/touched": "yes"}}})


def _await_healing(ward: Ward, operator: OperatorProcess) -> int:
    """Wait until the operator knows of nothing that is not there; give how much it still knows after all patience."""

    def surplus() -> int:
        return sum(
            max(0, int(operator.metric(rf'periodicbuild_objects\{{kind="{kind.kind}"\}}')) - _count(ward, kind))
            for kind in (PeriodicBuild, AppServer, pykube.Pod)
        )

    try:
        wait_for(lambda: not surplus(), within_seconds=HEALED_WITHIN_SECONDS, what="it knows of what is gone")
    except ClusterError:
        return surplus()
    return 0


def _count(ward: Ward, kind: type[pykube.objects.APIObject]) -> int:
    return len(kind.objects(ward.stage.api, namespace=pykube.all))
