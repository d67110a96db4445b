"""A manifest on a virtual clock, from the command line; no cluster is asked (R4, R8, R13)."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.builders import a_cron, a_schedule, at

from periodicbuild.cli import progress
from periodicbuild.cli.__main__ import run
from periodicbuild.cli.simulated import slots_of
from periodicbuild.core.ledger import Ruling
from periodicbuild.core.reasons import Fate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIDNIGHT, ONE, TWO = "2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z", "2026-11-24T02:00:00Z"
TEMPLATE = {"spec": {"containers": [{"name": "main", "image": "debian:12"}]}}
EVERY_20_MINUTES = {"cron": {"expression": "*/20 * * * *"}}


def a_manifest(schedule: Any, **more: Any) -> dict[str, Any]:
    """Give a PeriodicBuild as people write it."""
    spec = {"enabled": True, "schedule": schedule, "succeedWhen": "Completed", "template": TEMPLATE}
    head = {"apiVersion": "periodicbuild.dev/v1alpha1", "kind": "PeriodicBuild", "metadata": {"name": "nightly"}}
    return head | {"spec": spec} | more


def simulated(path: Path, manifest: dict[str, Any], *more: str, since: str = MIDNIGHT, until: str = ONE) -> int:
    path.write_text(yaml.safe_dump(manifest))
    return run(["simulate", "-f", str(path), "--from", since, "--to", until, *more])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give where the manifest goes; there is no cluster to ask."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "there-is-none"))
    return tmp_path / "manifest.yaml"


def test_programs_get_every_slot_with_its_fate_and_the_one_that_waits(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R13."""
    assert simulated(path, a_manifest(EVERY_20_MINUTES), "--estimate", "50m", "-o", "json") == 0

    assert json.loads(capsys.readouterr().out) == {
        "slots": [
            {
                "slotTime": "2026-11-24T00:20:00Z",
                "decision": "Started",
                "reason": "Due",
                "startTime": "2026-11-24T00:20:00Z",
            },
            {"slotTime": "2026-11-24T00:40:00Z", "decision": "Skipped", "reason": "Superseded", "startTime": None},
        ],
        "waiting": {"slotTime": ONE, "reason": "BuildInProgress", "sinceTime": ONE},
    }


def test_nothing_waits_where_builds_are_short_and_both_ends_count(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R4: a new interval begins at once."""
    assert simulated(path, a_manifest({"interval": {"every": "30m"}}), "-o", "json", "--estimate", "0s") == 0

    said = json.loads(capsys.readouterr().out)
    assert [one["slotTime"] for one in said["slots"]] == [MIDNIGHT, "2026-11-24T00:30:00Z", ONE]
    assert said["waiting"] is None


def test_the_end_may_be_the_begin(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulated(path, a_manifest({"interval": {"every": "30m"}}), "-o", "json", until=MIDNIGHT) == 0
    assert len(json.loads(capsys.readouterr().out)["slots"]) == 1


def test_people_get_the_counts_and_a_table(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schedule = {"calendar": {"time": "02:30", "timeZone": "Europe/Berlin", "spread": "10m"}}

    assert simulated(path, a_manifest(schedule), until=TWO) == 0

    assert capsys.readouterr().out.splitlines() == [
        "default/nightly: daily 02:30 Europe/Berlin",
        "1 due = 1 started + 0 skipped + 0 missed + 0 waiting",
        "",
        "SLOT                  BY ITS CLOCK                      DECISION  REASON  STARTS",
        "2026-11-24T01:30:00Z  Tue 24 Nov 02:30 CET = 01:30 UTC  Started   Due     2026-11-24T01:38:31Z",
    ]


def test_people_are_told_what_waits_in_the_end_and_that_it_is_off(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated(path, a_manifest(EVERY_20_MINUTES), "--estimate", "50m")
    waits = capsys.readouterr().out
    simulated(path, {**a_manifest({}), "spec": {"schedule": {"interval": {"every": "1h"}}}})
    off = capsys.readouterr()

    assert "3 due = 1 started + 1 skipped + 0 missed + 1 waiting; 2026-11-24T01:00:00Z waits at the end" in waits
    assert off.out == "default/nightly: every 1h\n0 due = 0 started + 0 skipped + 0 missed + 0 waiting\n"
    assert off.err == "spec.enabled is false: the schedule starts nothing until it is true.\n"


UNQUOTED = """
apiVersion: periodicbuild.dev/v1alpha1
kind: PeriodicBuild
metadata: {name: nightly, creationTimestamp: 2020-01-01T00:00:00Z}
spec:
  enabled: true
  schedule: {SCHEDULE, notBefore: 2026-11-24T00:10:00Z}
status: {slots: {due: 7, started: 7, skipped: 0, missed: 0}}
---
"""


@pytest.mark.parametrize(
    ("schedule", "slots"),
    [
        ("calendar: {time: 00:30}", ["2026-11-24T00:30:00Z"]),
        ("interval: {every: 0:40:00}", ["2026-11-24T00:10:00Z", "2026-11-24T00:50:00Z"]),
    ],
)
def test_a_file_is_read_as_kubectl_reads_it_and_its_status_is_left_out(
    schedule: str, slots: list[str], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """YAML 1.1 makes numbers of such times, and kubectl does not."""
    path.write_text(UNQUOTED.replace("SCHEDULE", schedule))

    assert run(["simulate", "-f", str(path), "--from", MIDNIGHT, "--to", ONE, "-o", "json"]) == 0
    assert [one["slotTime"] for one in json.loads(capsys.readouterr().out)["slots"]] == slots


def test_json_and_standard_input_are_files_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(a_manifest(EVERY_20_MINUTES), indent="\t").encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    assert run(["simulate", "-f", "-", "--from", MIDNIGHT, "--to", ONE, "-o", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["slots"]) == 3


GOOD = yaml.safe_dump(a_manifest({"interval": {"every": "1h"}}))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty: one PeriodicBuild of periodicbuild.dev/v1alpha1 is wanted"),
        (f"{GOOD}\n---\n{GOOD}", "holds 2 documents: one PeriodicBuild of"),
        ("apiVersion: apps/v1\nkind: Deployment", "holds a Deployment of apps/v1: one PeriodicBuild of"),
        ("apiVersion: v1\nkind: List\nitems: []", "holds a List of v1: one PeriodicBuild of"),
        ("kind: PeriodicBuild", "holds a PeriodicBuild of no apiVersion: one PeriodicBuild of"),
        ("- a list", "holds no object of Kubernetes: one PeriodicBuild of"),
        (GOOD.replace("name: nightly", "generateName: nightly-"), "metadata.name is missing: write it as in"),
        (yaml.safe_dump(a_manifest({}, spec=None)), "spec is missing: the schedule is in it"),
        ("{no yaml", "is neither YAML nor JSON: Expecting property name"),
        ("a: [b", "is neither YAML nor JSON: while parsing"),
        (yaml.safe_dump(a_manifest({"interval": {"every": "15:30"}})), "spec.schedule.interval.every: '15:30' is amb"),
        (yaml.safe_dump(a_manifest({"cron": {"expression": "61 * * * *"}})), "the first field (minute) cannot be '61'"),
        (
            yaml.safe_dump(a_manifest({"calendar": {"time": "02:30", "timeZone": "Mars/Phobos"}})),
            "spec.schedule.calendar.timeZone: 'Mars/Phobos' is not a time zone",
        ),
        (GOOD.replace("name: nightly", "name: nightly\n  labels: [wrong]"), "holds no usable PeriodicBuild: Expected"),
        ("apiVersion: periodicbuild.dev/v1alpha1\nkind: PeriodicBuild\nmetadata: {name: a}\nspec: &a {schedule: *a}",
         "holds no usable PeriodicBuild"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_answered_by_a_sentence(
    content: str, sentence: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text(content)

    code = run(["simulate", "-f", str(path), "--from", MIDNIGHT, "--to", ONE])
    said = capsys.readouterr()

    assert (code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith(f"error: {path}")
    assert sentence in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", TWO, "--to", ONE], f"--to {ONE} lies before --from {TWO}: exchange them"),
        (["--from", "2026-11-24T00:00:00", "--to", ONE], "has no zone: write '2026-11-24T00:00:00Z' for UTC"),
        (["--from", MIDNIGHT], "Missing option '--to'"),
        (["--from", MIDNIGHT, "--to", ONE, "--estimate", "20"], "'20' has no unit: write '20s'"),
        (
            ["--from", MIDNIGHT, "--to", ONE, "-f", "not-here.yaml"],
            "'not-here.yaml': No such file or directory",
        ),
        (["--from", MIDNIGHT, "--to", ONE, "-o", "wide"], "'wide' is not one of 'json', 'yaml'"),
    ],
)
def test_bad_options_are_answered_by_a_sentence(
    arguments: list[str], sentence: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text(GOOD)

    code, said = run(["simulate", "-f", str(path), *arguments]), capsys.readouterr()

    assert (code, said.out, said.err.count("\n")) == (2, "", 1)
    assert sentence in said.err


@pytest.mark.parametrize(
    ("ruling", "slots"),
    [
        (Ruling(slot=at(ONE), fate=Fate.DUE, at=at(ONE)), [ONE]),
        (
            Ruling(slot=at(MIDNIGHT), until_slot=at(TWO), count=3, fate=Fate.OPERATOR_DOWN, at=at(TWO)),
            [MIDNIGHT, ONE, TWO],
        ),
    ],
)
def test_neighbours_that_were_judged_at_once_are_slots_of_their_own(ruling: Ruling, slots: list[str]) -> None:
    hourly = a_schedule(timing=a_cron("0 * * * *"))

    assert [slot for slot, _ in slots_of([ruling], hourly)] == list(map(at, slots))


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_who_looks_at_a_terminal_sees_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0.001)
    monkeypatch.setattr(progress, "SHOWN_EVERY", 2)
    for stream in (terminal, pipe):
        monkeypatch.setattr(sys, "stderr", stream)
        deadline = time.monotonic() + 10
        with progress.timed("simulating 5 slots"):
            while stream is terminal and not terminal.getvalue() and time.monotonic() < deadline:
                time.sleep(0.001)
        assert list(progress.counted("abcde", "letters")) == list("abcde")

    assert "simulating 5 slots: 0s so far" in terminal.getvalue()
    assert "\r\x1b[K4 letters" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert pipe.getvalue() == ""


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Let child processes heed Ctrl-C, even if a shell has started these tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_it(path: Path) -> None:
    path.write_text(yaml.safe_dump(a_manifest({"cron": {"expression": "* * * * *"}})))
    arguments = ["simulate", "-f", str(path), "--from", MIDNIGHT, "--to", "2030-01-01T00:00:00Z"]
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    reader, writer = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "periodicbuild.cli", *arguments], stderr=writer, stdout=subprocess.PIPE, env=environment
    ) as process:
        os.close(writer)
        assert b"simulating" in os.read(reader, 100)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    os.close(reader)

    assert (process.returncode, out) == (130, b"")
