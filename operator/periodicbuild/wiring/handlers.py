"""kopf runs the process: it logs in, waits for signals and ends in order.  It watches, decides and writes nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import kopf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from periodicbuild.kube.credentials import Credentials

LOGIN_LASTS = timedelta(minutes=10)
"""Then kopf asks again, which is how rotated tokens reach it."""


class _EndlessBackOff:
    """Pauses for ever, so that no outage of the API server ends the process."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.5, 1.0, 2.0, 4.0)
        while True:
            yield random.uniform(5.0, 10.0)  # noqa: S311 - spreads load, guards nothing


def kopf_settings() -> kopf.OperatorSettings:
    """Give the settings: no watches of its own, no peers, and no outage that ends it."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = _EndlessBackOff()
    settings.networking.enforce_retry_after = True
    settings.process.ultimate_exiting_timeout = 5
    return settings


def kopf_registry(credentials: Credentials, stop: Callable[[], Awaitable[None]]) -> kopf.OperatorRegistry:
    """Give the handlers: log in, and stop in order."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_of(credentials)

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
