"""What GitOps tools do to a Service whose selector the operator sets (R28)."""

from __future__ import annotations

import pytest
from tests.e2e.stage import Stage
from tests.integration.serving import (
    OTHER,
    SERVER,
    a_manifest,
    a_served_build,
    active_server,
    another_server,
    apply,
    read_anew,
    see_activated,
    selector_of,
)
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes


GIT_WITHOUT: dict[str, list[str]] = {
    "client-side": [],
    "server-side": ["--server-side", "--field-manager=gitops"],
    "server-side by force": ["--server-side", "--force-conflicts", "--field-manager=gitops"],
}


@pytest.mark.parametrize("how", GIT_WITHOUT.values(), ids=list(GIT_WITHOUT))
def test_a_service_without_a_selector_in_git_may_be_applied_again_and_again(stage: Stage, how: list[str]) -> None:
    assert apply(stage, a_manifest(), *how) == ""
    build = a_served_build(stage)
    first = active_server(stage, build, 1)

    manifest = a_manifest()
    manifest["metadata"]["labels"]["version"] = "2"
    assert apply(stage, manifest, *how) == ""

    assert selector_of(stage) == {SERVER: first.name}
    another_server(stage, build)
    active_server(stage, build, 2)
    assert "SelectorChanged" not in stage.events(build)


GIT_WITH: dict[str, tuple[list[str], bool]] = {
    "client-side": ([], True),
    "server-side": (["--server-side", "--field-manager=gitops"], False),
    "server-side by force": (["--server-side", "--force-conflicts", "--field-manager=gitops"], True),
}


@pytest.mark.parametrize(("how", "is_changed"), GIT_WITH.values(), ids=list(GIT_WITH))
def test_a_selector_in_git_is_found_out(
    stage: Stage,
    operator: OperatorProcess,
    how: list[str],
    is_changed: bool,  # noqa: FBT001 - a column
) -> None:
    """Only what is declared without one can be switched."""
    manifest = a_manifest(selector=OTHER)
    assert apply(stage, manifest, *how) == ""
    build = a_served_build(stage)
    first = active_server(stage, build, 1)

    manifest["metadata"]["labels"]["version"] = "2"
    refusal = apply(stage, manifest, *how)

    if is_changed:
        assert refusal == ""
        read_anew(operator)
        see_activated(build, "False", "SelectorChanged")
        assert OTHER.items() <= (selector_of(stage) or {}).items()
    else:
        assert "conflict" in refusal
        assert selector_of(stage) == {SERVER: first.name}
