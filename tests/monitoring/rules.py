"""The alerts as they are shipped."""

from __future__ import annotations

from typing import Any, Final

import yaml
from tests.bench.figures import ROOT

FILE: Final = ROOT / "charts" / "periodicbuild" / "files" / "alerts.yaml"


def read_rules() -> dict[str, dict[str, Any]]:
    """Give each rule by the name of its alert."""
    document = yaml.safe_load(FILE.read_text())
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"]}
