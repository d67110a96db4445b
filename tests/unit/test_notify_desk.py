"""What is handed to the sinks, how much of it one by one, and what is reported back (R38, R39)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.builders import at

from periodicbuild.core.mail import Delivery
from periodicbuild.core.reasons import NoticeKind, SinkName
from periodicbuild.notify.desk import Desk, Pace, Parcel
from periodicbuild.notify.notice import Notice, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

OPS = ("ops@example.com",)
TAKEN = Receipt(is_accepted=True)
AWAY = Receipt(is_accepted=False, problem="nobody answers")
AT_ONCE = Pace(per_hour=2, quiet_seconds=0.0, longest_seconds=0.0)


@dataclass(slots=True)
class Letterbox:
    """A sink that remembers what it was given, and answers what a test says."""

    name: SinkName = SinkName.EMAIL
    receipts: list[Receipt] = field(default_factory=list)
    """Answers in their order; after them everything is taken."""
    sent: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    digests: list[tuple[list[str], tuple[str, ...]]] = field(default_factory=list)
    is_broken: bool = False

    async def send(self, notice: Notice, to: Sequence[str]) -> Receipt:
        """Take one."""
        self.sent.append((notice.key, tuple(to)))
        return await self._answer()

    async def send_digest(self, notices: Sequence[Notice], to: Sequence[str]) -> Receipt:
        """Take several."""
        self.digests.append(([notice.key for notice in notices], tuple(to)))
        return await self._answer()

    async def _answer(self) -> Receipt:
        await asyncio.sleep(0)
        if self.is_broken:
            raise RuntimeError("this sink is broken")
        return self.receipts.pop(0) if self.receipts else TAKEN


def a_parcel(
    number: int = 1, *, tries: int = 0, sinks: tuple[SinkName, ...] = (SinkName.EMAIL,), to: tuple[str, ...] = OPS
) -> Parcel:
    """Give a failure of the run of that number."""
    notice = Notice(
        kind=NoticeKind.RUN_FAILED,
        key=f"{number}/RunFailed",
        uid="uid-1",
        namespace="apps",
        name="nightly",
        thread=f"{number}",
        run=f"{number}",
        owed_at=at("2026-11-23T03:00:00") + timedelta(seconds=number),
    )
    return Parcel(notice=notice, tries=tries, sinks=sinks, to=to)


def delivered(*sinks: Letterbox, parcels: Sequence[Parcel], pace: Pace | None = None) -> list[Delivery]:
    """Post parcels one after the other, each when the one before has been reported, and give the reports."""
    return _run(sinks, pace, lambda desk, reports: _one_by_one(desk, reports, parcels))


def delivered_at_once(*sinks: Letterbox, parcels: Sequence[Parcel], pace: Pace | None = None) -> list[Delivery]:
    """Post all parcels, and give the reports."""
    return _run(sinks, pace, lambda desk, reports: _all(desk, reports, parcels))


Reports = asyncio.Queue[Delivery]


def _run(
    sinks: Sequence[Letterbox],
    pace: Pace | None,
    scene: Callable[[Desk, Reports], Coroutine[None, None, list[Delivery]]],
) -> list[Delivery]:
    async def play() -> list[Delivery]:
        reports: Reports = asyncio.Queue()
        desk = Desk({sink.name: sink for sink in sinks}, lambda _, delivery: reports.put_nowait(delivery), pace)
        try:
            async with asyncio.timeout(10):
                return await scene(desk, reports)
        finally:
            await desk.close()

    return asyncio.run(play())


async def _one_by_one(desk: Desk, reports: Reports, parcels: Sequence[Parcel]) -> list[Delivery]:
    result = []
    for parcel in parcels:
        desk.post(parcel)
        result.append(await reports.get())
    return result


async def _all(desk: Desk, reports: Reports, parcels: Sequence[Parcel]) -> list[Delivery]:
    for parcel in parcels:
        desk.post(parcel)
    return [await reports.get() for _ in {parcel.id for parcel in parcels}]


def test_what_is_taken_is_reported_as_delivered() -> None:
    box = Letterbox()
    assert delivered(box, parcels=[a_parcel(tries=3)]) == [
        Delivery(key="1/RunFailed", tries=3, delivered=frozenset({SinkName.EMAIL}))
    ]
    assert box.sent == [("1/RunFailed", OPS)]


def test_what_is_under_way_is_not_sent_twice() -> None:
    box = Letterbox()
    delivered_at_once(box, parcels=[a_parcel(), a_parcel()])
    assert box.sent == [("1/RunFailed", OPS)]


def test_what_was_not_taken_is_reported_with_its_problem() -> None:
    box = Letterbox(receipts=[AWAY])
    assert delivered(box, parcels=[a_parcel()]) == [Delivery(key="1/RunFailed", tries=0, problem="nobody answers")]


def test_what_will_never_be_taken_is_reported_as_given_up() -> None:
    refusal = Receipt(is_accepted=False, problem="no such user", refused=OPS, is_final=True)
    (report,) = delivered(Letterbox(receipts=[refusal]), parcels=[a_parcel()])
    assert (report.given_up, report.refused) == (frozenset({SinkName.EMAIL}), OPS)


def test_each_sink_is_reported_for_itself() -> None:
    mail, chat = Letterbox(receipts=[AWAY]), Letterbox(SinkName.SLACK)
    (report,) = delivered(mail, chat, parcels=[a_parcel(sinks=(SinkName.EMAIL, SinkName.SLACK))])
    assert (report.delivered, report.problem) == (frozenset({SinkName.SLACK}), "nobody answers")
    assert chat.sent == [("1/RunFailed", ())]


def test_a_sink_that_is_not_set_up_any_more_is_a_problem() -> None:
    (report,) = delivered(parcels=[a_parcel()])
    assert report.problem == "the operator was started without Email"


def test_a_broken_sink_is_a_problem_and_not_the_end() -> None:
    (report,) = delivered(Letterbox(is_broken=True), parcels=[a_parcel()])
    assert report.problem == "Email failed by a bug in the operator; its log says more"


def test_whoever_was_refused_for_now_is_tried_again_alone() -> None:
    """R38: the others have it."""
    waits = Receipt(is_accepted=True, problem="451 come back later", left=("b@example.com",))
    box = Letterbox(receipts=[waits, TAKEN])
    both = ("a@example.com", "b@example.com")
    first, second, third = delivered(box, parcels=[a_parcel(to=both, tries=n) for n in range(3)])
    assert (first.delivered, first.problem) == (frozenset(), "451 come back later")
    assert second.delivered == third.delivered == {SinkName.EMAIL}
    assert [to for _, to in box.sent] == [both, ("b@example.com",), both]


def test_if_nobody_wants_it_any_more_it_counts_as_delivered() -> None:
    box = Letterbox()
    (report,) = delivered(box, parcels=[a_parcel(to=())])
    assert (report.delivered, box.sent) == (frozenset({SinkName.EMAIL}), [])


# A storm


def test_beyond_so_many_an_hour_the_rest_is_one_digest_oldest_first() -> None:
    box = Letterbox()
    reports = delivered_at_once(box, parcels=[a_parcel(n) for n in (1, 2, 5, 4, 3)], pace=AT_ONCE)
    assert [key for key, _ in box.sent] == ["1/RunFailed", "2/RunFailed"]
    assert box.digests == [(["3/RunFailed", "4/RunFailed", "5/RunFailed"], OPS)]
    assert {report.key for report in reports if report.delivered} == {f"{n}/RunFailed" for n in range(1, 6)}


def test_a_digest_waits_until_it_is_quiet() -> None:
    box = Letterbox()
    pace = Pace(per_hour=1, quiet_seconds=0.2, longest_seconds=10)
    parcels = [a_parcel(n) for n in range(1, 5)]

    async def scene(desk: Desk, reports: Reports) -> list[Delivery]:
        for parcel in parcels:
            desk.post(parcel)
            await asyncio.sleep(0.05)
        return [await reports.get() for _ in parcels]

    _run([box], pace, scene)
    assert [len(keys) for keys, _ in box.digests] == [3]


def test_a_digest_does_not_wait_for_ever() -> None:
    box = Letterbox()
    pace = Pace(per_hour=1, quiet_seconds=1000, longest_seconds=0.05)
    delivered_at_once(box, parcels=[a_parcel(1), a_parcel(2)], pace=pace)
    assert len(box.digests) == 1


def test_the_next_digest_for_the_same_people_waits_for_an_hour() -> None:
    box = Letterbox()
    pace = Pace(per_hour=1, quiet_seconds=0, longest_seconds=0, digest_every_seconds=0.3)

    async def scene(desk: Desk, reports: Reports) -> list[Delivery]:
        started_at = asyncio.get_running_loop().time()
        await _one_by_one(desk, reports, [a_parcel(1), a_parcel(2), a_parcel(3)])
        assert asyncio.get_running_loop().time() - started_at >= 0.3
        return []

    _run([box], pace, scene)
    assert [keys for keys, _ in box.digests] == [["2/RunFailed"], ["3/RunFailed"]]


def test_others_do_not_read_in_a_digest_what_is_not_theirs() -> None:
    box = Letterbox()
    parcels = [a_parcel(1), a_parcel(2), a_parcel(3, to=("a@example.com",)), a_parcel(4, to=("b@example.com",))]
    delivered_at_once(box, parcels=parcels, pace=AT_ONCE)
    assert sorted(box.digests) == [(["3/RunFailed"], ("a@example.com",)), (["4/RunFailed"], ("b@example.com",))]


def test_a_digest_that_is_not_taken_is_a_problem_of_each() -> None:
    box = Letterbox(receipts=[TAKEN, TAKEN, AWAY])
    reports = delivered_at_once(box, parcels=[a_parcel(n) for n in range(4)], pace=AT_ONCE)
    assert [report.problem for report in reports if report.problem] == ["nobody answers"] * 2


def test_what_was_not_taken_does_not_count_towards_the_hour() -> None:
    box = Letterbox(receipts=[AWAY, AWAY])
    delivered(box, parcels=[a_parcel(n) for n in range(4)], pace=AT_ONCE)
    assert (len(box.sent), box.digests) == (4, [])


def test_without_a_limit_everything_is_sent_one_by_one() -> None:
    box = Letterbox()
    delivered_at_once(box, parcels=[a_parcel(n) for n in range(150)], pace=Pace(per_hour=0))
    assert (len(box.sent), box.digests) == (150, [])


def test_a_program_gets_every_fact_for_itself() -> None:
    hook = Letterbox(SinkName.WEBHOOK)
    delivered_at_once(hook, parcels=[a_parcel(n, sinks=(SinkName.WEBHOOK,)) for n in range(5)], pace=AT_ONCE)
    assert (len(hook.sent), hook.digests) == (5, [])


def test_a_desk_that_is_closed_reports_nothing_more() -> None:
    """R39: what is under way stays owed."""

    async def scene(desk: Desk, reports: Reports) -> list[Delivery]:
        desk.post(a_parcel(1))
        desk.post(a_parcel(2))
        await desk.close()
        assert reports.empty()
        return []

    _run([Letterbox()], Pace(per_hour=1, quiet_seconds=1000, longest_seconds=1000), scene)


def test_who_does_not_lead_any_more_tells_nobody() -> None:
    """A process that was stopped for longer than its Lease lasts goes on where it was."""
    box, reports = Letterbox(), []

    async def scenario() -> None:
        desk = Desk({box.name: box}, lambda _, delivery: reports.append(delivery), AT_ONCE, may_tell=lambda: False)
        desk.post(a_parcel())
        while desk.is_under_way("uid-1", "1/RunFailed"):  # noqa: ASYNC110 - its end is all there is to see
            await asyncio.sleep(0)
        await desk.close()

    asyncio.run(scenario())
    assert box.sent == []
    assert [(one.delivered, one.problem) for one in reports] == [
        (frozenset(), "another replica leads, and tells people")
    ]
