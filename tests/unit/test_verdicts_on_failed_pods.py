"""What a pod that has failed says about its attempt, where its containers and the pod itself say different things."""

from __future__ import annotations

from tests.builders.attempts import a_container, a_pod

from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import FailureClass
from periodicbuild.core.verdicts import failure_of


def test_r19_a_pod_that_ran_into_its_deadline_timed_out_however_its_containers_ended() -> None:
    killed = a_container(exit_code=137, signal=9)

    failure = failure_of(a_pod(phase="Failed", reason="DeadlineExceeded", containers=[killed]), SucceedWhen.COMPLETED)

    assert failure is not None
    assert (failure.failure_class, failure.reason, failure.exit_code) == (
        FailureClass.TIMEOUT,
        "DeadlineExceeded",
        None,
    )


def test_r19_a_pod_that_failed_without_a_reason_failed_by_its_container() -> None:
    failed = a_container(exit_code=3)

    failure = failure_of(a_pod(phase="Failed", containers=[failed]), SucceedWhen.COMPLETED)

    assert failure is not None
    assert (failure.failure_class, failure.reason, failure.exit_code) == (FailureClass.BUILD, "NonZeroExit", 3)
