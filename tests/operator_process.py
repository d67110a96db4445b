"""The operator as a process of its own, as the cluster knows it: under the service account and roles that it ships."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.waiting import wait_for

ROOT = Path(__file__).parent.parent
NAMESPACE = "periodicbuild-system"
ACCOUNT = "periodicbuild"
READY_WITHIN_SECONDS = 60


def install(cluster: Cluster) -> None:
    """Apply CRDs, policies and roles, and wait until the kinds are served."""
    cluster.kubectl("apply", "-f", str(ROOT / "crds"))
    install_roles(cluster)
    for kind in ("appservers", "periodicbuilds", "buildgates"):
        definition = str(ROOT / "crds" / f"{kind}.yaml")
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", definition)


def install_roles(cluster: Cluster) -> None:
    """Apply the operator's namespace, account and roles."""
    cluster.kubectl("apply", "-f", str(ROOT / "manifests" / "rbac.yaml"))


@dataclass(slots=True)
class OperatorProcess:
    """One operator; `start` and `stop` as often as a test likes."""

    kubeconfig: Path
    log: Path
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to that of this process."""
    identity: str = field(default_factory=lambda: f"replica-{uuid.uuid4().hex[:8]}")
    """On the Lease, as a pod's name: one that is started again leads again at once."""
    module: str = "periodicbuild"
    """What `python -m` runs: the operator itself, or one of its parts put together otherwise."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _said_before: int = field(default=0, init=False)

    @classmethod
    def of(cls, cluster: Cluster, log: Path, arguments: Sequence[str] = ()) -> OperatorProcess:
        """Give an operator that acts as its own service account; `install` comes first."""
        return cls(cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT), log, arguments)

    @property
    def command(self) -> list[str]:
        """Return what starts it."""
        run = [sys.executable, "-m", self.module, "run"]
        identity = f"--leader-elect-identity={self.identity}"
        return [*run, f"--kubeconfig={self.kubeconfig}", "--listen=127.0.0.1:0", identity, *self.arguments]

    @property
    def pid(self) -> int:
        """Return the process id while it runs."""
        assert self._process is not None, "the operator was not started"
        return self._process.pid

    @property
    def port(self) -> int:
        """Return the port of probes and metrics, as the operator's log tells it."""
        found = re.findall(r'listening(?: port=|","port":")(\d+)', self.log.read_text()[self._said_before :])
        return int(found[-1]) if found else 0

    def start(self) -> OperatorProcess:
        """Start it and wait until it is ready."""
        self.start_unready()
        wait_for(self.is_ready, within_seconds=READY_WITHIN_SECONDS, what="the operator is ready")
        return self

    def start_unready(self) -> None:
        """Start it, and wait for nothing."""
        self._said_before = len(self.log.read_text()) if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONSAFEPATH": "1", **self.environment},
            )

    def is_ready(self) -> bool:
        """Ask /readyz; raises with the end of the log if the process has ended."""
        assert self._process is not None, "the operator was not started"
        if self._process.poll() is not None:
            message = f"the operator ended with {self._process.returncode}: {self.log.read_text()[-2000:]}"
            raise RuntimeError(message)
        return bool(self.port) and self.ask("/readyz")[0] == 200

    def ask(self, path: str) -> tuple[int, str]:
        """Give status code and text of a page of /healthz, /readyz or /metrics."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def metric(self, name: str) -> float:
        """Sum the samples of one metric."""
        lines = [line for line in self.ask("/metrics")[1].splitlines() if re.match(rf"{name}(\{{| )", line)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def freeze(self) -> None:
        """Stop it where it is, as a machine does that is suspended."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had been."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """End it, frozen or not, and give the seconds it took."""
        if self._process is None:
            return 0.0
        began = time.monotonic()
        if self._process.poll() is None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=30)
        self._process = None
        return time.monotonic() - began
