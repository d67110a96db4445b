"""The contest's rounds, from the file to the page and to the published figures."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.bench.catalogue import CATALOGUE
from tests.bench.known_contest import COMMAND
from tests.contest.__main__ import FILE, main
from tests.contest.contest import Plan, order
from tests.contest.cron_jobs import CronJobs
from tests.contest.page import BLOCK, PAGE, render_page
from tests.contest.periodic_builds import PeriodicBuilds
from tests.contest.published import figures_of
from tests.contest.scenarios import BY_ID, SCENARIOS
from tests.contest.slots import Lag
from tests.contest.turns import Costs, Turn, read_turns, rounds_of, write_turns

HERD = "herd-1000-at-500"
BESIDE = "namespaces-100"


def a_turn(
    contestant: str = "periodicbuild", scenario: str = HERD, number: int = 1, p99: float = 3.0, **fields: object
) -> Turn:
    lag = Lag(p50=p99 / 2, p99=p99, max=p99 + 1)
    turn = Turn(
        scenario=scenario,
        round=number,
        contestant=contestant,
        is_first=True,
        date="2026-12-01",
        commit="0123abcd",
        machine="2 cores",
        kubernetes="1.37.1",
        load=0.5,
        schedules=1000,
        due=2000,
        started=1990,
        doubled=0,
        explained=7,
        lost=3,
        warnings=0,
        lag=lag,
        lag_of_bodies=lag,
        p99_by_minute=[p99, p99],
        catch_up_seconds=None,
        kills=0,
        requests={"create jobs": 1.0, "patch cronjobs/status": 2.0},
        controller=Costs(cpu_seconds=20.0, peak_mb=100.0),
        api_server=Costs(cpu_seconds=40.0, peak_mb=500.0),
        etcd=Costs(cpu_seconds=9.0, peak_mb=90.0),
    )
    return msgspec.structs.replace(turn, **fields)


def a_round(number: int = 1, scenario: str = HERD, ours: float = 3.0, theirs: float = 6.0) -> list[Turn]:
    is_ours = number % 2 == 1
    return [
        a_turn("periodicbuild", scenario, number, ours, is_first=is_ours),
        a_turn("cronjob", scenario, number, theirs, is_first=not is_ours),
    ]


def table(turns: list[Turn], scenario: str = HERD) -> str:
    return render_page(f"<!-- contest: {scenario} -->\n<!-- end of contest -->", turns)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    turns = [*a_round(), a_turn(lag=None, p99_by_minute=[None, 1.0])]

    write_turns(tmp_path / "turns.json", turns)

    assert read_turns(tmp_path / "turns.json") == turns


def test_a_round_without_both_does_not_count() -> None:
    turns = [*a_round(1), a_turn(number=2)]

    assert list(rounds_of(turns, HERD)) == [1]


def test_who_is_first_alternates() -> None:
    assert [order(number)[0] for number in (1, 2, 3)] == [PeriodicBuilds, CronJobs, PeriodicBuilds]


def test_to_resume_is_to_play_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "turns.json"
    write_turns(file, [*a_round(1), *a_round(3)])

    plan = Plan.of([BY_ID[HERD]], file, resume=True)

    assert [number for _, number in plan.rounds] == [2, 4, 5]


def test_the_first_new_round_takes_the_place_of_all_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "turns.json"
    write_turns(file, [*a_round(1, ours=9.0), *a_round(2), *a_round(1, BESIDE)])
    plan = Plan.of([BY_ID[HERD]], file, resume=False)

    assert len(read_turns(file)) == 6
    plan.keep(a_round(1))
    plan.keep(a_round(2, ours=2.0))

    assert [number for _, number in plan.rounds] == [1, 2, 3, 4, 5]
    assert read_turns(file) == [*a_round(1, BESIDE), *a_round(1), *a_round(2, ours=2.0)]


def test_what_was_played_before_stays_when_it_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "turns.json"
    write_turns(file, a_round(1))

    Plan.of([BY_ID[HERD]], file, resume=True).keep(a_round(2))

    assert list(rounds_of(read_turns(file), HERD)) == [1, 2]


def test_a_table_shows_the_median_and_the_range_of_the_rounds() -> None:
    text = table(
        [*a_round(1, ours=3.0, theirs=6.0), *a_round(2, ours=2.0, theirs=9.0), *a_round(3, ours=4.0, theirs=7.0)]
    )

    assert "| ... p99, s | **7** (6 to 9) | **3** (2 to 4) |" in text


def test_counts_are_added_up() -> None:
    assert "| slots due | 4,000 | 4,000 |" in table([*a_round(1), *a_round(2)])
    assert "| ... **lost**: not started, and not a word | 6 | 6 |" in table([*a_round(1), *a_round(2)])


def test_what_nobody_has_anything_to_say_of_is_left_out() -> None:
    assert "SIGKILL" not in table(a_round())
    assert "caught up" not in table(a_round())


def test_only_the_operator_has_pods_beside_its_children() -> None:
    assert "| lag of the pods, p99, s |  | **3** |" in table(a_round())


def test_requests_are_told_by_verb_and_resource() -> None:
    assert "Requests per run, CronJob controller: patch cronjobs/status 2.00, create jobs 1.00." in table(a_round())


def test_a_scenario_that_was_never_played_says_so() -> None:
    assert "Not played yet." in table([])


def test_the_page_says_once_where_and_of_what_a_table_is() -> None:
    text = table([*a_round(1), *[msgspec.structs.replace(turn, commit="89abcdef") for turn in a_round(2)]])

    assert (
        "2 rounds (this operator first in 1), 2026-12-01, Kubernetes 1.37.1, commit 0123abcd, 89abcdef, 2 cores; "
        in text
    )


@pytest.mark.parametrize(("number", "first"), [(1, "this operator"), (2, "CronJob controller")])
def test_of_a_single_round_a_table_says_who_was_first(number: int, first: str) -> None:
    assert f"1 round ({first} first), " in table(a_round(number))


def test_a_table_shows_by_how_much_the_lag_has_grown_in_each_round() -> None:
    turns = [
        msgspec.structs.replace(turn, p99_by_minute=lags)
        for number, lags in enumerate(([2.0, 2.0], [2.0, 4.0], [None, 4.0]), 1)
        for turn in a_round(number)
    ]

    assert "| ... in times of the first minute's | **1.5** (1 to 2) | **1.5** (1 to 2) |" in table(turns)


def test_what_has_one_minute_only_has_not_grown() -> None:
    turns = [msgspec.structs.replace(turn, p99_by_minute=[2.0]) for turn in a_round()]

    assert "in times of" not in table(turns)


def test_rendering_again_changes_nothing() -> None:
    once = table(a_round())

    assert render_page(once, a_round()) == once


def test_the_worst_round_is_the_figure() -> None:
    figures = figures_of([*a_round(1, ours=3.0, theirs=6.0), *a_round(2, ours=4.0, theirs=5.0)])

    assert figures["herd-1000-at-500-p99-over-cronjob"] == 0.8


def test_a_round_in_which_nothing_started_is_the_worst() -> None:
    nothing = [a_turn(number=1, lag=None), a_turn("cronjob", number=1)]

    assert figures_of(nothing)["herd-1000-at-500-p99-over-cronjob"] > 10_000


@pytest.mark.parametrize("seconds", [16.0, 25.0], ids=["more in many namespaces", "less"])
def test_what_namespaces_cost_is_a_distance(seconds: float) -> None:
    apart = [
        msgspec.structs.replace(turn, controller=Costs(cpu_seconds=seconds, peak_mb=1)) for turn in a_round(1, BESIDE)
    ]

    assert figures_of([*a_round(), *apart])["namespace-cpu-ratio"] == 1.25


def test_processor_time_of_another_commit_is_not_compared_with() -> None:
    """It was another day, and maybe another machine."""
    apart = a_round(1, BESIDE)
    elsewhere = [msgspec.structs.replace(turn, commit="89abcdef") for turn in a_round(2)]

    assert figures_of([*a_round(1), *apart]).keys() - figures_of([*elsewhere, *apart]).keys() == {
        "namespace-cpu-ratio",
        "cronjob-namespace-cpu-ratio",
    }


def test_the_contest_measures_what_the_catalogue_says() -> None:
    played = [turn for scenario in SCENARIOS for turn in a_round(1, scenario.id)]

    assert set(figures_of(played)) == {known.id for known in CATALOGUE if known.command == COMMAND}


def test_the_page_shows_every_scenario_once() -> None:
    assert [block["id"] for block in BLOCK.finditer(PAGE.read_text())] == [scenario.id for scenario in SCENARIOS]


def test_the_page_shows_what_is_in_the_file() -> None:
    text = PAGE.read_text()

    assert render_page(text, read_turns(FILE)) == text


def test_the_whole_contest_takes_no_longer_than_the_page_says() -> None:
    seconds = sum(scenario.rounds * 2 * scenario.seconds for scenario in SCENARIOS)

    assert seconds < 160 * 60
    assert "about two and a half hours" in " ".join(PAGE.read_text().split())


def test_a_smaller_contest_is_not_published(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--scale=0.1"])

    assert "give another --file" in capsys.readouterr().err


def test_an_unknown_scenario_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["speed"])

    assert "herd-100-at-20" in capsys.readouterr().err
