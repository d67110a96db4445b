"""The cluster of an explicit KUBECONFIG: tests run against it instead of starting one of their own."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from tests.cluster.certificates import KeyPair, key_pem, new_key, subject
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.kubeconfig import Endpoint, read_endpoint
from tests.cluster.levels import Level
from tests.cluster.programs import find_programs
from tests.cluster.waiting import wait_for

VARIABLES = ("PERIODICBUILD_TEST_KUBECONFIG", "KUBECONFIG")
"""In this order; the first is for those whose KUBECONFIG is for something else."""

ALL_READY = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
"""Prints one word per node."""

SIGNED_WITHIN_SECONDS = 30
"""The signing controller takes about a second."""


def explicit_kubeconfig() -> Path | None:
    """Return the kubeconfig that the person wants tests to use."""
    value = next((value for name in VARIABLES if (value := os.environ.get(name))), None)
    if value is None:
        return None
    if not Path(value).is_file():
        raise ClusterError(f"{' or '.join(VARIABLES)} is {value!r}, which is no file: correct it or unset it.")
    return Path(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCluster(Cluster):
    """Somebody else's cluster: it is used, never started or stopped."""

    @classmethod
    def of(cls, kubeconfig: Path, level: Level, folder: Path) -> ExternalCluster:
        """Return the cluster of a kubeconfig; raise ClusterError where its level is clearly less than the wanted one.

        Kubeconfigs of test users are put into folder.
        """
        cluster = cls(
            level=level,
            kubeconfig=kubeconfig,
            server=str(yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]),
            kubectl_path=find_programs(["kubectl"])["kubectl"],
            folder=folder,
        )
        if level is not Level.CONTROL_PLANE and "True" not in cluster.kubectl(
            "get", "nodes", f"-o=jsonpath={ALL_READY}"
        ):
            cluster._refuse("has no ready node")
        return cluster

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Have the cluster itself sign a client certificate, with the administrator's approval."""
        key = new_key()
        request = x509.CertificateSigningRequestBuilder().subject_name(subject(user, groups)).sign(key, hashes.SHA256())
        name = f"periodicbuild-test-{os.getpid()}-{time.monotonic_ns()}"
        self.kubectl("create", "-f", "-", input=_signing_request(name, request))
        self.kubectl("certificate", "approve", name)
        certificate = wait_for(
            lambda: self.kubectl("get", "csr", name, "-o", "jsonpath={.status.certificate}"),
            within_seconds=SIGNED_WITHIN_SECONDS,
            what=f"the cluster did not sign the CertificateSigningRequest {name}",
        )
        self.kubectl("delete", "csr", name)
        pair = KeyPair(base64.b64decode(certificate), key_pem(key))
        return self._endpoint().with_certificate(self._kubeconfig_path(user, groups), pair)

    @property
    def audit_log(self) -> Path:
        """Refuse: it lies on the other cluster's machine."""
        return self._refuse("has no audit log that tests can read")

    def stop_api_server(self) -> None:
        """Refuse: others may use it."""
        self._refuse("cannot be stopped by tests")

    def start_api_server(self) -> None:
        """Refuse: it cannot have been stopped."""
        self._refuse("cannot be started by tests")

    def _endpoint(self) -> Endpoint:
        return read_endpoint(self.kubectl("config", "view", "--raw", "--minify", "--flatten"))

    def _refuse(self, why: str) -> NoReturn:
        raise ClusterError(f"The cluster of {self.kubeconfig} {why}: unset {' and '.join(VARIABLES)} for this test.")


def _signing_request(name: str, request: x509.CertificateSigningRequest) -> str:
    encoded = base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"signerName": "kubernetes.io/kube-apiserver-client", "request": encoded, "usages": ["client auth"]}
    kind = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    return yaml.safe_dump(kind | {"metadata": {"name": name}, "spec": spec})
