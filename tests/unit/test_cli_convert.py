"""CronJobs become PeriodicBuilds, and whatever changes is said; no cluster is asked."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from periodicbuild.cli.__main__ import run
from periodicbuild.cli.cron_jobs import convert

if TYPE_CHECKING:
    from pathlib import Path

POD = {"containers": [{"name": "main", "image": "debian:12", "command": ["true"]}], "restartPolicy": "OnFailure"}
TEMPLATE = {"spec": POD}


def a_cron_job(job: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Give a CronJob that leaves nothing open, so that few things change."""
    usual = {"schedule": "0 2 * * 1-5", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Replace"}
    job = {"backoffLimit": 0, "activeDeadlineSeconds": 3600, "template": TEMPLATE} | (job or {})
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "apps", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": usual | spec | {"jobTemplate": {"spec": job}},
        "status": {"lastScheduleTime": "2026-11-29T02:00:00Z"},
    }


def converted(document: dict[str, Any], path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Give exit code, output and complaint of the command."""
    path.write_text(yaml.safe_dump(document))
    code = run(["convert", "-f", str(path)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give where the manifest goes; there is no cluster to ask."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "there-is-none"))
    return tmp_path / "cronjob.yaml"


def test_what_can_be_kept_is_kept_and_nothing_is_said_to_change() -> None:
    assert convert(a_cron_job()) == (
        {
            "apiVersion": "periodicbuild.dev/v1alpha1",
            "kind": "PeriodicBuild",
            "metadata": {"name": "nightly", "namespace": "apps"},
            "spec": {
                "enabled": True,
                "schedule": {"cron": {"expression": "0 2 * * 1-5", "timeZone": "Europe/Berlin"}},
                "concurrencyPolicy": "Replace",
                "succeedWhen": "Completed",
                "retries": {"limit": 0},
                "timeouts": {"run": "1h"},
                "template": TEMPLATE,
            },
        },
        [],
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"suspend": True}, {"enabled": False}),
        ({"startingDeadlineSeconds": 90}, {"startingDeadline": "1m30s"}),
        ({"schedule": "TZ=Asia/Tokyo 0 2 * * *", "timeZone": None}, {"timeZone": "Asia/Tokyo"}),
        ({"schedule": "CRON_TZ=Asia/Tokyo 0 2 * * *", "timeZone": None}, {"expression": "0 2 * * *"}),
        ({"schedule": "0 2 ? * *"}, {"expression": "0 2 * * *"}),
        ({"schedule": "@every 90m"}, {"every": "90m"}),
        ({"successfulJobsHistoryLimit": 7}, {"successfulLimit": 7}),
        ({"failedJobsHistoryLimit": 0}, {"failedLimit": 0}),
        ({"failedJobsHistoryLimit": 200}, {"failedLimit": 100}),
    ],
)
def test_a_field_of_the_cron_job_has_its_counterpart(spec: dict[str, Any], expected: dict[str, Any]) -> None:
    manifest, _ = convert(a_cron_job(**{key: value for key, value in spec.items() if value is not None}))
    found = manifest["spec"]
    flat = {**found, **found.get("history", {}), **found["schedule"].get("interval", found["schedule"].get("cron"))}
    if spec.get("timeZone", "") is None:
        manifest, _ = convert(without(a_cron_job(**spec), "timeZone"))
        flat = {**manifest["spec"]["schedule"]["cron"]}
    assert expected.items() <= flat.items()


def without(document: dict[str, Any], field: str) -> dict[str, Any]:
    """Give a CronJob that lacks a field of its spec."""
    document["spec"].pop(field)
    return document


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"backoffLimit": 4}, {"retries": {"limit": 4, "maxDelay": "6m"}}),
        ({"backoffLimit": 20}, {"retries": {"limit": 10, "maxDelay": "6m"}}),
        ({"ttlSecondsAfterFinished": 0}, {"history": {"maxAge": "1s"}}),
        ({"ttlSecondsAfterFinished": 86_400}, {"history": {"maxAge": "24h"}}),
        (
            {"template": {"metadata": {"labels": {"team": "a"}, "creationTimestamp": None}, **TEMPLATE}},
            {"template": {"metadata": {"labels": {"team": "a"}}, **TEMPLATE}},
        ),
        ({"completions": 1, "parallelism": 1, "completionMode": "NonIndexed"}, {}),
    ],
)
def test_a_field_of_the_job_has_its_counterpart(job: dict[str, Any], expected: dict[str, Any]) -> None:
    manifest, _ = convert(a_cron_job(job))
    assert expected.items() <= manifest["spec"].items()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (without(a_cron_job(), "timeZone"), "timeZone was not set"),
        (without(a_cron_job(), "concurrencyPolicy"), "concurrencyPolicy was Allow"),
        (a_cron_job(concurrencyPolicy="Forbid"), "concurrencyPolicy Forbid skipped a slot"),
        (a_cron_job(schedule="@every 1h"), "@every becomes an interval"),
        (a_cron_job({"backoffLimit": 20}), "backoffLimit 20: at most 10"),
        (a_cron_job({"backoffLimit": 1}), "each retry is an AppServer with a pod of its own"),
        (a_cron_job({"podFailurePolicy": {"rules": []}}), "podFailurePolicy is left out"),
        (a_cron_job({"activeDeadlineSeconds": None}), "a Job without activeDeadlineSeconds may run for ever"),
    ],
)
def test_what_changes_is_said(document: dict[str, Any], said: str) -> None:
    _, changes = convert(document)
    assert any(said in change for change in changes), changes


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            a_cron_job({"parallelism": 3}),
            "error: CronJob apps/nightly: spec.jobTemplate.spec.parallelism: 3 cannot be converted: an AppServer is one"
            " pod: keep the CronJob, or split the work",
        ),
        (a_cron_job({"completionMode": "Indexed"}), "completionMode: Indexed cannot be converted"),
        (a_cron_job({"template": None}), "spec.jobTemplate.spec.template cannot be converted: it is missing"),
        (a_cron_job(schedule="0 25 * * *"), "25"),
        (a_cron_job() | {"metadata": {"name": "n" * 50}}, "it has more than 44 characters: choose a shorter one"),
        ({"apiVersion": "v1", "kind": "Pod"}, "holds a Pod: CronJobs of batch/v1 are wanted"),
        ({"apiVersion": "v1", "kind": "List", "items": []}, "holds no CronJob"),
    ],
)
def test_what_has_no_counterpart_is_an_error_and_nothing_is_printed(
    document: dict[str, Any], said: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = converted(document, path, capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_the_output_is_a_manifest_below_a_comment(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = converted(without(a_cron_job(), "concurrencyPolicy"), path, capsys)
    comment = [line for line in out.splitlines() if line.startswith("#")]
    assert code == 0
    assert comment[0] == "# CronJob nightly as a PeriodicBuild. What changes in meaning:"
    assert comment[-1] == "# Delete the CronJob when this is applied: else both build."
    assert yaml.safe_load(out)["spec"]["template"] == TEMPLATE
    assert "concurrencyPolicy" not in yaml.safe_load(out)["spec"]


def test_a_list_as_kubectl_prints_it_becomes_several_manifests(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = [{key: one[key] for key in ("metadata", "spec")} for one in (a_cron_job(), a_cron_job(suspend=True))]
    _, out, _ = converted({"apiVersion": "v1", "kind": "List", "items": items}, path, capsys)
    assert [one["spec"]["enabled"] for one in yaml.safe_load_all(out)] == [True, False]


def test_standard_input_will_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = io.TextIOWrapper(io.BytesIO(yaml.safe_dump(a_cron_job()).encode()))
    monkeypatch.setattr("sys.stdin", text)
    assert run(["convert", "-f", "-"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["metadata"]["name"] == "nightly"
