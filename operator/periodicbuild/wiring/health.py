"""The probes and the metrics, on one small server.

Alive means that the loop has turned and the watches have heard something lately, not that HTTP answers.  Ready means
that all lists are complete: a standby is ready too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from prometheus_client import CollectorRegistry

LOOP_STANDS_STILL_AFTER = timedelta(seconds=30)
"""The loop turns every second."""
WATCH_IS_STALE_AFTER = timedelta(minutes=10)
"""Bookmarks come every minute; an API server that is away for some minutes is not cured by a restart of ours."""


class Health:
    """Serve /healthz, /readyz and /metrics."""

    def __init__(
        self,
        complaint: Callable[[], str | None],
        what_is_missing: Callable[[], str | None],
        registry: CollectorRegistry,
    ) -> None:
        """Both functions give a sentence, or None when all is well."""
        self._complaint = complaint
        self._what_is_missing = what_is_missing
        self._registry = registry
        self._runner: web.AppRunner | None = None
        self.port = 0
        """The port in use, once started."""

    async def start(self, host: str, port: int) -> None:
        """Listen; raises OSError if the address is taken."""
        app = web.Application()
        app.router.add_get("/healthz", self._answer(self._complaint))
        app.router.add_get("/readyz", self._answer(self._what_is_missing))
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host or None, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _answer(self, problem: Callable[[], str | None]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(_request: web.Request) -> web.StreamResponse:
            sentence = problem()
            return web.Response(status=200 if sentence is None else 503, text=f"{sentence or 'ok'}\n")

        return handler

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
