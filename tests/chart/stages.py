"""Where the chart is tried: a real node that has the image, and a namespace as careful administrators make them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pykube
from tests.chart.helm import CHART, NAMESPACE, RELEASE, Helm
from tests.cluster import lifecycle
from tests.cluster.levels import Level
from tests.cluster.node import import_images
from tests.cluster.waiting import wait_for
from tests.e2e.stage import Stage
from tests.release.image import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.cluster.cluster import LocalCluster

READY_WITHIN_SECONDS: Final = 120
RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the node has."""

    name: str
    archive: Path

    @property
    def reference(self) -> tuple[str, str]:
        """Give repository and tag, as the node knows it."""
        repository, _, tag = f"localhost/{self.name}".rpartition(":")
        return repository, tag

    @property
    def values(self) -> dict[str, Any]:
        """Give the chart's values for it."""
        repository, tag = self.reference
        return {"image": {"repository": repository, "tag": tag, "pullPolicy": "Never"}}


@contextmanager
def node_with_image(folder: Path) -> Iterator[tuple[LocalCluster, Image]]:
    """Give a node of its own with the image on it; raises LevelUnavailableError where that cannot be."""
    archive = folder / "image.tar"
    image = Image(build(archive), archive)
    name = f"chart-{os.getpid()}"
    cluster = lifecycle.up(lifecycle.Wish(name=name, level=Level.NODE, ends_with_this_process=True))
    try:
        import_images(cluster.containerd, archive)
        yield cluster, image
    finally:
        lifecycle.down(name)


@dataclass(frozen=True, slots=True)
class Site:
    """One release, from nothing to nothing."""

    cluster: LocalCluster
    helm: Helm
    image: Image
    api: pykube.HTTPClient

    @classmethod
    def of(cls, cluster: LocalCluster, image: Image, generation: int) -> Site:
        """Give the place for one generation of Helm."""
        api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        return cls(cluster, Helm.of(generation, cluster.kubeconfig), image, api)

    @property
    def stage(self) -> Stage:
        """Give a place for builds."""
        return Stage(self.cluster, self.api)

    def make_namespace(self, name: str = NAMESPACE) -> None:
        """Make a namespace that takes only harmless pods."""
        pykube.Namespace(self.api, {"metadata": {"name": name, "labels": RESTRICTED}}).create()

    def install(
        self,
        *,
        release: str = RELEASE,
        namespace: str = NAMESPACE,
        chart: Path = CHART,
        values: Mapping[str, Any] | None = None,
        wait: bool = True,
    ) -> str:
        """Install or upgrade a release, and give what Helm says; raises HelmError."""
        patience = ("--wait", f"--timeout={READY_WITHIN_SECONDS}s") if wait else ()
        where = (f"--namespace={namespace}", "--install", *patience)
        return self.helm.run("upgrade", release, chart, *where, values={**self.image.values, **(values or {})})

    def uninstall(self, *, release: str = RELEASE, namespace: str = NAMESPACE) -> str:
        """Uninstall a release, and wait until its pods have gone."""
        said = self.helm.run("uninstall", release, f"--namespace={namespace}", "--wait")
        wait_for(
            lambda: not self._pods_of_operators(namespace),
            within_seconds=READY_WITHIN_SECONDS,
            what="the operator's pods do not go",
        )
        return said

    def _pods_of_operators(self, namespace: str) -> list[pykube.Pod]:
        selector = {"app.kubernetes.io/name": "periodicbuild"}
        return list(pykube.Pod.objects(self.api, namespace=namespace).filter(selector=selector))

    def clear(self) -> None:
        """Leave nothing: kinds and policies, and what belongs to releases."""
        kinds = "crd,validatingadmissionpolicy,validatingadmissionpolicybinding,clusterrole,clusterrolebinding"
        selector = "--selector=app.kubernetes.io/name=periodicbuild"
        self.cluster.kubectl("delete", kinds, selector, "--ignore-not-found")
        self.cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
        self.api.session.close()
