"""Equal sources make equal files, and what is in them is what it should be."""

from __future__ import annotations

import json
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.chart.helm import Helm
from tests.release.image import pip_settings
from tests.release.release import make
from tests.release.version import version

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with everything but the image."""
    folder = tmp_path_factory.mktemp("release")
    make(folder, with_image=False)
    return folder


def test_it_is_the_same_each_time(made: Path, tmp_path: Path) -> None:
    make(tmp_path, with_image=False)
    assert (tmp_path / f"periodicbuild-{version()}-sha256.txt").read_text() == (
        made / f"periodicbuild-{version()}-sha256.txt"
    ).read_text()


def test_the_chart_can_be_installed_from_its_archive(made: Path) -> None:
    helm = Helm.of(4)
    archive = made / f"periodicbuild-{version()}-chart.tgz"
    assert f"version: {version()}" in helm.run("show", "chart", archive)
    assert "kind: Deployment" in helm.run("template", "periodicbuild", archive)


def test_the_manifests_are_complete(made: Path) -> None:
    with tarfile.open(made / f"periodicbuild-{version()}-manifests.tgz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"manifests/kustomization.yaml", "manifests/examples/build.yaml", "crds/Kustomization"} <= names


def test_the_wheel_has_the_three_programs(made: Path) -> None:
    with zipfile.ZipFile(made / f"periodicbuild-{version()}-py3-none-any.whl") as wheel:
        (programs,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        text = wheel.read(programs).decode()
    assert {"periodicbuild", "kubectl-periodicbuild", "kubectl_complete-periodicbuild"} <= set(text.split())


def test_the_list_of_materials_names_every_package_of_the_image(made: Path) -> None:
    listed = json.loads((made / f"periodicbuild-{version()}-sbom.cdx.json").read_text())
    names = {component["name"] for component in listed["components"]}
    assert listed["bomFormat"] == "CycloneDX"
    assert {"kopf", "aiohttp", "tzdata"} <= names
    assert not names & {"pytest", "mypy", "mutmut"}


def test_pips_settings_of_the_environment_reach_the_build() -> None:
    environment = {"PIP_INDEX_URL": "https://packages.example.com/simple", "PATH": "/bin", "PIP_CERT": "/ca.crt"}
    assert pip_settings(environment) == ("[global]\ncert = /ca.crt\nindex-url = https://packages.example.com/simple\n")
