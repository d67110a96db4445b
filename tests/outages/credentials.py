"""Log-ins that are refused from some moment on: a token that expires, and certificates whose authority is replaced.

They are the operator's own account by another way, so roles, policies and the audit log know it as ever.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from tests.cluster.certificates import Authority, replace_private
from tests.cluster.cluster import KubectlError
from tests.cluster.waiting import wait_for
from tests.operator_process import ACCOUNT, NAMESPACE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.cluster import LocalCluster

ISSUER: Final = "https://kubernetes.default.svc"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
GROUPS: Final = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
AN_HOUR: Final = 3600
LEEWAY_SECONDS: Final = 60
"""So long the API server lets an expired token in: clocks differ."""
COORDINATE_BYTES: Final = 32
"""Of a signature with the curve P-256 (RFC 7518, 3.4)."""
NOTICED_WITHIN_SECONDS: Final = 60.0
"""The API server remembers for ten seconds that a token was good."""


def token_of(cluster: LocalCluster, *, valid_seconds: float) -> str:
    """Issue a token as the API server does, but one that does not last ten minutes, the shortest that it gives out."""
    account = json.loads(cluster.kubectl("get", "serviceaccount", ACCOUNT, f"--namespace={NAMESPACE}", "--output=json"))
    ends = int(time.time() + valid_seconds - LEEWAY_SECONDS)
    claims = {
        "iss": ISSUER,
        "aud": [ISSUER],
        "sub": USER,
        "iat": ends - AN_HOUR,
        "nbf": ends - AN_HOUR,
        "exp": ends,
        "kubernetes.io": {
            "namespace": NAMESPACE,
            "serviceaccount": {"name": ACCOUNT, "uid": account["metadata"]["uid"]},
        },
    }
    signed = f"{_part({'alg': 'ES256', 'typ': 'JWT'})}.{_part(claims)}"
    key = serialization.load_pem_private_key((cluster.state.pki / "service-accounts.key").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    numbers = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = b"".join(number.to_bytes(COORDINATE_BYTES, "big") for number in numbers)
    return f"{signed}.{_base64(signature)}"


def _part(content: dict[str, Any]) -> str:
    return _base64(json.dumps(content).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def write_kubeconfig(cluster: LocalCluster, path: Path, user: dict[str, str], authority: Path) -> Path:
    """Write one that names files, which may be replaced."""
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["clusters"][0]["cluster"] = {"server": cluster.server, "certificate-authority": str(authority)}
    document["users"][0]["user"] = user
    path.write_text(yaml.safe_dump(document))
    return path


def await_welcome(cluster: LocalCluster, kubeconfig: Path) -> None:
    """Wait until the API server lets somebody in."""
    wait_for(
        lambda: _is_let_in(cluster, kubeconfig),
        within_seconds=NOTICED_WITHIN_SECONDS,
        what=f"{kubeconfig.name} is not let in",
    )


def await_refusal(cluster: LocalCluster, kubeconfig: Path) -> None:
    """Wait until the API server does not let somebody in any more."""
    wait_for(
        lambda: not _is_let_in(cluster, kubeconfig),
        within_seconds=NOTICED_WITHIN_SECONDS,
        what=f"{kubeconfig.name} is still let in",
    )


def _is_let_in(cluster: LocalCluster, kubeconfig: Path) -> bool:
    try:
        cluster.kubectl("auth", "whoami", kubeconfig=kubeconfig)
    except KubectlError as error:
        if "Unauthorized" not in str(error):
            raise
        return False
    return True


@dataclass(slots=True)
class Certificates:
    """Those of the operator and of the API server: both have one authority, and get another."""

    cluster: LocalCluster
    folder: Path
    _old: Authority = field(default_factory=Authority.create, init=False)
    _new: Authority = field(default_factory=Authority.create, init=False)

    @property
    def everybody(self) -> bytes:
        """Give all authorities that the API server ever has, for those who are not to be disturbed."""
        return Authority.load(self.cluster.state.pki).certificate_pem + self._new.certificate_pem

    def begin(self) -> Path:
        """Write the operator's files, and a kubeconfig that names them."""
        self.cluster.believe(self._old)
        self._issue(self._old)
        authority = self.folder / "trusted.crt"
        authority.write_bytes(Authority.load(self.cluster.state.pki).certificate_pem)
        kubeconfig = write_kubeconfig(self.cluster, self.folder / "certificates.yaml", self._user, authority)
        await_welcome(self.cluster, kubeconfig)
        return kubeconfig

    def rotate_server(self) -> None:
        """Let the API server show another certificate and refuse the operator's; returns when it does."""
        everybody = self.folder / "everybody.crt"
        everybody.write_bytes(self.everybody)
        pair = self._new.issue("kube-apiserver", hosts=("localhost", "127.0.0.1"))
        replace_private(self.cluster.state.pki / "apiserver.key", pair.key)
        replace_private(self.cluster.state.pki / "apiserver.crt", pair.certificate)
        self.cluster.believe(self._new)
        old = write_kubeconfig(self.cluster, self.folder / "old.yaml", self._user, everybody)
        await_refusal(self.cluster, old)

    def rotate_client(self) -> None:
        """Replace the operator's files under their names."""
        self._issue(self._new)
        replace_private(self.folder / "trusted.crt", self._new.certificate_pem)

    @property
    def _user(self) -> dict[str, str]:
        return {"client-certificate": str(self.folder / "client.crt"), "client-key": str(self.folder / "client.key")}

    def _issue(self, authority: Authority) -> None:
        pair = authority.issue(USER, GROUPS)
        replace_private(self.folder / "client.key", pair.key)
        replace_private(self.folder / "client.crt", pair.certificate)
