"""What has changed since the last success, as the plug-in tells it (R31)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.builders import SLOT, a_build, a_spec, an_app_server, an_entry, at
from tests.builders.answers import a_status, facts_of, known
from tests.builders.answers import waiting as waits_for

from periodicbuild.cli.chain import checks_on
from periodicbuild.cli.comparisons import (
    UNKNOWN,
    VERDICTS,
    changes_document,
    changes_sentence,
    comparison_document,
    comparison_facts,
    inputs_table,
    outputs_table,
)
from periodicbuild.cli.in_progress import Seen
from periodicbuild.cli.ledger_rows import ledger_table
from periodicbuild.cli.why_now import why_now
from periodicbuild.core.facts import AppServerStatus
from periodicbuild.core.inputs import ChangeDetection, Comparison, Input, Verdict, input_digest
from periodicbuild.core.reasons import Blocker, Fate, State
from periodicbuild.core.status import BuildStatus, Changes, LastSuccess

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, PeriodicBuild

NOW = at(SLOT) + timedelta(minutes=5)
SPEC = a_spec(change_detection=ChangeDetection(max_age=timedelta(days=7)))
OLD, NEW = "1" * 40, "2" * 40
INPUTS = (
    Input("template", "a" * 64, "a" * 64),
    Input("code", NEW, OLD),
    Input("base", None, f"sha256:{'b' * 64}", "registry.example.com is down"),
    Input("tools", previous="v1"),
    Input("fonts", "v7"),
)
CHANGES = Changes(slot=at(SLOT), at=at(SLOT), verdict=Verdict.CHANGED, inputs=INPUTS)


def a_compared_build(changes: Changes | None = CHANGES) -> PeriodicBuild:
    success = LastSuccess(run="r", app_server="a", at=at(SLOT), inputs=(Input("code", OLD),), input_digest="d")
    return a_build(spec=SPEC, status=BuildStatus(changes=changes, last_success=success))


def test_every_verdict_has_its_sentence() -> None:
    assert list(VERDICTS) == list(Verdict)


SENTENCES = {
    "it is not wanted": (a_build(), "spec.changeDetection is not set: every slot builds."),
    "nothing was due yet": (a_compared_build(None), "Nothing has been compared yet: that happens when a slot is due"),
    "something was compared": (
        a_compared_build(),
        "The slot 2026-11-24T02:30:00Z (5m ago): Changed, something has changed since the last success.",
    ),
    "by a newer operator": (a_compared_build(replace(CHANGES, verdict="Eclipse")), f"Eclipse, {UNKNOWN}."),
}


@pytest.mark.parametrize(("build", "sentence"), SENTENCES.values(), ids=list(SENTENCES))
def test_the_last_comparison_is_one_sentence(build: PeriodicBuild, sentence: str) -> None:
    assert sentence in changes_sentence(build, NOW)


def test_each_input_is_a_row() -> None:
    assert [[cell.text for cell in row] for row in inputs_table(CHANGES).rows] == [
        ["template", "a" * 12, "a" * 12, "no", "-"],
        ["code", "2" * 12, "1" * 12, "yes", "-"],
        ["base", "-", "b" * 12, "unknown", "registry.example.com is down"],
        ["tools", "-", "v1", "yes", "-"],
        ["fonts", "v7", "-", "yes", "-"],
    ]
    assert inputs_table(None).rows == ()


def a_made(run: str, inputs: tuple[Input, ...] | None, output: str | None, state: State = State.COMPLETED) -> AppServer:
    """Give the success of a run."""
    comparison = None if inputs is None else Comparison(Verdict.CHANGED, inputs)
    status = AppServerStatus(state=state, finished_at=at(SLOT), output_digest=output)
    return an_app_server(run=run, name=run, comparison=comparison, status=status)


SAME, OTHER = (Input("code", OLD),), (Input("code", NEW),)
MADE = [
    a_made("r6", SAME, "sha256:b"),
    a_made("r5", SAME, "sha256:a"),
    a_made("r4", SAME, "sha256:a"),
    a_made("r3", OTHER, "sha256:c"),
    a_made("r2", None, "sha256:c"),
    a_made("failed", OTHER, None, State.CONFIGURATION_FAILED),
    a_made("r1", OTHER, None),
]


def test_successes_tell_whether_the_same_inputs_led_to_the_same_output() -> None:
    rows = {row[0].text: row[-1].text for row in outputs_table(MADE).rows}
    assert rows == {
        "r6": "same inputs, another output",
        "r5": "same inputs, same output",
        "r4": "other inputs",
        "r3": "-",
        "r2": "-",
        "r1": "-",
    }


def test_programs_get_all_of_it() -> None:
    document = changes_document(a_compared_build(), MADE)
    assert (document["detects"], document["verdict"], document["slotTime"]) == (True, "Changed", "2026-11-24T02:30:00Z")
    assert document["inputs"][2] == {
        "name": "base",
        "revision": None,
        "previous": f"sha256:{'b' * 64}",
        "changed": None,
        "problem": "registry.example.com is down",
    }
    assert document["lastSuccess"]["inputs"] == {"code": OLD}
    assert [one["isReproduced"] for one in document["successes"]] == [False, True, None, None, None, None]
    assert document["successes"][0]["inputDigest"] == input_digest(SAME)
    bare = changes_document(a_build(), [])
    assert (bare["detects"], bare["verdict"], bare["inputs"], bare["lastSuccess"]) == (False, None, [], None)


# In the ledger, and in `why`


def test_the_ledger_tells_beside_the_reason_what_the_comparison_came_to() -> None:
    entry = replace(an_entry(), inputs=Verdict.UNREACHABLE)
    (row,) = ledger_table(a_build(), [entry], [], title="", wide=False).rows
    assert row[3].text == "Due (Unreachable)"


def test_why_tells_what_was_compared() -> None:
    entry = replace(an_entry(), inputs=Verdict.CHANGED)
    facts = {label: cell.text for label, cell in comparison_facts(CHANGES, entry)}
    assert facts == {
        "Inputs": "Changed: something has changed since the last success",
        "  template": "aaaaaaaaaaaa, as at the last success",
        "  code": "222222222222, at the last success 111111111111",
        "  base": "not known: registry.example.com is down",
        "  tools": "left out, at the last success v1",
        "  fonts": "v7, at the last success not on record",
    }


def test_of_an_older_slot_only_the_word_is_known() -> None:
    older = an_entry(slot="2026-11-20T02:30:00")
    assert list(comparison_facts(CHANGES, older)) == []
    assert comparison_document(CHANGES, older) is None
    assert comparison_document(None, replace(older, inputs="MaxAge")) == {"verdict": "MaxAge", "inputs": None}


def test_why_of_a_skipped_slot_says_that_nothing_has_changed_and_with_what_it_was_compared() -> None:
    entry = an_entry(slot=SLOT, fate=Fate.NO_CHANGES, run=None)
    unchanged = replace(CHANGES, verdict=Verdict.NO_CHANGES, inputs=(Input("code", OLD, OLD),))
    explanation = why_now(known(a_status(entry, changes=unchanged)))
    assert "it was skipped (NoChanges: neither its template nor any of its sources had changed" in explanation.answer
    assert facts_of(explanation)["  code"] == "111111111111, as at the last success"
    assert explanation.document["lastSlot"]["comparison"]["verdict"] == "NoChanges"


@pytest.mark.parametrize("reason", [Blocker.LOOKING_UP_SOURCES, Blocker.NO_CHANGES])
def test_the_check_of_changes_is_shown_where_there_is_one(reason: Blocker) -> None:
    """R14: it comes after the API's refusal."""
    status = a_status(waiting=waits_for(reason))
    titles = [one.title for one in checks_on(a_build(status=status), waits_for(reason), Seen(), NOW)]
    assert titles == ["breaker", "gate", "build in progress", "API refusal", "changes", "pool", "start rate"]
    in_line = a_status(waiting=waits_for(Blocker.POOL_FULL))
    checks = checks_on(a_build(spec=SPEC, status=in_line), waits_for(Blocker.POOL_FULL), Seen(), NOW)
    assert [(one.title, one.blocks) for one in checks][4:6] == [("changes", False), ("pool", True)]
