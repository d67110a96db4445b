"""A few of the points at which `python -m tests.bench crash` kills the operator: one of each kind that hurts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.bench.ground import own_cluster
from tests.cluster.levels import Level
from tests.crash.arena import Arena, Point
from tests.crash.scenario import Scenario
from tests.crash.sweep import sweep, undisturbed
from tests.faults.effects import When
from tests.faults.script import Match
from tests.mail.running import running_mail_server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.simulated_nodes

OF_JOB = Match(resources=("periodicbuilds/status",), name="job")

POINTS = {
    "a server exists, and no status says so": Point(When.AFTER, 2, Match(verbs=("create",), resources=("appservers",))),
    "its pod exists, and nobody knows": Point(
        When.AFTER, 2, Match(verbs=("create",), resources=("pods",), dry_run=False)
    ),
    "a failed attempt is recorded, and its run does not know": Point(When.BEFORE, 3, OF_JOB),
    "the end of a run and its mail are recorded, and no mail is sent": Point(When.AFTER, 5, OF_JOB),
    "the mail is sent, and still owed": Point(When.BEFORE, 6, OF_JOB),
    "the Service is switched, and no status says so": Point(
        When.AFTER, 1, Match(resources=("services",), verbs=("patch",))
    ),
}


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Give a cluster without any other operator, which would act as well."""
    with own_cluster(Level.SIMULATED) as cluster, running_mail_server(tmp_path_factory.mktemp("mail")) as mail:
        yield Arena.in_cluster(cluster, mail, Scenario.play_briefly)


def test_an_operator_that_is_killed_between_two_writes_leaves_no_trace_of_it(arena: Arena) -> None:
    """R22, R42."""
    calm = undisturbed(arena)

    done = sweep(arena, calm, list(POINTS.values()))

    assert [str(one) for one in done.plays if not one.findings.is_clean] == []
    assert {one.outcome.struck for one in done.plays} == {
        "create appservers job-(slot 1)-1",
        "create pods job-(slot 1)-1",
        "patch periodicbuilds/status job",
        "patch services front",
    }
