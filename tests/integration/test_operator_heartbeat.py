"""The sign of life: to whom it goes, what it says, and that a restart does not make two of one (R40)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cluster.waiting import wait_for
from tests.e2e.stage import Stage
from tests.integration.simulated_specs import a_build_spec
from tests.mail.running import RunningMailServer
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes

WITHIN_SECONDS = 60


def test_a_sign_of_life_comes_at_the_start_and_a_restart_sends_the_same_one(
    stage: Stage, mail: RunningMailServer, tmp_path: Path
) -> None:
    stage.create("quiet", a_build_spec(enabled=False))
    flags = [*mail.flags, "--mail-to=ops@example.com,lead@example.com", "--mail-heartbeat=1d"]
    # It looks after nothing: the namespace is one of which nobody else knows.
    elsewhere = stage.new_namespace()
    operator = OperatorProcess.of(
        stage.cluster, tmp_path / "operator.log", [f"--namespace={elsewhere}", "--leader-elect=false", *flags]
    )

    def beats() -> list[str]:
        return [one["Message-ID"] for one in mail.read() if one["X-PeriodicBuild-Kind"] == "Heartbeat"]

    for number in (1, 2):
        operator.start()
        wait_for(lambda n=number: len(beats()) == n, within_seconds=WITHIN_SECONDS, what="a sign of life")  # type: ignore[misc] # a lambda's default
        operator.stop()
    assert len(set(beats())) == 1
    letter = next(one for one in mail.read() if one["X-PeriodicBuild-Kind"] == "Heartbeat")
    assert letter["To"] == "ops@example.com, lead@example.com"
    assert "0 PeriodicBuilds" in letter["Subject"]
