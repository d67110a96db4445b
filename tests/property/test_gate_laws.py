"""The law of windows ahead: a build starts exactly if it ends, with its margin, by the time that one begins (R33).

The histories hardly ever come to the very second at which that changes; here every example lies near it.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import SLOT, a_build, a_spec, at
from tests.builders.gates import a_gate, once
from tests.builders.looks import a_look, a_status, created

from periodicbuild.core.durations import format_duration
from periodicbuild.core.gates import Gates

SECONDS = st.integers(1, 7200).map(lambda seconds: timedelta(seconds=seconds))
NEAR = st.integers(-3, 3).map(lambda seconds: timedelta(seconds=seconds))


@given(estimate=SECONDS, margin=st.just(timedelta()) | SECONDS, near=NEAR, lasts=SECONDS, elsewhere=SECONDS)
def test_what_starts_ends_before_every_window(
    estimate: timedelta, margin: timedelta, near: timedelta, lasts: timedelta, elsewhere: timedelta
) -> None:
    begins = at(SLOT) + max(estimate + margin + near, timedelta(seconds=1))
    later = begins + elsewhere
    gate = a_gate(
        "rollout",
        once(later, later + lasts),
        once(begins, begins + lasts),
        margin=format_duration(margin) if margin else None,
    )
    build = a_build(spec=a_spec(estimated_duration=estimate), status=a_status())

    starts = bool(created(a_look(build, SLOT, gates=Gates(known=(gate,)))))

    assert starts == (at(SLOT) + estimate + margin <= begins)
