"""Find the programs a level needs: in KUBEBUILDER_ASSETS, else in the cache, else built once into it.

The cache is keyed by what decides the result (go.mod, go.sum, flags), so a checkout with other pins has another folder
and nothing is ever stale.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.build import build
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.locks import locked
from tests.cluster.paths import cache_folder
from tests.cluster.toolchain import MODULE

VERSION = "1.37.1"
"""Of Kubernetes; a unit test compares it with go.mod."""

_VERSION_VARIABLES = {"gitVersion": f"v{VERSION}", "gitMajor": "1", "gitMinor": "37"}
"""Without them the API server calls itself v0.0.0 and clients that ask for a minimum version refuse it."""

LINKER_FLAGS = "-s -w " + " ".join(
    f"-X k8s.io/component-base/version.{name}={value}" for name, value in _VERSION_VARIABLES.items()
)
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-ldflags", LINKER_FLAGS)

PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
}
"""Program to Go package; each is a `tool` of go.mod."""


def find_programs(names: Sequence[str]) -> dict[str, Path]:
    """Map each name to a program that can be started; build what is neither given nor built before."""
    given = _given(names)
    cache = cache_folder() / "kubernetes" / cache_key(_module_files(), BUILD_FLAGS)
    wanted = [name for name in names if name not in given]
    if _missing(cache, wanted):
        _build_missing(cache, wanted)
    return given | {name: cache / name for name in wanted}


def cache_key(files: Sequence[bytes], flags: Sequence[str]) -> str:
    """Name the cache folder after everything that decides what a build gives."""
    digest = hashlib.sha256()
    for part in (*files, *map(str.encode, flags), platform.machine().encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _module_files() -> list[bytes]:
    return [(MODULE / name).read_bytes() for name in ("go.mod", "go.sum")]


def _given(names: Sequence[str]) -> dict[str, Path]:
    """Return what KUBEBUILDER_ASSETS has of it, which need not be all: envtest has no controller manager."""
    folder = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not folder:
        return {}
    if not Path(folder).is_dir():
        raise ClusterError(f"KUBEBUILDER_ASSETS is {folder!r}, which is no folder: correct it or unset it.")
    return {name: path for name in names if os.access(path := Path(folder).absolute() / name, os.X_OK)}


def _missing(cache: Path, names: Sequence[str]) -> list[str]:
    return [name for name in names if not (cache / name).exists()]


def _build_missing(cache: Path, names: Sequence[str]) -> None:
    lock = cache.with_name(f".{cache.name}.lock")
    with locked(lock, on_wait=lambda: say("Another run builds the programs; waiting for it.")) as handle:
        unfinished = cache / ".unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # of a build that was killed
        unfinished.mkdir(parents=True)
        if missing := _missing(cache, names):
            build({name: PACKAGES[name] for name in missing}, unfinished, BUILD_FLAGS, keep_open=handle)
            for name in missing:
                (unfinished / name).rename(cache / name)
        shutil.rmtree(unfinished)
