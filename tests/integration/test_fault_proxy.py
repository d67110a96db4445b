"""The example of docs/fault-proxy.md, played: the proxy as a command, with the operator behind it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cluster.waiting import wait_for
from tests.operator_process import ACCOUNT, NAMESPACE, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

PAGE = Path(__file__).parent.parent.parent / "docs" / "fault-proxy.md"
EXAMPLE = re.search(r"runs this -->\n```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
TEAM = "team-behind-the-proxy"
WITHIN_SECONDS = 60
BUILDS = """
apiVersion: periodicbuild.dev/v1alpha1
kind: PeriodicBuild
metadata: {name: NAME}
spec: {enabled: true, template: {spec: {containers: [{name: main, image: none}]}}}
"""


@contextmanager
def the_proxy(kubeconfig: Path, script: Path, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command with an operator, and end it as Ctrl-C does."""
    operator = (sys.executable, "-m", "periodicbuild", "run", f"--namespace={TEAM}", "--listen=127.0.0.1:0")
    command = (
        sys.executable,
        "-m",
        "tests.faults",
        f"--kubeconfig={kubeconfig}",
        f"--script={script}",
        "--",
        *operator,
    )
    with said.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(WITHIN_SECONDS)


def test_the_example_of_the_manual_does_what_it_says(control_plane: Cluster, tmp_path: Path) -> None:
    install(control_plane)
    control_plane.kubectl("create", "namespace", TEAM)
    for name in ("one", "two"):
        control_plane.kubectl(f"--namespace={TEAM}", "create", "-f", "-", input=BUILDS.replace("NAME", name))
    assert EXAMPLE is not None
    script, said = tmp_path / "faults.yaml", tmp_path / "said"
    script.write_text(EXAMPLE[1])

    def both_have_pods() -> bool:
        return control_plane.kubectl(f"--namespace={TEAM}", "get", "pods", "--output=name").count("pod/") == 2

    account = control_plane.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
    with the_proxy(account, script, said) as process:
        wait_for(both_have_pods, within_seconds=WITHIN_SECONDS, what="both builds have a pod")
    assert process.returncode == 130
    strikes = re.findall(r"^(Kill|Refuse|Cut): (.*)", said.read_text(), re.MULTILINE)
    assert [what for what, _ in strikes if what == "Kill"] == ["Kill"]
    assert ("Refuse", f"create pods {TEAM}") in strikes
    assert re.search(rf"^Cut: watch appservers {TEAM}/\S+, event \w+$", said.read_text(), re.MULTILINE)
    assert re.search(r"^\d+ requests, 3 strikes$", said.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("faults: [{effect: {type: Explode}}]", "Invalid value 'Explode' - at `$.faults[0].effect.type`"),
        ("faults: [{effect: {type: Kill}}]", "the script kills: name the controller's command at the end, after --"),
    ],
)
def test_a_script_that_cannot_be_played_is_refused_in_one_sentence(
    control_plane: Cluster, tmp_path: Path, script: str, sentence: str
) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(script)
    command = (sys.executable, "-m", "tests.faults", f"--kubeconfig={control_plane.kubeconfig}", f"--script={file}")

    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].endswith(sentence)
