"""An API server before 1.32, or 1.33: its watches do not begin with a list, so everything is listed in pages (R22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from tests.e2e.stage import Stage, see
from tests.faults.effects import Refuse
from tests.faults.line import line_to
from tests.faults.script import Fault, Match
from tests.integration.simulated_specs import a_build_spec
from tests.operator_process import ACCOUNT, NAMESPACE, OperatorProcess

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.simulated_nodes

KINDS: Final = ("appservers", "leases", "pods")
"""What the operator follows itself; PeriodicBuilds are kopf's, which lists always."""


def test_what_is_followed_is_listed_in_pages_where_a_watch_cannot_begin_with_a_list(
    stage: Stage, operator: OperatorProcess, tmp_path: Path
) -> None:
    way = tmp_path / "line.yaml"
    operator.stop()
    on_an_older_one = OperatorProcess(way, tmp_path / "operator.log")
    try:
        with line_to(stage.cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT), way) as line:
            refusal = Refuse(status=422, reason="Invalid", message="sendInitialEvents: Forbidden: not served")
            line.put(*(Fault(refusal, match=Match(verbs=("watch",), resources=(kind,))) for kind in KINDS))
            on_an_older_one.start()
            build = stage.create("on-an-older-one", a_build_spec())
            see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it is built")
            on_an_older_one.stop()
            listed = {seen.target.resource for seen in line.seen if seen.target.verb == "list"}
    finally:
        on_an_older_one.stop()
        operator.start()
    assert listed.issuperset(KINDS)
