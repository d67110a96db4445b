"""What has arrived where Alertmanager sends its alerts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.receivers import Receiver


def alerts(receiver: Receiver, build: str) -> list[dict[str, Any]]:
    """Give the alerts about a PeriodicBuild that have arrived, in order."""
    arrived = [alert for one in receiver.received for alert in json.loads(one.body)["alerts"]]
    return [alert for alert in arrived if alert["labels"].get("name") == build]


def states(receiver: Receiver, build: str) -> list[tuple[str, str]]:
    """Give what was said of it: alert and state."""
    return [(alert["labels"]["alertname"], alert["status"]) for alert in alerts(receiver, build)]
