"""The probes say what is wrong in a sentence, and the metrics can be read by Prometheus."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.monitoring.registry import a_busy_operators_metrics

from periodicbuild.wiring.build_metrics import GAUGES
from periodicbuild.wiring.health import Health
from periodicbuild.wiring.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

PER_BUILD = [f"periodicbuild_{name}" for name, *_ in GAUGES]


def fine() -> str | None:
    """Complain of nothing."""
    return None


def asked(path: str, *, complaint: Callable[[], str | None] = fine, missing: Callable[[], str | None] = fine) -> str:
    """Give status and text of a page."""

    async def scenario() -> str:
        health = Health(complaint, missing, a_busy_operators_metrics().registry)
        await health.start("127.0.0.1", 0)
        try:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{health.port}{path}") as answer:
                return f"{answer.status} {await answer.text()}"
        finally:
            await health.stop()

    return asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_all_is_well(path: str) -> None:
    assert asked(path) == "200 ok\n"


def test_what_is_wrong_with_the_process_fails_the_liveness_probe_only() -> None:
    def complaint() -> str:
        return "the loop has not turned for 31 s"

    assert asked("/healthz", complaint=complaint) == "503 the loop has not turned for 31 s\n"
    assert asked("/readyz", complaint=complaint) == "200 ok\n"


def test_what_is_missing_fails_the_readiness_probe_only() -> None:
    assert asked("/readyz", missing=lambda: "still listing pods") == "503 still listing pods\n"
    assert asked("/healthz", missing=lambda: "still listing pods") == "200 ok\n"


def test_metrics_can_be_read_and_have_the_names_and_labels_that_dashboards_use() -> None:
    status, _, text = asked("/metrics").partition(" ")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    labels = {
        name: {label for sample in family.samples for label in sample.labels} for name, family in families.items()
    }
    assert status == "200"
    own = {name: labels[name] for name in labels if not name.startswith("process_")}
    assert "process_resident_memory_bytes" in labels
    assert own == {
        "periodicbuild_build_info": {"version", "revision", "tzdata"},
        "periodicbuild_schedule_lag_seconds": {"le"},
        "periodicbuild_slots": {"decision", "reason"},
        "periodicbuild_runs_finished": {"trigger", "result"},
        "periodicbuild_runs_started": {"trigger"},
        "periodicbuild_provisioning_attempts": set(),
        "periodicbuild_provisioning_failures": {"class"},
        "periodicbuild_provisioning_duration_seconds": {"result", "le"},
        "periodicbuild_reconciles": {"kind", "outcome"},
        "periodicbuild_reconcile_duration_seconds": {"kind", "le"},
        "periodicbuild_events": {"outcome"},
        "periodicbuild_source_lookups": {"kind", "outcome"},
        "periodicbuild_kube_requests": {"verb", "resource", "code"},
        "periodicbuild_kube_request_duration_seconds": {"verb", "resource", "le"},
        "periodicbuild_notifications": {"sink", "outcome"},
        "periodicbuild_notification_delay_seconds": {"le"},
        "periodicbuild_notifications_pending": set(),
        "periodicbuild_notification_oldest_pending_timestamp_seconds": set(),
        "periodicbuild_unaccounted_slots": set(),
        "periodicbuild_stray_pods": set(),
        "periodicbuild_stray_pods_removed": set(),
        "periodicbuild_queue_depth": set(),
        "periodicbuild_queue_oldest_timestamp_seconds": set(),
        "periodicbuild_watch_last_activity_timestamp_seconds": {"kind"},
        **{name: {"namespace", "name"} for name in PER_BUILD},
        "periodicbuild_objects_unreported": set(),
        "periodicbuild_tasks": set(),
        "periodicbuild_objects": {"kind"},
        "periodicbuild_clock_trusted": set(),
        "periodicbuild_leader": set(),
    }
    assert all(family.documentation for family in families.values())


def test_gauges_tell_the_store_of_this_moment() -> None:
    read = a_busy_operators_metrics().registry.get_sample_value
    assert [read("periodicbuild_objects", {"kind": kind}) for kind in ("PeriodicBuild", "AppServer", "Pod")] == [1] * 3
    assert (read("periodicbuild_queue_depth"), read("periodicbuild_tasks")) == (3, 12)
    assert (read("periodicbuild_clock_trusted"), read("periodicbuild_leader")) == (1, 1)
    assert (read("periodicbuild_unaccounted_slots") or 0) > 0


def test_a_request_without_an_answer_is_counted_as_one() -> None:
    read = a_busy_operators_metrics().registry.get_sample_value
    labels = {"verb": "create", "resource": "pods"}
    counts = [read("periodicbuild_kube_requests_total", {**labels, "code": code}) for code in ("201", "0")]
    assert counts == [1, 1]


def test_the_result_of_every_kind_of_run_is_there_before_the_first_one_ends() -> None:
    """A rate over a series that appears with its first failure misses that failure."""
    samples = [sample for family in Metrics().registry.collect() for sample in family.samples]
    runs = [sample for sample in samples if sample.name == "periodicbuild_runs_finished_total"]
    assert {sample.value for sample in runs} == {0}
    assert ("Schedule", "Failed") in {(sample.labels["trigger"], sample.labels["result"]) for sample in runs}
