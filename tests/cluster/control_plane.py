"""etcd, API server and controller manager: an API with real permissions, admission and garbage collection.

etcd listens on a Unix socket, the controller manager not at all: the API server's is the only port there is.
"""

from __future__ import annotations

import os
import socket

import yaml
from tests.cluster.certificates import key_pem, new_key, public_key_pem, write_private
from tests.cluster.errors import ClusterError
from tests.cluster.ports import free_loopback_port
from tests.cluster.site import (
    KUBERNETES_SERVICE,
    SERVICE_NETWORK,
    ComponentEndedError,
    Site,
    check_alive,
    log_tail,
)
from tests.cluster.waiting import wait_for

READY_WITHIN_SECONDS = 120
"""4-6 s are normal on 2 quiet cores; several clusters starting at once on busy ones take many times that."""

PORT_ATTEMPTS = 5
"""How often another program may be faster in taking the chosen port."""

API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
ETCD = "etcd"
SCHEDULER = "kube-scheduler"

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Request", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "Metadata"},
    ],
}
"""One line per answered request: who did what to which object, without its content; of a Lease also who gets it."""


def start_control_plane(site: Site) -> None:
    """Start everything and wait until namespaces are usable."""
    write_control_plane_keys(site)
    start_etcd(site)
    start_api_server_on_free_port(site)
    start_controller_manager(site)

    def can_create_pods() -> str | None:
        check_alive(site.state, CONTROLLER_MANAGER)
        return site.kubectl("get", "serviceaccount", "default")

    wait_for(
        can_create_pods,
        within_seconds=READY_WITHIN_SECONDS,
        what=f"the namespace default has no service account, see {site.state.log(CONTROLLER_MANAGER)}",
    )


def write_control_plane_keys(site: Site) -> None:
    """Write what the API server and the controller manager read from files."""
    pki, authority = site.state.pki, site.authority
    authority.write(pki)
    server_names = ("localhost", "127.0.0.1", "kubernetes.default.svc", "kubernetes.default", KUBERNETES_SERVICE)
    authority.issue("kube-apiserver", hosts=(*server_names, site.address)).write(pki, "apiserver")
    authority.issue("kube-apiserver-kubelet-client", ["system:masters"]).write(pki, "kubelet-client")
    key = new_key()
    write_private(pki / "service-accounts.key", key_pem(key))
    write_private(pki / "service-accounts.pub", public_key_pem(key))
    write_private(site.state.root / "audit-policy.yaml", yaml.safe_dump(AUDIT_POLICY).encode())


def start_etcd(site: Site) -> None:
    """Start etcd, which forgets everything with the cluster and so need not wait for the disk."""
    url = f"unix://{site.state.etcd_socket}"
    site.start(
        ETCD,
        f"--data-dir={site.state.root / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls=unix://{site.state.root / 'etcd-peer.sock'}",
        "--enable-grpc-gateway=false",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def start_api_server_on_free_port(site: Site) -> None:
    """Start the API server, again on another port when somebody was faster."""
    for _ in range(PORT_ATTEMPTS):
        try:
            return start_api_server(site, free_loopback_port())
        except ComponentEndedError:
            if "address already in use" not in log_tail(site.state, API_SERVER):
                raise
            site.state.log(API_SERVER).unlink()
    raise ClusterError(f"{PORT_ATTEMPTS} times another program took the port chosen for the API server; try again.")


def start_api_server(site: Site, port: int) -> None:
    """Start the API server on this port and wait until it is ready."""
    site.note_server(f"https://{site.address}:{port}")
    site.write_kubeconfig("admin", "local-admin", "system:masters")
    site.start(API_SERVER, *api_server_arguments(site, port), **_garbage(site))
    wait_until_ready(site)


def _garbage(site: Site) -> dict[str, str]:
    """Tell the API server's runtime when to collect its garbage: late, as that is half of the load of a test machine.

    For a measurement not at all by itself, unless it has half of the memory that there is.
    """
    if site.collects_garbage:
        return {"GOGC": "400"}
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return {"GOGC": "off", "GOMEMLIMIT": str(half)}


def wait_until_ready(site: Site) -> None:
    """Wait until the API server calls itself ready."""
    port = int(site.record.server.rpartition(":")[2])

    def is_ready() -> bool:
        check_alive(site.state, ETCD, API_SERVER)
        # A connection costs nothing, a kubectl costs more than a starting server should pay for every look.
        return _accepts(site.address, port) and site.kubectl("get", "--raw", "/readyz") == "ok"

    wait_for(
        is_ready,
        within_seconds=READY_WITHIN_SECONDS,
        what=f"the API server is not ready, see {site.state.log(API_SERVER)}",
    )


def api_server_arguments(site: Site, port: int) -> tuple[str, ...]:
    """Return the command line of the API server."""
    pki, state = site.state.pki, site.state
    is_loopback = site.address == "127.0.0.1"
    audit = (f"--audit-policy-file={state.root / 'audit-policy.yaml'}", f"--audit-log-path={state.audit_log}")
    return (
        f"--etcd-servers=unix://{state.etcd_socket}",
        f"--bind-address={site.address}",
        f"--advertise-address={site.address}",
        f"--secure-port={port}",
        # Endpoints may not be loopback addresses, so on loopback the service `kubernetes` has none.
        *(("--endpoint-reconciler-type=none",) if is_loopback else ()),
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'kubelet-client.key'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        "--kubelet-preferred-address-types=InternalIP",
        *(audit if site.has_audit_log else ()),
    )


def start_controller_manager(site: Site) -> None:
    """Start the controllers, each under its own service account as in any cluster."""
    pki = site.state.pki
    site.start(
        CONTROLLER_MANAGER,
        f"--kubeconfig={site.write_kubeconfig(CONTROLLER_MANAGER, 'system:kube-controller-manager')}",
        "--secure-port=0",
        "--use-service-account-credentials",
        "--leader-elect=false",
        f"--kube-api-qps={site.controller_qps}",
        f"--kube-api-burst={site.controller_qps * 3 // 2}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--service-account-private-key-file={pki / 'service-accounts.key'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
    )


def start_scheduler(site: Site) -> None:
    """Start the scheduler, for the levels that have nodes."""
    site.start(
        SCHEDULER,
        f"--kubeconfig={site.write_kubeconfig(SCHEDULER, 'system:kube-scheduler')}",
        "--secure-port=0",
        "--leader-elect=false",
    )


def _accepts(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
