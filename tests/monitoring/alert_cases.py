"""What each alert must do: when it fires, what just does not make it fire, and that silence says nothing.

The one idea a newcomer would miss: promtool's clock starts at 0, so a timestamp of 0 means "since the beginning".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Series = dict[str, str]
"""Values by series, both as promtool writes them."""

ONE: Final = '{namespace="apps",name="nightly"}'
"""A PeriodicBuild."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One alert."""

    alert: str
    at: str
    """When it is asked."""
    fires: Series
    not_quite: tuple[Series, ...]
    """With each of these it does not fire at that moment."""
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)
    fires_on_silence: bool = False


def lag(good: str) -> Series:
    """Give slots, one a minute, of which a share starts in time."""
    name = "periodicbuild_schedule_lag_seconds"
    return {f'{name}_bucket{{le="60.0"}}': f"0+{good}x400", f"{name}_count": "0+1x400"}


def leaders(*values: str) -> Series:
    """Give what replicas say of themselves."""
    return {
        f'periodicbuild_leader{{job="periodicbuild",instance="{number}"}}': f"{value}x60"
        for number, value in enumerate(values)
    }


def looks(done: str, failed: str) -> Series:
    """Give looks at AppServers per minute."""
    name = "periodicbuild_reconciles_total"
    return {
        f'{name}{{kind="AppServer",outcome="{outcome}"}}': f"0+{count}x60"
        for outcome, count in {"Done": done, "Failed": failed}.items()
    }


def attempts(tried: str, failed: str) -> Series:
    """Give attempts per minute."""
    return {
        "periodicbuild_provisioning_attempts_total": f"0+{tried}x60",
        'periodicbuild_provisioning_failures_total{class="Build"}': f"0+{failed}x60",
    }


def due(next_run: str, interval: str = "3600", suspended: str = "0") -> Series:
    """Give a PeriodicBuild whose slot was at an instant, as two replicas tell of it."""
    return {
        f'periodicbuild_{name}{ONE[:-1]},instance="{replica}"}}': f"{value}x120"
        for replica in "ab"
        for name, value in {
            "next_run_timestamp_seconds": next_run,
            "interval_seconds": interval,
            "suspended": suspended,
        }.items()
    }


def succeeded(at: str, suspended: str = "0") -> Series:
    """Give a PeriodicBuild that succeeded at an instant, and is due every ten minutes."""
    return {
        f"periodicbuild_last_success_timestamp_seconds{ONE}": f"{at}x120",
        f"periodicbuild_interval_seconds{ONE}": "600x120",
        f"periodicbuild_suspended{ONE}": f"{suspended}x120",
    }


PENDING: Final = "periodicbuild_notification_oldest_pending_timestamp_seconds"
HEARD: Final = 'periodicbuild_watch_last_activity_timestamp_seconds{job="periodicbuild",instance="a",kind="Pod"}'
QUEUED: Final = "periodicbuild_queue_oldest_timestamp_seconds"
NAMED: Final = {"namespace": "apps", "name": "nightly"}

CASES: Final = (
    Case(
        alert="PeriodicBuildOverdue",
        at="18m",
        fires=due("0"),
        not_quite=(due("300"), due("0", suspended="1"), due("0", interval="7200")),
        labels=NAMED,
        summary="PeriodicBuild apps/nightly should have started 18m 0s ago",
    ),
    Case(
        alert="PeriodicBuildStale",
        at="37m",
        fires=succeeded("0"),
        not_quite=(succeeded("120"), succeeded("0", suspended="1")),
        labels=NAMED,
        summary="PeriodicBuild apps/nightly last succeeded 37m 0s ago",
    ),
    Case(
        alert="PeriodicBuildFailing",
        at="1m",
        fires={f"periodicbuild_consecutive_failures{ONE}": "3x9"},
        not_quite=({f"periodicbuild_consecutive_failures{ONE}": "2x9"},),
        labels=NAMED,
        summary="PeriodicBuild apps/nightly has failed 3 times in a row",
    ),
    Case(
        alert="PeriodicBuildProvisioningFailureRatio",
        at="50m",
        fires=attempts("1", "0.6"),
        not_quite=(attempts("1", "0.5"), attempts("0.1", "0.1")),
        summary="60% of all attempts at a build have failed in six hours",
    ),
    Case(
        alert="PeriodicBuildSlotsUnaccounted",
        at="6m",
        fires={"periodicbuild_unaccounted_slots": "2x9"},
        not_quite=({"periodicbuild_unaccounted_slots": "0x9"}, {"periodicbuild_unaccounted_slots": "2x2 0 2x9"}),
        summary="2 slots are in no ledger",
    ),
    Case(
        alert="PeriodicBuildTimelinessFastBurn",
        at="20m",
        fires=lag("0.9"),
        not_quite=(lag("0.93"),),
        summary="10% of the slots of an hour have started more than a minute late",
    ),
    Case(
        alert="PeriodicBuildTimelinessSlowBurn",
        at="60m",
        fires=lag("0.96"),
        not_quite=(lag("0.971"),),
        summary="4% of the slots of six hours have started more than a minute late",
    ),
    Case(
        alert="PeriodicBuildTimelinessBudgetSpent",
        at="300m",
        fires=lag("0.99"),
        not_quite=(lag("0.996"),),
        summary="1% of the slots of three days have started more than a minute late",
    ),
    Case(
        alert="PeriodicBuildOperatorDown",
        at="15m",
        fires={'periodicbuild_build_info{version="0.1.0"}': "1x3 stale"},
        not_quite=({'periodicbuild_build_info{version="0.1.0"}': "1x7 stale"},),
        summary="No replica of the periodicbuild operator is scraped",
        fires_on_silence=True,
    ),
    Case(
        alert="PeriodicBuildNoLeader",
        at="6m",
        fires=leaders("0", "0"),
        not_quite=(leaders("0", "1"),),
        labels={"job": "periodicbuild"},
        summary="No replica of the periodicbuild operator leads",
    ),
    Case(
        alert="PeriodicBuildTwoLeaders",
        at="3m",
        fires=leaders("1", "1"),
        not_quite=(leaders("0", "1"),),
        labels={"job": "periodicbuild"},
        summary="2 replicas of the periodicbuild operator lead at once",
    ),
    Case(
        alert="PeriodicBuildNotificationsFailing",
        at="31m",
        fires={PENDING: "0x60"},
        not_quite=({PENDING: "120x60"},),
        summary="People are not told what becomes of their builds",
    ),
    Case(
        alert="PeriodicBuildReconcileErrors",
        at="20m",
        fires=looks("8", "2"),
        not_quite=(looks("10", "1"),),
        labels={"kind": "AppServer"},
        summary="20% of the operator's looks at AppServers fail",
    ),
    Case(
        alert="PeriodicBuildWatchStalled",
        at="21m",
        fires={HEARD: "0x60"},
        not_quite=({HEARD: "120x60"},),
        labels={"job": "periodicbuild", "instance": "a", "kind": "Pod"},
        summary="a has heard nothing of Pods for 21m 0s",
    ),
    Case(
        alert="PeriodicBuildKubeThrottled",
        at="21m",
        fires={QUEUED: "0x60"},
        not_quite=({QUEUED: "120x60"},),
        summary="The operator waits for the API server",
    ),
)


def promtool_document(case: Case, rule: Mapping[str, Any], rules: str) -> dict[str, Any]:
    """Give what promtool reads: the tests of one alert, whose rules are in a file."""
    fired = {
        "exp_labels": {**case.labels, **rule["labels"]},
        "exp_annotations": {**_filled(rule["annotations"], case.labels), "summary": case.summary},
    }
    return {
        "rule_files": [rules],
        "evaluation_interval": "1m",
        "tests": [
            _test(f"{case.alert} fires", case, case.fires, [fired]),
            *(_test(f"{case.alert} does not fire yet", case, series, []) for series in case.not_quite),
            _test(f"{case.alert} without data", case, {}, [fired] if case.fires_on_silence else []),
        ],
    }


def _test(name: str, case: Case, series: Series, expected: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}],
    }


def _filled(annotations: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    return dict(_each_filled(annotations, labels))


def _each_filled(annotations: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, text in annotations.items():
        filled = text
        for label, value in labels.items():
            filled = filled.replace(f"{{{{ $labels.{label} }}}}", value)
        yield key, filled
