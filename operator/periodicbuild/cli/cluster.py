"""The API server as commands see it: bytes come back, and every refusal is a KubeError.

Must not know what is asked for, or why.

The one idea a newcomer would miss: who we are is read by the operator's own `load_credentials`, so that exec plug-ins,
token files and lists of kubeconfigs work here as they do there; pykube-ng then sends the requests.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pykube

from periodicbuild.cli.contexts import read_contexts
from periodicbuild.kube.answers import error_from_answer, error_without_answer
from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.paths import target_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from periodicbuild.kube.credentials import Credentials
    from periodicbuild.kube.paths import Kind

TIMEOUT_SECONDS: Final = (5.0, 30.0)
"""To connect, and for an answer to begin: a person waits."""

PAGE: Final = 500
"""Objects per request, as kubectl asks for them."""

EVERYWHERE: Final = ""
"""In place of a namespace: all of them."""

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"

SELF: Final = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which cluster is meant, and where in it."""

    namespace: str | None = None
    """None = the context's."""
    context: str | None = None
    kubeconfig: Path | None = None


class _ListMeta(msgspec.Struct):
    token: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct):
    items: tuple[msgspec.Raw, ...] = ()
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster, as one identity."""

    client: Any
    """A pykube.HTTPClient."""
    credentials: Credentials
    namespace: str
    """Where everything is looked for, unless a command says otherwise."""

    def read(self, kind: Kind, name: str) -> bytes:
        """Read one object of the namespace."""
        return self._request("GET", kind.path(namespace=self.namespace, name=name), {})

    def read_path(self, path: str) -> bytes:
        """Read what does not lie in the namespace: discovery, and objects of the whole cluster."""
        return self._request("GET", path, {})

    def ask(self, review: Kind, question: Mapping[str, Any]) -> bytes:
        """Create what is never stored: a review, whose answer is its status."""
        return self._request("POST", review.path(), {}, msgspec.json.encode(question))

    def list(self, kind: Kind, namespace: str, labels: str = "") -> Iterator[bytes]:
        """List the objects of a namespace, or EVERYWHERE, in the order of namespace and name; `labels` selects."""
        params = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        while True:
            page = msgspec.json.decode(self._request("GET", kind.path(namespace=namespace), params), type=_Page)
            yield from map(bytes, page.items)
            if not page.metadata.token:
                return
            params["continue"] = page.metadata.token

    def patch(self, kind: Kind, name: str, change: Mapping[str, Any]) -> bytes:
        """Change one object of the namespace by a merge patch, and give what it is then."""
        body = msgspec.json.encode(change)
        return self._request("PATCH", kind.path(namespace=self.namespace, name=name), {}, body)

    def patch_path(self, path: str, change: Mapping[str, Any]) -> bytes:
        """Change by a merge patch what does not lie in the namespace."""
        return self._request("PATCH", path, {}, msgspec.json.encode(change))

    def create(self, kind: Kind, manifest: Mapping[str, Any]) -> bytes:
        """Create an object of the whole cluster."""
        return self._request("POST", kind.path(), {}, msgspec.json.encode(manifest))

    def stream(self, kind: Kind, name: str, subresource: str, params: Mapping[str, str]) -> Generator[bytes]:
        """Read something long piece by piece, for as long as more comes; close it to stop."""
        path = kind.path(namespace=self.namespace, name=name, subresource=subresource)
        target = target_of("GET", path, params)
        try:
            url = self.client.url.rstrip("/") + path
            with self.client.session.get(url, params=params, stream=True, timeout=(TIMEOUT_SECONDS[0], None)) as answer:
                if not answer.ok:
                    raise error_from_answer(target, answer.status_code, answer.content, answer.headers)
                yield from answer.iter_content(chunk_size=None)
        except OSError as error:
            raise error_without_answer(target, _why_unanswered(error, self.client.url)) from error

    def _request(self, method: str, path: str, params: Mapping[str, str], body: bytes | None = None) -> bytes:
        target = target_of(method, path, params)
        try:
            answer = self._send(method, path, params, body)
            if answer.status_code == HTTPStatus.UNAUTHORIZED and self._log_in_again():
                answer = self._send(method, path, params, body)
        except OSError as error:  # what requests raises for every failure to get an answer is one
            raise error_without_answer(target, _why_unanswered(error, self.client.url)) from error
        if not answer.ok:
            raise error_from_answer(target, answer.status_code, answer.content, answer.headers)
        if JSON not in answer.headers.get("Content-Type", ""):
            raise error_without_answer(target, f"what answers at {self.client.url} is no API server")
        return bytes(answer.content)

    def _send(self, method: str, path: str, params: Mapping[str, str], body: bytes | None) -> Any:
        return self.client.session.request(
            method,
            self.client.url.rstrip("/") + path,
            params=params,
            data=body,
            headers={"Content-Type": MERGE_PATCH if method == "PATCH" else JSON} if body else {},
            timeout=self.client.timeout,
        )

    def _log_in_again(self) -> bool:
        """Renew what was refused: a token may expire while a run of hours is followed."""
        refused = self.client.session.headers.get("Authorization")
        is_renewed = asyncio.run(self.credentials.renew(refused))
        if is_renewed and (authorization := asyncio.run(self.credentials.authorization())) is not None:
            self.client.session.headers["Authorization"] = authorization
        return is_renewed


@contextmanager
def connect(where: Where) -> Iterator[Cluster]:
    """Log in; raises CredentialsError or BadInputError, and sends nothing yet."""
    default = read_contexts(where.kubeconfig).namespace_of(where.context)
    credentials, authorization = asyncio.run(_log_in(where))
    config = pykube.KubeConfig(_kubeconfig(credentials), SELF)
    client = pykube.HTTPClient(config, timeout=TIMEOUT_SECONDS)
    client.session.trust_env = False  # no ~/.netrc, and no proxy but the one that the credentials name
    client.session.headers["User-Agent"] = "kubectl-periodicbuild"
    if authorization is not None:
        client.session.headers["Authorization"] = authorization
    if credentials.proxy is not None:
        client.session.proxies = dict.fromkeys(("http", "https"), credentials.proxy)
    with client.session:
        yield Cluster(client=client, credentials=credentials, namespace=where.namespace or default)


async def _log_in(where: Where) -> tuple[Credentials, str | None]:
    credentials = await load_credentials(where.kubeconfig, where.context)
    return credentials, await credentials.authorization()


def _kubeconfig(credentials: Credentials) -> dict[str, Any]:
    """Put what is known already into the form that pykube-ng reads."""
    cluster = {
        "server": credentials.server,
        "certificate-authority": None if credentials.is_insecure else credentials.ca_file,
        "insecure-skip-tls-verify": credentials.is_insecure,
        "tls-server-name": credentials.server_hostname,
    }
    user = {"client-certificate": credentials.certificate_file, "client-key": credentials.key_file}
    return {
        "clusters": [{"name": SELF, "cluster": _given(cluster)}],
        "users": [{"name": SELF, "user": _given(user)}],
        "contexts": [{"name": SELF, "context": {"cluster": SELF, "user": SELF}}],
    }


def _given(fields: Mapping[str, str | bool | None]) -> dict[str, str | bool]:
    return {name: value for name, value in fields.items() if value is not None}


def _why_unanswered(error: BaseException, url: str) -> str:
    """Give the innermost reason: the outer ones name objects of the HTTP library."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {url} is not one that the kubeconfig trusts ({error.verify_message})"
    return f"no API server answers at {url} ({getattr(error, 'strerror', None) or error or type(error).__name__})"
