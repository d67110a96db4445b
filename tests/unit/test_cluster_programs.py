"""Which programs are used, and when they are built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.cluster.build import follow, program_name
from tests.cluster.errors import ClusterError
from tests.cluster.levels import Level
from tests.cluster.programs import LINKER_FLAGS, PACKAGES, VERSION, cache_key, find_programs
from tests.cluster.progress import estimated_seconds, in_words
from tests.cluster.toolchain import MODULE, parse_version

GO_MOD = (MODULE / "go.mod").read_text()


def test_the_version_is_the_one_of_the_module() -> None:
    assert f"\tk8s.io/kubernetes v{VERSION}" in GO_MOD
    assert f"gitVersion=v{VERSION}" in LINKER_FLAGS


def test_every_package_is_a_tool_of_the_module() -> None:
    tools = re.search(r"^tool \((.*?)^\)", GO_MOD, re.MULTILINE | re.DOTALL)

    assert tools is not None
    assert set(PACKAGES.values()) <= set(tools.group(1).split())


@pytest.mark.parametrize("level", Level)
def test_every_program_of_a_level_can_be_built(level: Level) -> None:
    assert set(level.programs) <= set(PACKAGES)


def test_the_cache_changes_with_the_module_and_with_the_flags() -> None:
    keys = {
        cache_key([b"mod", b"sum"], ["-a"]),
        cache_key([b"mod2", b"sum"], ["-a"]),
        cache_key([b"mod", b"sum2"], ["-a"]),
        cache_key([b"mod", b"sum"], ["-b"]),
        cache_key([b"mods", b"um"], ["-a"]),
        cache_key([b"mod", b"sum"], ["-a", "-b"]),
    }

    assert len(keys) == 6


def test_the_cache_is_the_same_for_the_same_pins() -> None:
    assert cache_key([b"mod"], ["-a"]) == cache_key([b"mod"], ["-a"])


def test_programs_of_kubebuilder_assets_are_used_and_nothing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("etcd", "kubectl"):
        (tmp_path / name).touch(mode=0o755)

    found = find_programs(["etcd", "kubectl"])

    assert found == {"etcd": tmp_path / "etcd", "kubectl": tmp_path / "kubectl"}
    assert not (tmp_path / "cache").exists()


def test_a_kubebuilder_assets_that_is_no_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "/no/such/folder")

    with pytest.raises(ClusterError, match="KUBEBUILDER_ASSETS is '/no/such/folder', which is no folder"):
        find_programs(["etcd"])


@pytest.mark.parametrize(
    ("package", "program"),
    [
        ("go.etcd.io/etcd/server/v3", "server"),
        ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        ("example.com/viewer", "viewer"),
    ],
)
def test_go_names_a_program_after_the_last_element_that_is_no_version(package: str, program: str) -> None:
    assert program_name(package) == program


def test_of_the_output_of_a_build_packages_are_counted_and_the_rest_is_kept() -> None:
    lines = [
        "go: downloading k8s.io/api v0.37.1\n",
        "internal/goarch\n",
        "k8s.io/api/core/v1\n",
        "# k8s.io/api/core/v1\n",
        "../types.go:1:2: undefined: x\n",
    ]
    seen: list[None] = []

    others = follow(lines, frozenset({"internal/goarch", "k8s.io/api/core/v1"}), lambda: seen.append(None))

    assert len(seen) == 2
    assert others == [lines[0], lines[3], lines[4]]


@pytest.mark.parametrize(
    ("to_go", "elapsed", "cores", "words"),
    [
        (2955, 0, 2, "about 13 min"),  # as measured, before anything is known of this machine
        (2955, 0, 8, "about 3 min"),
        (1477, 390, 2, "about 6 min"),  # half of it took half of the time
        (1477, 1560, 2, "about 24 min"),  # a machine four times slower is believed
        (10, 600, 2, "less than a minute"),
        (0, 600, 2, "less than a minute"),
    ],
)
def test_the_estimate_starts_from_a_measurement_and_follows_the_machine(
    to_go: int, elapsed: float, cores: int, words: str
) -> None:
    assert in_words(estimated_seconds(to_go, 2955, elapsed, cores)) == words


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8", (1, 26, 8)), ("go1.27", (1, 27)), ("devel go1.28-0123abc", (0,)), ("", (0,))],
)
def test_a_go_version_is_read_or_counts_as_too_old(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text, r"^go([0-9.]+)$") == version
