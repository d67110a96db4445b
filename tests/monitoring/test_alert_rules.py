"""Each alert fires when it should, does not when something is just not so bad, and takes silence for silence."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cluster.packages import ensure_packages
from tests.monitoring import rules
from tests.monitoring.alert_cases import CASES, Case, promtool_document
from tests.monitoring.programs import NEED, PROMTOOL

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real_node  # needs what a node needs: Debian, and root to install its packages

RULES = rules.read_rules()


@pytest.fixture(scope="module", autouse=True)
def _there_is_a_promtool() -> None:
    ensure_packages(NEED)


def promtool(*arguments: str) -> str:
    """Run it, and give what it says; it must be content."""
    answer = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_prometheus_understands_the_rules() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", str(rules.FILE))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_and_does_not(case: Case, tmp_path: Path) -> None:
    document = promtool_document(case, RULES[case.alert], str(rules.FILE))
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document))
    promtool("test", "rules", str(tmp_path / "test.yaml"))
