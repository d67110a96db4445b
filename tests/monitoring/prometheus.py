"""A Prometheus and an Alertmanager of their own, on loopback, with the rules as they are shipped.

The one idea a newcomer would miss: only the times at which things are asked are shorter than in everyday life; what an
alert says, and how long it waits, is in the rules, which are not touched.
"""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from tests.cluster.packages import ensure_packages
from tests.cluster.ports import free_loopback_port
from tests.cluster.waiting import wait_for
from tests.monitoring import rules
from tests.monitoring.programs import ALERTMANAGER, NEED, PROMETHEUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

EVERY: Final = "1s"
READY_WITHIN_SECONDS: Final = 30
ENDS_WITHIN_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Give the series that an expression has now; raises HTTPError for one that it does not understand."""
        answer = _get(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def targets(self) -> list[dict[str, Any]]:
        """Give what it scrapes."""
        found: list[dict[str, Any]] = _get(f"{self.url}/api/v1/targets")["data"]["activeTargets"]
        return found


@contextmanager
def monitoring(folder: Path, targets: Sequence[str], receiver: str) -> Iterator[Prometheus]:
    """Scrape some addresses, and send alerts to a URL; raises LevelUnavailableError where that cannot be."""
    ensure_packages(NEED)
    manager, prometheus = (f"127.0.0.1:{free_loopback_port()}" for _ in range(2))
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(_routing(receiver)))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_scraping(targets, manager)))
    with ExitStack() as stack:
        stack.enter_context(
            _running(
                folder / "alertmanager.log",
                ALERTMANAGER,
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={manager}",
                "--cluster.listen-address=",
            )
        )
        stack.enter_context(
            _running(
                folder / "prometheus.log",
                PROMETHEUS,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address={prometheus}",
            )
        )
        for address in (manager, prometheus):
            wait_for(
                lambda address=address: _is_ready(address),  # type: ignore[misc] # a loop's variable, bound
                within_seconds=READY_WITHIN_SECONDS,
                what=f"nothing is ready on {address}, see the logs in {folder}",
            )
        yield Prometheus(f"http://{prometheus}")


def _routing(receiver: str) -> dict[str, Any]:
    return {
        "route": {"receiver": "tests", "group_by": ["..."], "group_wait": "0s", "group_interval": EVERY},
        "receivers": [{"name": "tests", "webhook_configs": [{"url": receiver, "send_resolved": True}]}],
    }


def _scraping(targets: Sequence[str], manager: str) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY},
        "rule_files": [str(rules.FILE)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]},
        "scrape_configs": [
            {"job_name": "periodicbuild", "honor_labels": True, "static_configs": [{"targets": list(targets)}]}
        ],
    }


@contextmanager
def _running(log: Path, program: Path, *arguments: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=ENDS_WITHIN_SECONDS)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _get(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - its scheme is ours
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.read().decode()}") from error
