"""Prometheus and Alertmanager with their tools, as Debian has them; they are installed where they are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.cluster.packages import Need

PROMTOOL: Final = Path("/usr/bin/promtool")
PROMETHEUS: Final = Path("/usr/bin/prometheus")
ALERTMANAGER: Final = Path("/usr/bin/prometheus-alertmanager")

NEED: Final = Need(
    purpose="Trying the alerts",
    files={"prometheus": (str(PROMTOOL), str(PROMETHEUS)), "prometheus-alertmanager": (str(ALERTMANAGER),)},
)
