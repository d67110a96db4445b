"""What people are told about a change of the clock before it comes (design 2.1, R6, R7)."""

from __future__ import annotations

import pytest
from tests.builders import a_build, a_calendar, a_cron, a_schedule, a_schedule_status, a_spec, at
from tests.builders.looks import a_look, a_status

from periodicbuild.core.clock_changes import clock_changes
from periodicbuild.core.schedules import Schedule, Timing

BERLIN = "Europe/Berlin"
BEFORE_SPRING, BEFORE_AUTUMN = "2026-03-20T12:00:00", "2026-10-20T12:00:00"
SKIPPED = "on Sun 29 Mar 2026 the clock of Europe/Berlin skips 02:30: due Sun 29 Mar 03:00 CEST = 01:00 UTC instead"

TOLD = {
    "a calendar's time is skipped": (
        a_calendar("02:30", zone=BERLIN),
        BEFORE_SPRING,
        SKIPPED,
    ),
    "a calendar's time comes twice": (
        a_calendar("02:30", zone=BERLIN),
        BEFORE_AUTUMN,
        "on Sun 25 Oct 2026 the clock of Europe/Berlin shows 02:30 twice: due once, Sun 25 Oct 02:30 CEST = 00:30 UTC",
    ),
    "a date's last hour comes twice, and the date by UTC is the next": (
        a_calendar("23:30", zone="America/Nuuk"),
        "2026-10-25T00:15:00",
        "on Sat 24 Oct 2026 the clock of America/Nuuk shows 23:30 twice: due once, Sat 24 Oct 23:30 -01:00 = 00:30 UTC",
    ),
    "the first minute of a date comes twice": (
        a_calendar("00:00", zone="America/St_Johns"),
        "2010-10-31T12:00:00",
        "on Sun 07 Nov 2010 the clock of America/St_Johns shows 00:00 twice: due once, Sun 07 Nov 00:00 NDT = 02:30"
        " UTC",
    ),
    "a date loses its last hour": (
        a_calendar("23:30", zone="America/Nuuk"),
        "2027-03-20T12:00:00",
        "on Sat 27 Mar 2027 the clock of America/Nuuk skips 23:30: no slot then",
    ),
    "cron makes up for it on the next date": (
        a_cron("30 23 * * *", zone="America/Nuuk"),
        "2027-03-20T12:00:00",
        "on Sat 27 Mar 2027 the clock of America/Nuuk skips 23:30: due Sun 28 Mar 00:00 -01:00 = 01:00 UTC instead",
    ),
    "half an hour is skipped": (
        a_calendar("02:15", zone="Australia/Lord_Howe"),
        "2026-09-25T12:00:00",
        "on Sun 04 Oct 2026 the clock of Australia/Lord_Howe skips 02:15: due Sun 04 Oct 02:30 +11:00 = 15:30 UTC"
        " instead",
    ),
    "several times of one cron are skipped": (
        a_cron("0,20,40 1-3 * * *", zone=BERLIN),
        BEFORE_SPRING,
        "on Sun 29 Mar 2026 the clock of Europe/Berlin skips 02:00 to 02:40: due Sun 29 Mar 03:00 CEST = 01:00 UTC"
        " instead",
    ),
    "a wildcard of one hour is not made up for": (
        a_cron("*/10 2 * * *", zone=BERLIN),
        BEFORE_SPRING,
        "on Sun 29 Mar 2026 the clock of Europe/Berlin skips 02:00 to 02:50: no slot then",
    ),
    "a wildcard of one hour comes twice": (
        a_cron("*/10 2 * * *", zone=BERLIN),
        BEFORE_AUTUMN,
        "on Sun 25 Oct 2026 the clock of Europe/Berlin shows 02:00 to 02:50 twice: due both times",
    ),
}


@pytest.mark.parametrize(("timing", "now", "sentence"), TOLD.values(), ids=list(TOLD))
def test_a_change_that_touches_the_schedule_is_told_of(timing: Timing, now: str, sentence: str) -> None:
    assert told(timing, now) == [sentence]


SILENT = {
    "the time is another": (a_calendar("14:30", zone=BERLIN), BEFORE_SPRING),
    "the day is another": (a_calendar("02:30", days="Mon", zone=BERLIN), BEFORE_SPRING),
    "it is more than 14 days ahead": (a_calendar("02:30", zone=BERLIN), "2026-03-15T00:59:59"),
    "it is over": (a_calendar("02:30", zone=BERLIN), "2026-03-29T01:00:00"),
    "the zone has none": (a_calendar("02:30"), BEFORE_SPRING),
    "the times come every hour, as elapsed time does": (a_cron("*/10 * * * *", zone=BERLIN), BEFORE_SPRING),
}


@pytest.mark.parametrize(("timing", "now"), SILENT.values(), ids=list(SILENT))
def test_nothing_is_said_when(timing: Timing, now: str) -> None:
    assert told(timing, now) == []


AHEAD = {
    "by its instant": (a_calendar("02:30", zone=BERLIN), "2026-03-15T01:00:00"),
    "where its date is not that of UTC": (a_calendar("02:15", zone="Australia/Lord_Howe"), "2026-09-19T15:30:00"),
}


@pytest.mark.parametrize(("timing", "now"), AHEAD.values(), ids=list(AHEAD))
def test_it_is_told_from_14_days_ahead(timing: Timing, now: str) -> None:
    assert len(told(timing, now)) == 1


def told(timing: Timing, now: str) -> list[str]:
    pattern = a_schedule(timing=timing).pattern
    assert pattern is not None
    return list(clock_changes(pattern, at(now)))


CONDITIONS = {
    "a calendar": (
        a_schedule(timing=a_calendar("02:30", days="Mon Tue Wed Thu Fri", zone=BERLIN)),
        ("True", "Scheduled", "Mon-Fri 02:30 Europe/Berlin"),
    ),
    "a calendar ahead of a change": (
        a_schedule(timing=a_calendar("02:30", zone=BERLIN)),
        ("True", "Scheduled", f"daily 02:30 Europe/Berlin; {SKIPPED}"),
    ),
    "cron that never comes": (
        a_schedule(timing=a_cron("30 2 31 2 *")),
        ("False", "NeverDue", "30 2 31 2 * Etc/UTC never comes: no slot lies in the next 50 years"),
    ),
    "off": (
        a_schedule(timing=a_cron("30 2 31 2 *"), enabled=False),
        ("False", "Disabled", "spec.enabled is false: the schedule starts nothing until it is true"),
    ),
}


@pytest.mark.parametrize(("schedule", "expected"), CONDITIONS.values(), ids=list(CONDITIONS))
def test_the_condition_scheduled_says(schedule: Schedule, expected: tuple[str, str, str]) -> None:
    status = a_status(schedule=a_schedule_status(in_force=schedule, since=BEFORE_SPRING, cursor=BEFORE_SPRING))
    plan = a_look(a_build(spec=a_spec(schedule=schedule), status=status), "2026-03-20T12:00:01")
    assert plan.status is not None
    condition = plan.status.condition("Scheduled")
    assert condition is not None
    assert (condition.status, condition.reason, condition.message) == expected
