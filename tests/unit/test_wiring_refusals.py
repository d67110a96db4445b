"""From an error of the API to the fact that the next look decides by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from periodicbuild.core.plans import Refusal, Refused
from periodicbuild.kube.errors import (
    NO_ANSWER,
    Cause,
    ForbiddenError,
    InvalidError,
    KubeError,
    NotFoundError,
    TransientKubeError,
)
from periodicbuild.wiring.refusals import UNWANTED_AFTER, is_unanswered, note_refusal, refusal_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def an_error(kind: type[KubeError], status: int, message: str = "no", *causes: str) -> KubeError:
    return kind(
        verb="create",
        ref="pods apps/x",
        status=status,
        message=message,
        causes=tuple(Cause(reason=reason) for reason in causes),
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (an_error(ForbiddenError, 403, "violates PodSecurity"), Refused.FORBIDDEN),
        (
            an_error(ForbiddenError, 403, "pods is forbidden: exceeded quota: q, requested: pods=1"),
            Refused.QUOTA_EXCEEDED,
        ),
        (an_error(ForbiddenError, 403, "no", "NamespaceTerminating"), Refused.NAMESPACE_TERMINATING),
        (an_error(ForbiddenError, 403, "error looking up service account apps/default"), Refused.API_ERROR),
        (an_error(InvalidError, 422), Refused.INVALID),
        (an_error(NotFoundError, 404), Refused.NAMESPACE_TERMINATING),
        (an_error(TransientKubeError, 503), Refused.API_ERROR),
    ],
)
def test_an_error_is_sorted_by_what_the_caller_does_next(error: KubeError, kind: Refused) -> None:
    assert refusal_of("x", error, None, NOON).kind == kind


def test_a_refusal_is_tried_again_after_a_second_and_later_after_as_long_as_it_has_lasted() -> None:
    error = an_error(TransientKubeError, 503)
    first = refusal_of("x", error, None, NOON)
    assert first.retry_at - NOON == timedelta(seconds=1)
    later = NOON + timedelta(seconds=20)
    assert refusal_of("x", error, first, later).retry_at - later == timedelta(seconds=20)
    much_later = NOON + timedelta(hours=1)
    assert refusal_of("x", error, first, much_later).retry_at - much_later == timedelta(seconds=60)


def test_refusals_of_names_that_nobody_wants_any_more_do_not_pile_up() -> None:
    """Each slot has a name of its own, and some are disabled or edited away while a policy refuses them."""
    refusals: dict[str, Refusal] = {}
    error = an_error(ForbiddenError, 403)
    for hour in range(1000):
        steady = NOON + hour * UNWANTED_AFTER
        note_refusal(refusals, refusal_of(f"slot-{hour}", error, None, steady), steady)
    assert list(refusals) == ["slot-998", "slot-999"]


@pytest.mark.parametrize(
    ("error", "may_be_done"),
    [
        (an_error(TransientKubeError, NO_ANSWER), True),
        (an_error(TransientKubeError, 500), True),
        (an_error(TransientKubeError, 504), True),
        (an_error(TransientKubeError, 429), False),
        (an_error(ForbiddenError, 403), False),
        (an_error(InvalidError, 422), False),
    ],
)
def test_what_was_not_answered_may_have_been_done_all_the_same(error: KubeError, *, may_be_done: bool) -> None:
    assert is_unanswered(error) == may_be_done
