"""A script of faults: what it matches, which match it strikes, and what it says when it cannot be read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.faults.armed import Arsenal
from tests.faults.effects import Delay, Kill, Refuse, Skip, When, status_of
from tests.faults.script import ALWAYS, Fault, Match, Seen, read_script

from periodicbuild.kube.paths import Target

CREATE = Seen(target=Target("create", "pods", "team-a"))
PATCH = Seen(target=Target("patch", "appservers/status", "team-a", "nightly-1"))
DRY_RUN = Seen(target=Target("create", "pods", "team-a"), is_dry_run=True)
LEASE = Seen(target=Target("patch", "leases", "system", "periodicbuild"))
LIST = Seen(target=Target("list", "pods"))
ADDED = Seen(target=Target("watch", "pods", "team-a", "nightly-1"), event="ADDED")
BOOKMARK = Seen(target=Target("watch", "pods"), event="BOOKMARK")
ALL = (CREATE, DRY_RUN, PATCH, LEASE, LIST, ADDED, BOOKMARK)


@pytest.mark.parametrize(
    ("match", "fitting"),
    [
        pytest.param(Match(), (CREATE, DRY_RUN, PATCH, LEASE, LIST, ADDED), id="everything but bookmarks"),
        pytest.param(Match(event="*", verbs=("watch",)), (ADDED, BOOKMARK), id="every event"),
        pytest.param(Match(event="ADDED"), (ADDED,), id="one kind of event"),
        pytest.param(Match(verbs=("write",)), (CREATE, DRY_RUN, PATCH, LEASE), id="every write"),
        pytest.param(
            Match(verbs=("write",), except_resources=("leases",)), (CREATE, DRY_RUN, PATCH), id="but those by the clock"
        ),
        pytest.param(Match(dry_run=True), (DRY_RUN,), id="dry runs"),
        pytest.param(Match(verbs=("create",), dry_run=False), (CREATE,), id="no dry runs"),
        pytest.param(Match(verbs=("list", "create")), (CREATE, DRY_RUN, LIST), id="either verb"),
        pytest.param(
            Match(resources=("pods",)), (CREATE, DRY_RUN, LIST, ADDED), id="a resource, and not its subresources"
        ),
        pytest.param(Match(resources=("*/status",)), (PATCH,), id="a subresource of any"),
        pytest.param(Match(namespace="team-*", name="nightly-?"), (PATCH, ADDED), id="names as in a shell"),
    ],
)
def test_a_match_is_about(match: Match, fitting: tuple[Seen, ...]) -> None:
    assert tuple(seen for seen in ALL if match.fits(seen)) == fitting


@pytest.mark.parametrize(
    ("nth", "times", "struck"),
    [(1, 1, [1]), (3, 1, [3]), (2, 3, [2, 3, 4]), (4, ALWAYS, [4, 5, 6])],
    ids=["the first", "the third", "three from the second on", "all from the fourth on"],
)
def test_a_fault_strikes(nth: int, times: int, struck: list[int]) -> None:
    fault = Fault(Delay(), nth=nth, times=times)

    assert [match for match in range(1, 7) if fault.strikes(match)] == struck


def test_each_fault_counts_for_itself() -> None:
    arsenal = Arsenal()
    arsenal.add(Fault(Refuse(status=503), match=Match(verbs=("write",)), nth=2))
    arsenal.add(Fault(Kill(), match=Match(verbs=("patch",))))

    struck = [[armed.fault.effect for armed in arsenal.strike(seen)] for seen in (CREATE, LIST, PATCH)]

    assert struck == [[], [], [Refuse(status=503), Kill()]]


def test_a_fault_of_watches_does_not_count_requests() -> None:
    arsenal = Arsenal()
    arsenal.add(Fault(Skip()))

    assert [len(arsenal.strike(seen)) for seen in (CREATE, LIST, ADDED)] == [0, 0, 1]


def test_a_fault_strikes_no_more_once_it_is_over() -> None:
    arsenal = Arsenal()
    with arsenal.during(Fault(Refuse(status=503), times=ALWAYS)):
        assert arsenal.strike(CREATE)

    assert not arsenal.strike(CREATE)


def test_a_script_is_read(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        """
        faults:
        - {match: {verbs: [write], exceptResources: [leases]}, nth: 4, effect: {type: Kill, when: after}}
        - {effect: {type: Refuse, status: 429, retryAfterSeconds: 2}, times: 0}
        """
    )

    assert read_script(file) == (
        Fault(Kill(when=When.AFTER), match=Match(verbs=("write",), except_resources=("leases",)), nth=4),
        Fault(Refuse(status=429, retry_after_seconds=2), times=ALWAYS),
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("faults: [{effect: {type: Explode}}]", "'Explode' - at `$.faults[0].effect.type`"),
        ("faults: [{effect: {type: Kill, status: 3}}]", "`status` - at `$.faults[0].effect`"),
        ("faults: [{effect: {type: Kill}, math: {}}]", "`math` - at `$.faults[0]`"),
        ("faults: [{nth: 1}]", "`effect` - at `$.faults[0]`"),
    ],
)
def test_a_script_that_cannot_be_understood_says_where(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)

    with pytest.raises(msgspec.ValidationError, match=r".") as refused:
        read_script(file)

    assert place in str(refused.value)


@pytest.mark.parametrize(
    ("refusal", "is_create", "reason"),
    [
        (Refuse(status=409), True, "AlreadyExists"),
        (Refuse(status=409), False, "Conflict"),
        (Refuse(status=410), False, "Expired"),
        (Refuse(status=418), False, "Unknown"),
        (Refuse(status=403, reason="NamespaceTerminating"), False, "NamespaceTerminating"),
    ],
)
def test_a_refusal_has_the_reason_that_kubernetes_gives(refusal: Refuse, reason: str, *, is_create: bool) -> None:
    assert status_of(refusal, is_create=is_create)["reason"] == reason
