"""A real registry of images on loopback: Debian's docker-registry, with a configuration and a store of its own.

The one idea a newcomer would miss: an image is whatever a manifest says, so a few bytes that nobody could run are
enough for a digest that changes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.cluster.packages import Need, ensure_packages
from tests.cluster.ports import free_loopback_port
from tests.cluster.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import trustme

NEED: Final = Need(purpose="A real registry of images", files={"docker-registry": ("docker-registry",)})
READY_WITHIN_SECONDS: Final = 20
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
USER_AND_PASSWORD: Final = "me:secret"  # noqa: S105 - of a registry that lives as long as a test
HTPASSWD: Final = "me:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
"""The same, as bcrypt."""


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Registry:
    """One that runs."""

    address: str
    """`host:port`, as it stands in references."""
    headers: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None

    def push(self, repository: str, tag: str, content: str) -> str:
        """Push an image for one platform, and give its digest."""
        config = self._push_blob(
            repository, json.dumps({"architecture": "amd64", "os": "linux", "x": content}).encode()
        )
        body = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **config},
            "layers": [],
        }
        return self._push_manifest(repository, tag, MANIFEST, body)

    def push_list(self, repository: str, tag: str, *contents: str) -> str:
        """Push an image for several platforms, and give the digest of the list."""
        manifests = []
        for number, content in enumerate(contents):
            digest = self.push(repository, f"{tag}-{number}", content)
            size = len(self._ask("GET", f"{repository}/manifests/{digest}", None, {"Accept": MANIFEST}).body)
            platform = {"architecture": f"a{number}", "os": "linux"}
            manifests.append({"mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform})
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        return self._push_manifest(repository, tag, INDEX, body)

    def _push_blob(self, repository: str, content: bytes) -> dict[str, Any]:
        begun = self._ask("POST", f"{repository}/blobs/uploads/", b"", {})
        location = begun.headers["Location"]
        mark = "&" if "?" in location else "?"
        self._ask(
            "PUT", f"{location}{mark}digest={_digest(content)}", content, {"Content-Type": "application/octet-stream"}
        )
        return {"digest": _digest(content), "size": len(content)}

    def _push_manifest(self, repository: str, tag: str, kind: str, body: dict[str, Any]) -> str:
        content = json.dumps(body).encode()
        self._ask("PUT", f"{repository}/manifests/{tag}", content, {"Content-Type": kind})
        return _digest(content)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> _Answer:
        scheme = "https" if self.tls else "http"
        url = path if path.startswith("http") else f"{scheme}://{self.address}/v2/{path}"
        request = urllib.request.Request(url, body, {**self.headers, **headers}, method=method)  # noqa: S310 - loopback
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls))
        with urllib.request.build_opener(*handlers).open(request, timeout=10) as response:
            return _Answer(dict(response.headers), response.read())

    def is_up(self) -> bool:
        """Tell whether it answers."""
        try:
            self._ask("GET", "", None, {})
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Answer:
    headers: dict[str, str]
    body: bytes


@contextmanager
def running_registry(folder: Path, closed_by: trustme.CA | None = None) -> Iterator[Registry]:
    """Start one, and end it; with an authority it speaks TLS, and lets in who knows the password.

    Raises LevelUnavailableError where that cannot be.
    """
    ensure_packages(NEED)
    port = free_loopback_port()
    (folder / "config.yml").write_text(json.dumps(_configuration(folder, port, closed_by)))
    registry = Registry(f"127.0.0.1:{port}")
    if closed_by is not None:
        tls = ssl.create_default_context()
        closed_by.configure_trust(tls)
        basic = base64.b64encode(USER_AND_PASSWORD.encode()).decode()
        registry = Registry(f"localhost:{port}", {"Authorization": f"Basic {basic}"}, tls)
    log = (folder / "registry.log").open("wb")
    command = ["docker-registry", "serve", str(folder / "config.yml")]
    with log, subprocess.Popen(command, stdout=log, stderr=log, env={"OTEL_TRACES_EXPORTER": "none"}) as process:
        try:
            wait_for(registry.is_up, within_seconds=READY_WITHIN_SECONDS, what="the registry answers")
            yield registry
        finally:
            process.terminate()


def _configuration(folder: Path, port: int, closed_by: trustme.CA | None) -> dict[str, Any]:
    http: dict[str, Any] = {"addr": f"127.0.0.1:{port}"}
    common = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
        "http": http,
    }
    if closed_by is None:
        return common
    (folder / "htpasswd").write_text(HTPASSWD)
    certificate = closed_by.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    http["tls"] = {"certificate": str(folder / "cert.pem"), "key": str(folder / "key.pem")}
    return {**common, "auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}}
