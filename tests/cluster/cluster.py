"""What a test or a person gets in hand: one cluster, with means to act as anybody in it."""

from __future__ import annotations

import hashlib
import re
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import processes
from tests.cluster.certificates import Authority, replace_private
from tests.cluster.control_plane import API_SERVER, ETCD, wait_until_ready
from tests.cluster.errors import ClusterError
from tests.cluster.kubeconfig import Endpoint
from tests.cluster.levels import Level
from tests.cluster.paths import StateFolder
from tests.cluster.record import Record
from tests.cluster.site import Site, start_component

TEST_IMAGE = "localhost/periodicbuild/busybox:test"
"""Made from busybox-static; a node of ours has it, and no node can pull it."""

COLLECT_GARBAGE = "/debug/pprof/heap?gc=1&debug=1"
"""A page of the API server's that has its garbage collected first."""
VALID_FOR = "24h"
"""Longer than any test session."""

STOP_WITHIN_SECONDS = 3
"""What the API server gets to answer open requests; it would wait a minute for its watches, so then it is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(ABC):
    """A cluster to test against; everything it hands out is for its administrator to decide."""

    level: Level
    kubeconfig: Path
    """Of the administrator."""
    server: str
    """https://host:port"""
    kubectl_path: Path
    folder: Path
    """Where kubeconfigs are put."""
    test_image: str = TEST_IMAGE

    def kubectl(self, *arguments: str, input: str | None = None, kubeconfig: Path | None = None) -> str:
        """Return what kubectl prints, as the administrator or as whom kubeconfig is; raise with its error message."""
        command = [
            str(self.kubectl_path),
            f"--kubeconfig={kubeconfig or self.kubeconfig}",
            f"--cache-dir={self.folder / 'kubectl-cache'}",
            *arguments,
        ]
        # Never the terminal as input: where credentials are missing, kubectl asks for a user name and waits.
        answer = subprocess.run(command, input=input or "", capture_output=True, text=True, check=False)
        if answer.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {answer.stderr.strip()}")
        return answer.stdout

    @abstractmethod
    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return the kubeconfig of a user with a client certificate, who may do what RBAC grants and no more."""

    def kubeconfig_for_service_account(self, namespace: str, name: str) -> Path:
        """Return the kubeconfig of an existing service account, with a token requested for it."""
        token = self.kubectl("create", "token", name, f"--namespace={namespace}", f"--duration={VALID_FOR}")
        path = self._kubeconfig_path(f"system:serviceaccount:{namespace}:{name}", ())
        return self._endpoint().with_token(path, token.strip())

    @property
    @abstractmethod
    def audit_log(self) -> Path:
        """Return the API server's audit log: JSON lines, one for each answered request (`AUDIT_POLICY`)."""

    @abstractmethod
    def stop_api_server(self) -> None:
        """Stop the API server; etcd keeps everything."""

    @abstractmethod
    def start_api_server(self) -> None:
        """Start the stopped API server at the same address and wait until it is ready."""

    def restart_api_server(self) -> None:
        """Stop and start the API server: every watch ends, everything else is as before."""
        self.stop_api_server()
        self.start_api_server()

    @abstractmethod
    def _endpoint(self) -> Endpoint: ...

    def _kubeconfig_path(self, user: str, groups: Sequence[str]) -> Path:
        """Return a path of its own for each identity, readable in a listing."""
        digest = hashlib.sha256("\0".join((user, *groups)).encode()).hexdigest()[:8]
        return self.folder / "kubeconfigs" / f"{re.sub('[^A-Za-z0-9]+', '-', user)}-{digest}.yaml"


class KubectlError(ClusterError):
    """kubectl, and mostly the API server through it, said no; the text is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCluster(Cluster):
    """A cluster that `up` started."""

    state: StateFolder
    record: Record

    @classmethod
    def of(cls, state: StateFolder, record: Record) -> LocalCluster:
        """Return the cluster that lives in a state folder."""
        return cls(
            level=record.level,
            kubeconfig=state.admin_kubeconfig,
            server=record.server,
            kubectl_path=Path(record.programs["kubectl"]),
            folder=state.root,
            state=state,
            record=record,
        )

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Issue a certificate of the cluster's own authority."""
        pair = Authority.load(self.state.pki).issue(user, groups)
        return self._endpoint().with_certificate(self._kubeconfig_path(user, groups), pair)

    @property
    def audit_log(self) -> Path:
        """Return the audit log."""
        if not self.state.audit_log.exists():
            raise ClusterError(f"The cluster {self.state.name} was started without an audit log.")
        return self.state.audit_log

    def stop_api_server(self) -> None:
        """Stop the API server, with time to answer what it has begun."""
        processes.stop(self.state.root, [API_SERVER], grace_seconds=STOP_WITHIN_SECONDS)

    def start_api_server(self) -> None:
        """Start it with the command it had."""
        start_component(self.state, self.record.components[API_SERVER])
        wait_until_ready(self._site())

    def stop_etcd(self) -> None:
        """Stop etcd: the API server answers what it has in memory, and nothing else."""
        processes.stop(self.state.root, [ETCD], grace_seconds=STOP_WITHIN_SECONDS)

    def start_etcd(self) -> None:
        """Start it with all that it had, and wait until the API server is ready."""
        start_component(self.state, self.record.components[ETCD])
        wait_until_ready(self._site())

    def believe(self, *others: Authority) -> None:
        """Let the API server take client certificates of these authorities, besides its own, and of no others."""
        own = Authority.load(self.state.pki)
        bundle = b"".join(one.certificate_pem for one in (own, *others))
        replace_private(self.state.pki / "ca.crt", bundle)

    def collect_garbage(self) -> None:
        """Have the API server's garbage collected, so that it is not while something is measured."""
        self.kubectl("get", f"--raw={COLLECT_GARBAGE}")

    @property
    def containerd(self) -> Path:
        """Return where the node's containerd listens."""
        return self.state.root / "containerd" / "containerd.sock"

    def missing_components(self) -> list[str]:
        """Name the components that should run and do not."""
        alive = set(processes.running(self.state.root).values())
        return [name for name in self.record.components if name not in alive]

    def _site(self) -> Site:
        address = self.server.removeprefix("https://").rpartition(":")[0]
        return Site(state=self.state, authority=Authority.load(self.state.pki), record=self.record, address=address)

    def _endpoint(self) -> Endpoint:
        return Endpoint(self.server, (self.state.pki / "ca.crt").read_bytes())
