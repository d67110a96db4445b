"""A cluster that is being started: where it is, and how its components are started and watched."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field, replace
from functools import partial

from tests.cluster import processes
from tests.cluster.certificates import Authority
from tests.cluster.errors import ClusterError
from tests.cluster.kubeconfig import Endpoint
from tests.cluster.levels import Level
from tests.cluster.paths import StateFolder
from tests.cluster.record import Component, Record, write_record
from tests.cluster.waiting import wait_for

LOG_LINES_SHOWN = 15
"""Of a component that ended: enough for the reason, which comes last."""

SERVICE_NETWORK = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
"""The first address of it belongs to the API server."""

KUBECTL_WITHIN_SECONDS = 20
"""For one call while a cluster starts; a call that hangs is one more unsuccessful look."""


READY_NODE = '{.status.conditions[?(@.type=="Ready")].status}'
"""Prints True for a node that takes pods."""


EXEC_WITHIN_SECONDS = 0.5
"""A process that becomes another program (nsenter does) has no readable mark for an instant."""

CONTROLLER_QPS = 20
"""The default of kube-controller-manager's `--kube-api-qps`; its burst is half as much again."""


class ComponentEndedError(ClusterError):
    """A component ended by itself; the sentence has the end of its log."""


@dataclass(slots=True, kw_only=True)
class Site:
    """Grows while a cluster starts; its record on disk follows each step."""

    state: StateFolder
    authority: Authority
    record: Record
    address: str = "127.0.0.1"
    """Where the API server listens."""
    has_audit_log: bool = True
    collects_garbage: bool = True
    """Of the API server."""
    controller_qps: int = CONTROLLER_QPS
    """Requests a second that each controller of kube-controller-manager may send."""
    enter: tuple[str, ...] = field(default=())
    """What to put before a command so that it runs in the cluster's network namespace."""

    def program(self, name: str) -> str:
        """Return the path of a program of this cluster."""
        return self.record.programs[name]

    @property
    def level(self) -> Level:
        """Return the level that is being started."""
        return self.record.level

    @property
    def endpoint(self) -> Endpoint:
        """Return where the API server is, once that is known."""
        return Endpoint(self.record.server, self.authority.certificate_pem)

    def start(self, name: str, *arguments: str, program: str = "", **environment: str) -> int:
        """Start a component, which is on record before it runs; return its process id."""
        command = (*self.enter, program or self.program(name), *arguments)
        component = Component(name=name, command=command, environment=environment)
        self.note(self.record.with_component(component))
        return start_component(self.state, component)

    def note(self, record: Record) -> None:
        """Keep what is known now, here and on disk."""
        self.record = record
        write_record(self.state, record)

    def note_server(self, server: str) -> None:
        """Keep the URL of the API server."""
        self.note(replace(self.record, server=server))

    def write_kubeconfig(self, name: str, user: str, *groups: str) -> str:
        """Write the kubeconfig of a component and return its path."""
        pair = self.authority.issue(user, groups)
        return str(self.endpoint.with_certificate(self.state.kubeconfigs / f"{name}.yaml", pair))

    def kubectl(self, *arguments: str, text: str = "") -> str | None:
        """Return what kubectl prints to the administrator, None when it fails (a poll simply asks again)."""
        try:
            answer = subprocess.run(
                [*kubectl_command(self.program("kubectl"), self.state), *arguments],
                input=text, capture_output=True, text=True, timeout=KUBECTL_WITHIN_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        return answer.stdout if answer.returncode == 0 else None


def start_component(state: StateFolder, component: Component) -> int:
    """Start a component of a cluster; return its process id."""
    return processes.start(
        component.name,
        component.command,
        state=state.root,
        log=state.log(component.name),
        environment=component.environment,
    )


def check_alive(state: StateFolder, *components: str) -> None:
    """Raise ComponentEndedError, with the reason from its log, for a component that does not run."""
    for name in components:
        try:
            wait_for(partial(_is_running, state, name), within_seconds=EXEC_WITHIN_SECONDS, what=f"{name} is gone")
        except ClusterError:
            raise ComponentEndedError(f"{name} ended by itself. {log_tail(state, name)}") from None


def _is_running(state: StateFolder, component: str) -> bool:
    return component in processes.running(state.root).values()


def log_tail(state: StateFolder, component: str) -> str:
    """Return the last lines of a component's log, with the place of the rest."""
    log = state.log(component)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    # Usage texts follow an error and would hide it.
    told = [line for line in lines if not re.match(r"\s+--?\w", line)]
    return "\n".join([f"The end of {log}:", *told[-LOG_LINES_SHOWN:]])


def kubectl_command(program: str, state: StateFolder) -> tuple[str, ...]:
    """Return kubectl as the administrator.

    Its cache of API discovery is the cluster's own: the common one is keyed by address, and addresses come back.
    """
    return (program, f"--kubeconfig={state.admin_kubeconfig}", f"--cache-dir={state.root / 'kubectl-cache'}")
