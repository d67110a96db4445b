"""What is concluded from the readings of a long run."""

from __future__ import annotations

import pytest
from tests.bench.soak import Reading, figures_of


def readings(*resident: float, tasks: float = 40.0, unaccounted: float = 0.0) -> list[Reading]:
    """Give one reading every quarter of an hour."""
    return [
        Reading(
            hours=number / 4,
            resident_mb=mb,
            tasks=tasks,
            runs=100.0 * number,
            unaccounted=unaccounted,
            requests=50.0 + 700.0 * number,
            stray_pods=7.0 - number,
        )
        for number, mb in enumerate(resident)
    ]


def test_what_grows_steadily_has_that_slope() -> None:
    assert figures_of(readings(100, 101, 102, 103, 104))["soak-rss-slope-mb-per-hour"] == pytest.approx(4)


def test_a_peak_in_the_middle_is_no_slope() -> None:
    figures = figures_of(readings(100, 100, 120, 100, 100))
    assert figures["soak-rss-slope-mb-per-hour"] == pytest.approx(0)
    assert (figures["soak-rss-mb"], figures["soak-runs"]) == (120, 400)


def test_tasks_that_are_never_ended_show() -> None:
    both = readings(100, 100, tasks=40) + readings(100, 100, tasks=90)
    assert figures_of(both)["soak-tasks-growth"] == 50


def test_one_moment_with_an_unaccounted_slot_is_enough() -> None:
    assert figures_of(readings(100, 100, unaccounted=1))["soak-unaccounted"] == 1


def test_the_most_pods_count_that_the_cluster_has_left_behind() -> None:
    assert figures_of(readings(100, 100, 100))["soak-stray-pods"] == 7


def test_requests_are_counted_for_the_runs_of_the_same_time() -> None:
    assert figures_of(readings(100, 100, 100))["soak-requests-per-run"] == 7
