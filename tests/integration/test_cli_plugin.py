"""The plug-in as kubectl and a person call it: a process of its own, its output in a pipe, and completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from tests.cluster.cluster import Cluster
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.integration.simulated_specs import a_build_spec

pytestmark = pytest.mark.simulated_nodes

ROOT = Path(__file__).parent.parent.parent


class Answer(NamedTuple):
    """What a call of the plug-in ended with."""

    code: int
    out: str
    err: str

    def column(self, name: str) -> dict[str, str]:
        """Read a column of the first table, by the first cell of each line; texts hold no two spaces in a row."""
        header, *lines = (line.split("  ") for line in self.out.split("\n\n")[0].splitlines())
        titles = [title.strip() for title in header if title]
        rows = [dict(zip(titles, (cell.strip() for cell in line if cell), strict=True)) for line in lines]
        return {row[titles[0]]: row[name] for row in rows}


class Plugin(NamedTuple):
    """The plug-in, as somebody in some namespace calls it."""

    kubeconfig: Path
    namespace: str

    def __call__(self, *arguments: str, module: str = "periodicbuild.cli", **environment: str) -> Answer:
        """Call it."""
        command = [sys.executable, "-m", module, *arguments]
        ended = subprocess.run(
            command, env=self.environment(**environment), capture_output=True, text=True, check=False, timeout=120
        )
        assert "Traceback" not in ended.stderr
        return Answer(ended.returncode, ended.stdout, ended.stderr)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Call it, and do something else while it runs."""
        command = [sys.executable, "-m", "periodicbuild.cli", *arguments, "-n", self.namespace]
        process = subprocess.Popen(
            command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def here(self, *arguments: str) -> Answer:
        """Call it for the test's own namespace."""
        return self(*arguments, "-n", self.namespace)

    def document(self, *arguments: str) -> Any:
        """Call it for JSON."""
        answer = self.here(*arguments, "-o", "json")
        assert answer.code == 0, answer
        return json.loads(answer.out)

    def environment(self, **more: str) -> dict[str, str]:
        """Give the environment of a call."""
        return {**os.environ, "PYTHONSAFEPATH": "1", "KUBECONFIG": str(self.kubeconfig), **more}

    def by(self, kubeconfig: Path) -> Plugin:
        """Give the plug-in with another kubeconfig."""
        return self._replace(kubeconfig=kubeconfig)


def plugin_on(stage: Stage) -> Plugin:
    """Give the plug-in as the administrator has it."""
    return Plugin(stage.cluster.kubeconfig, stage.namespace)


@pytest.fixture(scope="module")
def plugin(shared_stage: Stage) -> Plugin:
    """Give the plug-in."""
    return plugin_on(shared_stage)


@pytest.fixture(scope="module")
def build(shared_stage: Stage) -> PeriodicBuild:
    """Give one PeriodicBuild that is known to the operator, and another one beside it."""
    shared_stage.create("weekly", a_build_spec(enabled=False))
    build = shared_stage.create("nightly", a_build_spec(enabled=False))
    return see(build, lambda one: one.read("status.observedGeneration"), "the operator has looked at it")


@pytest.fixture
def path_with_plugin(tmp_path: Path) -> str:
    """Give a PATH on which kubectl finds the plug-in as an installation puts it there."""
    for program, module in (
        ("kubectl-periodicbuild", "periodicbuild.cli"),
        ("kubectl_complete-periodicbuild", "periodicbuild.cli.completion"),
    ):
        script = tmp_path / program
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        script.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def kubectl(cluster: Cluster, plugin: Plugin, path: str, *arguments: str) -> str:
    """Call kubectl where it finds the plug-in."""
    command = [str(cluster.kubectl_path), *arguments]
    return subprocess.run(
        command, env=plugin.environment(PATH=path), capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_kubectl_runs_and_completes_it(
    shared_stage: Stage, plugin: Plugin, build: PeriodicBuild, path_with_plugin: str
) -> None:
    cluster, words = shared_stage.cluster, ("periodicbuild", "status", "-n", plugin.namespace)

    said = kubectl(cluster, plugin, path_with_plugin, *words, "-o", "name")
    offered = kubectl(cluster, plugin, path_with_plugin, "__complete", *words, "n")
    others = kubectl(cluster, plugin, path_with_plugin, "__complete", *words, build.name, "")

    assert said.splitlines() == [f"periodicbuild.periodicbuild.dev/{name}" for name in ("nightly", "weekly")]
    assert (offered, others) == ("nightly\n:4\n", "weekly\n:4\n")


@pytest.mark.usefixtures("build")
def test_a_pipe_gets_no_colours_and_no_wrapped_lines_whatever_the_environment(plugin: Plugin) -> None:
    plain = plugin.here("status")
    forced = plugin("status", "-n", plugin.namespace, FORCE_COLOR="1", COLUMNS="20", TERM="xterm-256color")

    assert plain.code == 0
    assert len(plain.out.splitlines()) == 3
    assert "\x1b" not in forced.out
    assert [line.split()[0] for line in forced.out.splitlines()] == ["NAME", "nightly", "weekly"]


@pytest.mark.usefixtures("build")
def test_the_namespace_is_the_contexts_own_unless_another_is_named(plugin: Plugin, tmp_path: Path) -> None:
    content = yaml.safe_load(plugin.kubeconfig.read_text())
    content["contexts"][0]["context"]["namespace"] = plugin.namespace
    content["contexts"].append({**content["contexts"][0], "name": "elsewhere"})
    content["contexts"][1]["context"] = {**content["contexts"][1]["context"], "namespace": "kube-system"}
    path = tmp_path / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(content))

    here, there = plugin.by(path)("status", "-o", "name"), plugin.by(path)("status", "--context", "elsewhere")
    everywhere = plugin("status", "-A")

    assert len(here.out.splitlines()) == 2
    assert (there.code, there.out, there.err) == (0, "", "No PeriodicBuilds in namespace kube-system.\n")
    assert plugin.namespace in everywhere.column("NAME").keys() | everywhere.column("NAMESPACE").keys()
