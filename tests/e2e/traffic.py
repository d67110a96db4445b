"""Clients of a Service as they are in a cluster: they know its EndpointSlices, a little late, and nothing else.

The one idea a newcomer would miss: an address that a client has learned is used for a while after it has gone from the
slices.  So a switch costs no request only if the server before it stays up.
"""

from __future__ import annotations

import itertools
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pykube

if TYPE_CHECKING:
    from types import TracebackType

    from tests.e2e.stage import Stage

LEARNS_EVERY_SECONDS = 1.0
"""Addresses are used for so long, whatever the slices say meanwhile."""
WITHIN_SECONDS = 2.0
"""A request that takes longer has failed."""
PAUSE_SECONDS = 0.02
CLIENTS = 2


@dataclass(slots=True)
class Report:
    """What became of all requests."""

    answers: Counter[str] = field(default_factory=Counter)
    """By the name of the server that gave them."""
    failures: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Count them."""
        return self.answers.total() + len(self.failures)

    def __str__(self) -> str:
        """Say it in one line."""
        by_server = ", ".join(f"{count} by {name}" for name, count in self.answers.items())
        return f"{self.requests} requests, {len(self.failures)} failed; answered: {by_server}"


class Traffic:
    """Requests to the servers behind a Service, from here to the end of the block."""

    def __init__(self, stage: Stage, service: str, port: int) -> None:
        self.report = Report()
        self._stage = stage
        self._service = service
        self._port = port
        self._is_over = threading.Event()
        self._counting = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, when every request has had its answer."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(self._stage.cluster.kubeconfig)))
        addresses, learned_at = itertools.cycle([""]), float("-inf")
        while not self._is_over.is_set():
            if time.monotonic() - learned_at >= LEARNS_EVERY_SECONDS:
                addresses = itertools.cycle(ready_addresses(api, self._stage.namespace, self._service) or [""])
                learned_at = time.monotonic()
            self._ask_once(next(addresses))
            self._is_over.wait(PAUSE_SECONDS)
        api.session.close()

    def _ask_once(self, address: str) -> None:
        if not address:
            self.report.failures.append("the Service has no address")
            return
        try:
            with urllib.request.urlopen(f"http://{address}:{self._port}/", timeout=WITHIN_SECONDS) as answer:
                name = answer.read().decode().strip()
        except OSError as error:
            self.report.failures.append(f"{address}: {error}")
            return
        with self._counting:
            self.report.answers[name] += 1


def ready_addresses(api: pykube.HTTPClient, namespace: str, service: str) -> list[str]:
    """Give the addresses in the EndpointSlices of a Service that are ready."""
    selector = f"kubernetes.io/service-name={service}"
    listed = api.get(
        url="endpointslices", version="discovery.k8s.io/v1", namespace=namespace, params={"labelSelector": selector}
    )
    listed.raise_for_status()
    endpoints = [one for each in listed.json()["items"] for one in each.get("endpoints") or ()]
    return [str(one["addresses"][0]) for one in endpoints if one.get("conditions", {}).get("ready")]
