"""The example files: the operator understands each, the README lists each, and the demo plays what it says."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.cluster.cluster import TEST_IMAGE
from tests.demo.examples import (
    FOLDER,
    IMAGE,
    LIFE,
    PLAYED,
    SIMULATED_LIVES,
    SPAWNED,
    played_examples,
    read_example,
    with_image,
    with_simulated_life,
)

from periodicbuild.core.policies import AfterManualRun, SucceedWhen
from periodicbuild.core.schedules import Interval
from periodicbuild.kube.parse import gate_from_json, periodic_build_from_json

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild

FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
BUILD_FILES = [file for file in FILES if read_example(file)["kind"] == "PeriodicBuild"]
FROM_THE_API = {
    "namespace": "demo",
    "uid": "uid",
    "resourceVersion": "1",
    "generation": 1,
    "creationTimestamp": "2026-11-20T00:00:00Z",
}


def body(file: str) -> dict[str, Any]:
    manifest = read_example(file)
    return manifest | {"metadata": FROM_THE_API | manifest["metadata"]}


def build_of(file: str) -> PeriodicBuild:
    return periodic_build_from_json(msgspec.json.encode(body(file)))


@pytest.mark.parametrize("file", BUILD_FILES)
def test_the_operator_understands_the_schedule_of_an_example(file: str) -> None:
    build = build_of(file)

    assert build.spec.schedule_error is None


def test_the_operator_understands_the_gate() -> None:
    gate = gate_from_json(msgspec.json.encode(body("gate.yaml")))

    assert gate.spec.problem is None
    assert [window.problem for window in gate.spec.windows] == [None]


@pytest.mark.parametrize("file", FILES)
def test_an_example_names_no_namespace_so_that_it_goes_where_it_is_applied(file: str) -> None:
    assert "namespace" not in read_example(file)["metadata"]


@pytest.mark.parametrize("file", FILES)
def test_an_example_begins_with_what_it_is_for(file: str) -> None:
    assert (FOLDER / file).read_text().startswith("# ")


def test_the_readme_lists_every_example_with_its_kind_and_name() -> None:
    listed = re.findall(r"\| \[(.+?)\]\(\1\) \| (\w+) `(.+?)` \|.*\| (yes|no) \|", (FOLDER / "README.md").read_text())

    expected = []
    for file in FILES:
        manifest = read_example(file)
        is_played = "yes" if file in PLAYED else "no"
        expected.append((file, manifest["kind"], manifest["metadata"]["name"], is_played))
    assert sorted(listed) == expected


def test_the_played_examples_show_what_the_demo_says_they_show() -> None:
    by_file = {file: build_of(file).spec for file in PLAYED}

    assert by_file["server.yaml"].succeed_when == SucceedWhen.READY
    assert by_file["build.yaml"].succeed_when == SucceedWhen.COMPLETED
    assert by_file["retries.yaml"].retries.limit == 2
    assert [file for file, spec in by_file.items() if not spec.schedule.enabled] == ["disabled.yaml"]
    assert all(
        spec.schedule.interval and spec.schedule.interval.every <= timedelta(minutes=1)
        for spec in by_file.values()
        if spec.schedule.enabled
    )


def test_the_one_that_is_also_run_by_hand_restarts_its_interval() -> None:
    (spec,) = (build_of(file).spec for file in PLAYED if body(file)["metadata"]["name"] == SPAWNED)

    assert spec.schedule.interval == Interval(every=timedelta(seconds=40), after_manual_run=AfterManualRun.RESTART)


def test_the_example_by_hand_belongs_to_a_played_one() -> None:
    assert read_example("by-hand.yaml")["spec"]["periodicBuildRef"]["name"] == SPAWNED


def test_another_image_takes_the_place_of_the_public_one_everywhere() -> None:
    for example in played_examples():
        replaced = str(with_image(example, TEST_IMAGE))

        assert IMAGE in str(example)
        assert IMAGE not in replaced
        assert replaced.count(TEST_IMAGE) == str(example).count(IMAGE)


def test_a_simulated_life_is_added_to_the_template_and_nothing_else_changes() -> None:
    example = read_example("retries.yaml")

    alive = with_simulated_life(example)

    annotations = alive["spec"]["template"].pop("metadata")["annotations"]
    assert annotations == {LIFE + key: value for key, value in SIMULATED_LIVES["third-time-lucky"].items()}
    assert alive == example


def test_labels_of_a_template_stay_beside_a_simulated_life() -> None:
    assert with_simulated_life(read_example("server.yaml"))["spec"]["template"]["metadata"]["labels"]
