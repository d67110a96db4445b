"""What is rendered is what each Kubernetes knows, and what careful people run."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from tests.chart.helm import Helm, Object
from tests.chart.lint_tools import lint_tools
from tests.chart.test_rendering import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS: Final = tuple(f"1.{minor}" for minor in range(30, 38))
CHOICES: Final[dict[str, dict[str, Any]]] = {
    "as it comes": {},
    "everything": EVERYTHING,
    "a few namespaces": {"watchNamespaces": ["team-a", "team-b"], "replicas": 1},
    "pods are scraped": {"metrics": {"podMonitor": {"enabled": True}, "service": {"enabled": False}}},
    "users of their own": {"hostUsers": False, "priorityClassName": "important", "nodeSelector": {"a": "b"}},
}
FOREIGN: Final = "monitoring.coreos.com/v1"
"""Kinds of somebody else, of which Kubernetes has no schema."""

EXCEPTIONS: Final = {
    "CKV_K8S_11": "no limit of the processor: it would only make the operator late when there is time to spare",
    "CKV_K8S_15": "images have a version or a digest, so pulling them always would only cost time",
    "CKV_K8S_38": "the operator talks to the API server: that is what its token is for",
    "CKV_K8S_43": "the digest is known when the image is made, and then a value of the chart",
}
"""Checks that are not for us, each with the reason."""


@pytest.fixture(scope="module")
def programs() -> Path:
    """Give the folder of the linters."""
    return lint_tools()


def rendered(values: dict[str, Any], version: str) -> list[Object]:
    """Give what that Kubernetes itself must know."""
    objects = Helm.of(4).render(values, kubernetes=f"{version}.0")
    return [one for one in objects if one["apiVersion"] != FOREIGN]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kubernetes_knows_every_field(version: str, programs: Path, tmp_path: Path) -> None:
    files = []
    for choice, values in CHOICES.items():
        files.append(tmp_path / f"{choice}.yaml")
        kinds = {"crds": {"install": not values}}  # once is enough, and they are most of the text
        files[-1].write_text(yaml.safe_dump_all(rendered({**values, **kinds}, version)))
    command = [str(programs / "kubernetes-validate"), "--strict", "-k", version, *map(str, files)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def failed_checks(programs: Path, file: Path) -> set[tuple[str, str, str]]:
    """Give what checkov finds fault with: check, object, and what it wants."""
    command = [str(programs / "checkov"), "--framework=kubernetes", "--output=json", "--quiet", f"--file={file}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(answer.stdout)
    failed = report["results"]["failed_checks"] if isinstance(report, dict) else []
    return {(one["check_id"], one["resource"], one["check_name"]) for one in failed}


def test_careful_people_would_run_it(programs: Path, tmp_path: Path) -> None:
    file = tmp_path / "rendered.yaml"
    chosen = {**EVERYTHING, "extraObjects": []}
    objects = [one for one in rendered(chosen, VERSIONS[-1]) if one["kind"] != "Pod"]  # that of `helm test` soon ends
    file.write_text(yaml.safe_dump_all(objects))
    failed = failed_checks(programs, file)
    assert {one for one in failed if one[0] not in EXCEPTIONS} == set()
    assert set(EXCEPTIONS) == {check for check, *_ in failed}, "an exception that nothing needs any more"
