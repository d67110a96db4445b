"""Write and read kubeconfig files with everything inside them, so that one can be copied and passed around."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.cluster.certificates import KeyPair, write_private


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API server is and how it is recognised."""

    server: str
    """https://host:port"""
    authority: bytes
    """PEM of the certificate authority."""

    def with_certificate(self, path: Path, pair: KeyPair) -> Path:
        """Write the kubeconfig of somebody with a client certificate; return its path."""
        user = {"client-certificate-data": _encoded(pair.certificate), "client-key-data": _encoded(pair.key)}
        return self._write(path, user)

    def with_token(self, path: Path, token: str) -> Path:
        """Write the kubeconfig of somebody with a bearer token; return its path."""
        return self._write(path, {"token": token})

    def _write(self, path: Path, user: dict[str, str]) -> Path:
        cluster = {"server": self.server, "certificate-authority-data": _encoded(self.authority)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": cluster}],
            "users": [{"name": "user", "user": user}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "user"}}],
            "current-context": "local",
        }
        write_private(path, yaml.safe_dump(document).encode())
        return path


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def read_endpoint(text: str) -> Endpoint:
    """Read the endpoint from a kubeconfig that `kubectl config view --raw --minify --flatten` printed."""
    document: dict[str, Any] = yaml.safe_load(text)
    cluster = document["clusters"][0]["cluster"]
    return Endpoint(cluster["server"], base64.b64decode(cluster.get("certificate-authority-data", "")))
