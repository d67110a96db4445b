"""What a page about installing takes for granted, put on the machine: `python -m tests.newcomer.granted`, inside.

A cluster with kubectl and Helm at hand, and a registry that has the image.  There is no registry, so the node gets
what it would pull under the names by which it would ask.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.bench.figures import ROOT
from tests.chart.helm import find_helm
from tests.cluster import lifecycle
from tests.cluster.cluster import TEST_IMAGE
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.levels import Level
from tests.cluster.node import import_images
from tests.demo.examples import IMAGE
from tests.release.image import NAME
from tests.release.version import version

CLUSTER: Final = "granted"
PROGRAMS: Final = Path("/usr/local/bin")
REGISTRY: Final = "docker.io"
"""The one that is asked when a name has none."""


def main() -> int:
    """Put it there."""
    try:
        cluster = lifecycle.up(lifecycle.Wish(name=CLUSTER, level=Level.NODE))
        for archive in (ROOT / "dist").glob("*-image.tar"):
            import_images(cluster.containerd, archive)
        names = {f"localhost/{NAME}:{version()}": f"{NAME}:{version()}", TEST_IMAGE: f"library/{IMAGE}"}
        for ours, asked_for in names.items():
            _rename(cluster.containerd, ours, f"{REGISTRY}/{asked_for}")
        _link(PROGRAMS / "kubectl", cluster.kubectl_path)
        _link(PROGRAMS / "helm", find_helm(4))
        _link(Path.home() / ".kube" / "config", cluster.kubeconfig)
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    return 0


def _rename(socket: Path, image: str, name: str) -> None:
    command = ["ctr", f"--address={socket}", "--namespace=k8s.io", "images", "tag", image, name]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command)} failed: {answer.stderr.strip()}")


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)


if __name__ == "__main__":
    sys.exit(main())
