"""Helm, both generations: installed from PyPI into the cache where the machine has none.

The one idea a newcomer would miss: PyPI has no package for Helm itself.  It is taken out of one that brings it along,
whose hash is pinned.
"""

from __future__ import annotations

import io
import json
import platform
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from tests.bench.figures import ROOT
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.locks import locked
from tests.cluster.paths import cache_folder
from tests.cluster.toolchain import install_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CHART: Final = ROOT / "charts" / "periodicbuild"
GENERATIONS: Final = (4, 3)
RELEASE: Final = "periodicbuild"
NAMESPACE: Final = "periodicbuild-system"
NEWEST: Final = "1.37.0"
"""Kubernetes that things are rendered for, unless told otherwise."""

Object = dict[str, Any]


class HelmError(Exception):
    """Helm refused; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Helm:
    """One generation of Helm."""

    program: Path
    kubeconfig: Path | None = None
    """None = it needs no cluster."""

    @classmethod
    def of(cls, generation: int, kubeconfig: Path | None = None) -> Helm:
        """Give one, installing it where it is missing."""
        return cls(find_helm(generation), kubeconfig)

    def run(self, *arguments: str | Path, values: Mapping[str, Any] | None = None) -> str:
        """Run it and give what it prints; raises HelmError."""
        cluster = () if self.kubeconfig is None else (f"--kubeconfig={self.kubeconfig}",)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(values or {}, file)
            file.flush()
            chosen = () if values is None else (f"--values={file.name}",)
            command = [self.program, *map(str, arguments), *cluster, *chosen]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise HelmError((answer.stderr + answer.stdout).strip())
        return answer.stdout

    def render(
        self, values: Mapping[str, Any] | None = None, *, only: str | None = None, kubernetes: str = NEWEST
    ) -> list[Object]:
        """Give the objects that a release would consist of, as far as that is known without a cluster."""
        return list(_objects(self.rendered(values, only=only, kubernetes=kubernetes)))

    def rendered(
        self, values: Mapping[str, Any] | None = None, *, only: str | None = None, kubernetes: str = NEWEST
    ) -> str:
        """Give the text of those objects, of one template only if that is asked for."""
        chosen = () if only is None else (f"--show-only=templates/{only}",)
        where = (f"--namespace={NAMESPACE}", f"--kube-version={kubernetes}")
        return self.run("template", RELEASE, CHART, *where, *chosen, values=values or {})


def _objects(text: str) -> Iterator[Object]:
    return (one for one in yaml.safe_load_all(text) if one is not None)


def named(objects: Sequence[Object], kind: str, name: str | None = None) -> Object:
    """Give the one object of a kind, and of a name if there are several."""
    (found,) = (one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"]))
    return found


def find_helm(generation: int) -> Path:
    """Give the program; raises ClusterError where it cannot be had."""
    requirement = Path(__file__).with_name(f"helm-{generation}.txt")
    pinned = requirement.read_text().split()[-1].rpartition(":")[2][:12]
    folder = cache_folder() / "helm"
    program = folder / f"helm-{generation}-{pinned}"
    with locked(folder / ".lock"):
        if not program.exists():
            if platform.machine() != "x86_64":
                raise ClusterError(f"put Helm {generation} into {program}: PyPI has it for x86-64 only")
            say(f"Installing Helm {generation} from PyPI into {program}.")
            _install(requirement, program)
    return program


def _install(requirement: Path, program: Path) -> None:
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        wheel = Path(folder) / "wheel"
        install_wheel(requirement, wheel, otherwise=f"put the program into {program}")
        (archive,) = wheel.glob("aws_cdk/*/_jsii/*.tgz")
        with tarfile.open(archive) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as files, files.open("helm/helm") as source:
                unfinished = Path(folder) / "helm"
                with unfinished.open("wb") as target:
                    shutil.copyfileobj(source, target)
        unfinished.chmod(0o755)
        unfinished.rename(program)
