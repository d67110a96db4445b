"""kopf, read-only: it runs the process and shows us what people write; it never decides and never writes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import kopf

from periodicbuild.kube.kinds import PERIODIC_BUILDS
from periodicbuild.kube.parse import stored_build_from_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from periodicbuild.kube.credentials import Credentials
    from periodicbuild.wiring.store import Store

LOGIN_LASTS = timedelta(minutes=10)
"""Then kopf asks again, which is how rotated tokens reach it."""


class _NoDiffBase(kopf.DiffBaseStorage):
    """Remember nothing: there are no change-detecting handlers, and a deep copy per event is most of kopf's cost."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class _NoProgress(kopf.ProgressStorage):
    """Remember nothing: there are no handlers with progress."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


class _EndlessBackOff:
    """Pauses for ever, so that no outage of the API server ends the process."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.5, 1.0, 2.0, 4.0)
        while True:
            yield random.uniform(5.0, 10.0)  # noqa: S311 - spreads load, guards nothing


def kopf_settings() -> kopf.OperatorSettings:
    """Give the settings that were measured to cost least (reference: kopf 1.45)."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.watching.chunk_size = 500
    settings.queueing.idle_timeout = 0.1
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = _EndlessBackOff()
    settings.networking.enforce_retry_after = True
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.persistence.progress_storage = _NoProgress()
    settings.process.ultimate_exiting_timeout = 5
    return settings


def kopf_registry(store: Store, credentials: Credentials, stop: Callable[[], Awaitable[None]]) -> kopf.OperatorRegistry:
    """Give the handlers: log in, show every PeriodicBuild, stop in order."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_of(credentials)

    @kopf.on.event(PERIODIC_BUILDS.group, PERIODIC_BUILDS.version, PERIODIC_BUILDS.plural, registry=registry)
    async def see(event: kopf.RawEvent, **_: Any) -> None:
        stored = stored_build_from_body(event["object"])
        if event["type"] == "DELETED":
            store.remove_build(stored.build.ref)
        else:
            store.put_build(stored)

    @kopf.on.cleanup(registry=registry)
    async def clean_up(**_: Any) -> None:
        await stop()

    return registry


async def connection_of(credentials: Credentials) -> kopf.ConnectionInfo:
    """Hand our credentials to kopf, so that there is one way to log in."""
    token = await credentials.authorization()
    scheme, _, secret = (token or "").partition(" ")
    return kopf.ConnectionInfo(
        server=credentials.server,
        ca_path=credentials.ca_file,
        insecure=credentials.is_insecure,
        proxy_url=credentials.proxy,
        certificate_path=credentials.certificate_file,
        private_key_path=credentials.key_file,
        scheme=scheme or None,
        token=secret or None,
        expiration=datetime.now(UTC) + LOGIN_LASTS,
    )
