"""Whether the operator runs: by its probe if that can be reached, and in any case by what it has written.

The one idea a newcomer would miss: an operator that has nothing to do writes nothing, so its silence proves nothing.
What proves that it is away is a spec or a slot that nobody has looked at.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from periodicbuild.cli.checks.finding import failed, named, ok, warning
from periodicbuild.cli.checks.patient import LONG_AGO, UNSEEN, counted_builds
from periodicbuild.cli.times import relative

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient

ANSWERED_WITHIN: Final = timedelta(seconds=60)
"""A spec that nobody has looked at for so long: the operator takes a second, and a minute after a restart."""

PROBE_SECONDS: Final = 5
LONGEST_SENTENCE: Final = 300

START: Final = "start it, or read its log; if it runs, does it watch that namespace (--namespace)?"


def check(patient: Patient) -> Iterator[Finding]:
    """Judge by statuses, and by the probe if there is one."""
    yield _by_statuses(patient)
    if patient.operator_url is not None:
        yield _by_probe(patient.operator_url)


def _by_statuses(patient: Patient) -> Finding:
    waiting = [
        one.title
        for one in patient.sightings
        if one.overdue_for is not None or (not one.is_answered and patient.now - one.changed_at > ANSWERED_WITHIN)
    ]
    count = len(patient.sightings)
    if waiting:
        saw = f"{len(waiting)} of {counted_builds(count)} not looked at, as {named(waiting)}"
        return failed("operator", saw, START)
    if not count:
        saw = f"no PeriodicBuild in {patient.scope} to judge by" if patient.scope else UNSEEN
        if patient.operator_url is not None:
            return ok("operator", saw)
        first = "create one" if patient.scope else "mend what is wrong above"
        return warning("operator", saw, f"{first}, or name the operator's address with --operator-url")
    newest = max(one.written_at for one in patient.sightings)
    wrote = "" if newest == LONG_AGO else f"; it last wrote {relative(newest, patient.now)}"
    return ok("operator", f"{counted_builds(count)} of {patient.scope} looked at, none overdue{wrote}")


def _by_probe(url: str) -> Finding:
    page = f"{url.rstrip('/')}/readyz"
    try:
        with urllib.request.urlopen(page, timeout=PROBE_SECONDS):  # noqa: S310 - http or https, as the option checks
            return ok("operator's probe", f"{page} says that it is ready")
    except urllib.error.HTTPError as error:
        said = error.read(LONGEST_SENTENCE).decode("utf-8", "replace").strip()
        return failed("operator's probe", f"{page} answers {error.code}: {said}", "wait a minute, then read its log")
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        return failed("operator's probe", f"{page} does not answer ({why})", "is the operator up, and the URL right?")
