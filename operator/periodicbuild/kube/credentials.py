"""Who we are and where the API server is, from a kubeconfig or from the pod's service account.

Must not know what is requested.  Everything is read through `kubernetes.aio.config`: exec plug-ins, token files,
client certificates, OIDC.

The one idea a newcomer would miss: every credential is on loan.  A pod's token is replaced about hourly and its
certificate authority now and then, so all of it is read again once a minute and whenever one side refuses the other; a
reading that fails leaves what was there in force, because the old token is mostly still good.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from kubernetes.aio.config.kube_config import KubeConfigLoader, yaml

from periodicbuild.kube.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REREAD_EVERY_SECONDS = 60.0
"""A pod's token is replaced when a fifth of its life is left, two minutes at the least: once a minute is in time."""

REFUSED_REREAD_EVERY_SECONDS = 1.0
"""After a 401 at once; 32 requests refused together are one reason to read, not 32."""

READING_TAKES_AT_MOST_SECONDS = 30.0
"""An exec plug-in that waits for a person would otherwise hold the request that needs it for ever."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Never reached through the environment's proxy, as in Go's clients."""

READING_FAILURES = (ConfigException, OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError)
"""What the package raises for a kubeconfig or a token file that is missing, half-written or not one at all."""

_log = logging.getLogger(__name__)


class Credentials:
    """Hold the server's address, the TLS context and the current token; make them with `load_credentials`."""

    def __init__(
        self,
        read: Callable[[Configuration], Awaitable[None]],
        source: str,
        *,
        forget: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` fills a Configuration in, again and again; `source` is what a person calls the place it reads.

        `forget` is called before a reading that a refusal has led to: what `read` still holds is no good any more.
        """
        self._read = read
        self._forget = forget
        self._source = source
        self._monotonic = monotonic
        self._configuration = Configuration()
        self._read_at = 0.0
        self._reading = asyncio.Lock()
        self._is_stale_announced = False
        self._certificates: tuple[bytes, ...] = ()
        self.ssl_context: ssl.SSLContext | None = None
        """None for a plain http address; another one for other certificates, as a connection keeps those of its own."""
        self.proxy: str | None = None
        """The HTTP proxy: the kubeconfig's own, else the environment's; None for none."""

    @property
    def server(self) -> str:
        """Give the address without a slash at its end; it may have a path (`https://proxy/k8s/clusters/c-1`)."""
        return str(self._configuration.host).rstrip("/")

    @property
    def server_hostname(self) -> str | None:
        """Give the name to expect in the server's certificate; None = the one in the address."""
        return self._configuration.tls_server_name or None

    @property
    def ca_file(self) -> str | None:
        """Give the file of certificate authorities; None = the system's."""
        return self._configuration.ssl_ca_cert or None

    @property
    def certificate_file(self) -> str | None:
        """Give the client certificate's file; None without one."""
        return self._configuration.cert_file or None

    @property
    def key_file(self) -> str | None:
        """Give the file of the client certificate's key; None without one."""
        return self._configuration.key_file or None

    @property
    def is_insecure(self) -> bool:
        """Tell whether the kubeconfig says that the server's certificate is not to be verified."""
        return not self._configuration.verify_ssl

    async def authorization(self) -> str | None:
        """Give the Authorization header, read again if a minute has passed; None with client certificates only."""
        if self._age() >= REREAD_EVERY_SECONDS:
            await self._reread_if_older_than(REREAD_EVERY_SECONDS, forget=lambda: None)
        return self._token()

    async def renew(self, refused: str | None) -> bool:
        """Read everything again because the server refused; True if another try has something else to show."""
        if self._token() == refused:
            await self._reread_if_older_than(REFUSED_REREAD_EVERY_SECONDS, forget=self._forget)
        return self._token() != refused or bool(self._configuration.cert_file)

    async def renew_trust(self, context: ssl.SSLContext | None) -> bool:
        """Read everything again because no authority in a context knows the server; True if there is another now."""
        if self.ssl_context is context:
            await self._reread_if_older_than(REFUSED_REREAD_EVERY_SECONDS, forget=lambda: None)
        return self.ssl_context is not context

    async def load(self) -> None:
        """Read for the first time; raises CredentialsError, with which the process ends."""
        try:
            await self._read_in_time()
            self._take_certificates()
            self.proxy = self._configuration.proxy or _environment_proxy(self.server)
        except READING_FAILURES as error:
            raise CredentialsError(f"cannot log in with {self._source}: {error}") from error
        if self.ssl_context is not None and not self._token() and not self._configuration.cert_file:
            raise CredentialsError(
                f"cannot log in with {self._source}: it yields neither a token nor a client certificate; "
                "if it names an exec plug-in, run that by hand and see what it says"
            )
        self._read_at = self._monotonic()

    def _age(self) -> float:
        return self._monotonic() - self._read_at

    async def _reread_if_older_than(self, seconds: float, forget: Callable[[], None]) -> None:
        """Read again, once for all requests that were refused together: the others wait here for the first."""
        async with self._reading:
            if self._age() < seconds:
                return
            self._read_at = self._monotonic()  # first of all, so that requests not refused go on with the old token
            try:
                forget()
                await self._read_in_time()
                self._take_certificates()
            except READING_FAILURES as error:
                self._announce_stale(error)
            else:
                self._is_stale_announced = False

    async def _read_in_time(self) -> None:
        async with asyncio.timeout(READING_TAKES_AT_MOST_SECONDS):
            await self._read(self._configuration)

    def _announce_stale(self, error: Exception) -> None:
        if not self._is_stale_announced:
            _log.warning(
                "cannot read the credentials again; going on with the old ones",
                extra={"source": self._source, "error": str(error)},
            )
        self._is_stale_announced = True

    def _token(self) -> str | None:
        """Give the header's value; a file's newline at the end would be a header injection to aiohttp."""
        token = self._configuration.api_key.get("BearerToken")
        return str(token).strip() if token else None

    def _take_certificates(self) -> None:
        """Begin a new context if the files hold something else than before."""
        if not self.server.startswith("https"):
            return
        files = filter(None, (self.ca_file, self.certificate_file, self.key_file))
        certificates = tuple(Path(file).read_bytes() for file in files)
        if self.ssl_context is None or certificates != self._certificates:
            self.ssl_context = self._new_ssl_context()
            self._certificates = certificates

    def _new_ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._configuration.ssl_ca_cert)
        # Python 3.13 turns this on; cluster CAs made by older tools lack the extensions that it asks for.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.is_insecure:
            _log.warning("the server's certificate is not verified", extra={"source": self._source})
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._configuration.cert_file:
            context.load_cert_chain(self._configuration.cert_file, self._configuration.key_file)
        return context


async def load_credentials(
    kubeconfig: Path | None = None, context: str | None = None, *, monotonic: Callable[[], float] = time.monotonic
) -> Credentials:
    """Find and load credentials: the given file, else $KUBECONFIG, else the pod's own, else ~/.kube/config.

    Raises CredentialsError naming the source and what is wrong with it.
    """
    named = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG", "")
    if not named and "KUBERNETES_SERVICE_HOST" in os.environ:
        credentials = Credentials(_read_in_cluster, "the pod's service account", monotonic=monotonic)
    else:
        files = named or str(Path.home() / ".kube" / "config")
        if not _existing(files):
            raise CredentialsError(
                f"no kubeconfig at {files}, and this is no pod with a service account; set KUBECONFIG or name the file"
            )
        file = _Kubeconfig(files, context)
        credentials = Credentials(file.read, f"kubeconfig {files}", forget=file.forget, monotonic=monotonic)
    await credentials.load()
    return credentials


async def _read_in_cluster(configuration: Configuration) -> None:
    load_incluster_config(client_configuration=configuration, try_refresh_token=False)


class _Kubeconfig:
    """Read kubeconfig files, which a log-in tool may rewrite at any time.

    While they stay the same the loader is kept: it re-reads the token file they name, and runs an exec plug-in only
    when what it gave last has expired, or was refused.
    """

    def __init__(self, files: str, context: str | None) -> None:
        self._files = files
        self._context = context
        self._loader: KubeConfigLoader | None = None
        self._written: list[int] = []

    def forget(self) -> None:
        """Let go of what an exec plug-in gave: it may have been revoked long before it expires."""
        self._loader = None

    async def read(self, configuration: Configuration) -> None:
        """Fill in address, certificates and token."""
        written = [path.stat().st_mtime_ns for path in _existing(self._files)]
        if self._loader is not None and written == self._written:
            await self._loader.load_and_set(configuration)
            return
        self._loader = await load_kube_config(
            config_file=self._files, context=self._context, client_configuration=configuration, persist_config=False
        )
        self._written = written


def _existing(files: str) -> list[Path]:
    paths = [Path(file).expanduser() for file in files.split(os.pathsep) if file]
    return [path for path in paths if path.is_file()]


def _environment_proxy(server: str) -> str | None:
    """Look HTTPS_PROXY and NO_PROXY up once per session: aiohttp's own way asks ~/.netrc at every request as well."""
    address = urlsplit(server)
    host = address.hostname or ""
    if host in LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(address.scheme)
