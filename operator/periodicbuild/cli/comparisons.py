"""What slots are built from, compared with the last success: in words, and for programs (R31).

Must not know who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import NOTHING, absolute, both
from periodicbuild.core.changes import short
from periodicbuild.core.inputs import Verdict, input_digest
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from periodicbuild.cli.tables import Fact
    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.inputs import Input
    from periodicbuild.core.status import Changes, LedgerEntry

VERDICTS: Final[Mapping[str, str]] = {
    Verdict.NO_CHANGES: "everything is as at the last success",
    Verdict.CHANGED: "something has changed since the last success",
    Verdict.SERVER_LOST: "nothing has changed, and the server of the last success is not up any more",
    Verdict.MAX_AGE: "nothing has changed, and the last success would have grown older than maxAge",
    Verdict.NEVER_SUCCEEDED: "there is no success yet to compare with",
    Verdict.NOT_RECORDED: "it is not on record what the last success was built from",
    Verdict.UNREACHABLE: "a source could not be looked up, so nobody knows whether it has changed",
}

UNKNOWN: Final = "this version of the plug-in does not know that word"


def comparison_facts(changes: Changes | None, entry: LedgerEntry) -> Iterator[Fact]:
    """Give what was compared for a slot; the inputs are known of the newest one alone."""
    if entry.inputs is not None:
        yield "Inputs", Cell(f"{entry.inputs}: {VERDICTS.get(entry.inputs, UNKNOWN)}")
    if changes is not None and entry.covers(changes.slot):
        for one in changes.inputs:
            yield f"  {one.name}", Cell(_text(one), _mood(one))


def comparison_document(changes: Changes | None, entry: LedgerEntry) -> dict[str, Any] | None:
    """Give the same for programs; None where nothing was compared."""
    is_newest = changes is not None and entry.covers(changes.slot)
    if changes is None or not is_newest:
        return None if entry.inputs is None else {"verdict": entry.inputs, "inputs": None}
    return {"verdict": changes.verdict, "inputs": [_input_document(one) for one in changes.inputs]}


def changes_sentence(build: PeriodicBuild, now: datetime) -> str:
    """Say what the last comparison came to."""
    changes = build.status.changes
    if build.spec.change_detection is None:
        return "spec.changeDetection is not set: every slot builds."
    if changes is None:
        return "Nothing has been compared yet: that happens when a slot is due and nothing else is in its way."
    what = VERDICTS.get(changes.verdict, UNKNOWN)
    return f"The slot {both(changes.slot, now)}: {changes.verdict}, {what}."


def inputs_table(changes: Changes | None) -> Table:
    """Give a row for each input of the last comparison."""
    rows = tuple(
        (
            Cell(one.name),
            Cell(short(one.revision) if one.revision else NOTHING),
            Cell(short(one.previous) if one.previous else NOTHING),
            Cell(_word(one), _mood(one)),
            Cell(one.problem or NOTHING),
        )
        for one in (changes.inputs if changes is not None else ())
    )
    return Table(columns=("INPUT", "NOW", "LAST SUCCESS", "CHANGED", "PROBLEM"), rows=rows)


def outputs_table(app_servers: Sequence[AppServer]) -> Table:
    """Give a row for each success on record, newest first: what it was built from, and what it has made."""
    rows = tuple(
        (
            Cell(one.run or one.ref.name),
            Cell(absolute(one.status.finished_at)),
            Cell(short(_digest(one) or NOTHING)),
            Cell(one.status.output_digest or NOTHING),
            _reproduction(one, older),
        )
        for one, older in _with_older(app_servers)
    )
    columns = ("RUN", "SUCCEEDED", "INPUTS", "OUTPUT", "AGAINST THE ONE BEFORE")
    return Table(title="Successes on record:", columns=columns, rows=rows)


def changes_document(build: PeriodicBuild, app_servers: Sequence[AppServer]) -> dict[str, Any]:
    """Give all of it for programs."""
    changes, success = build.status.changes, build.status.last_success
    return {
        "namespace": build.ref.namespace,
        "name": build.ref.name,
        "detects": build.spec.change_detection is not None,
        "slotTime": None if changes is None else instant_text(changes.slot),
        "time": None if changes is None else instant_text(changes.at),
        "verdict": None if changes is None else changes.verdict,
        "inputs": [] if changes is None else [_input_document(one) for one in changes.inputs],
        "lastSuccess": None
        if success is None
        else {
            "run": success.run,
            "time": instant_text(success.at),
            "inputDigest": success.input_digest,
            "outputDigest": success.output_digest,
            "inputs": {one.name: one.revision for one in success.inputs},
        },
        "successes": [
            {
                "run": one.run,
                "appServer": one.ref.name,
                "inputDigest": _digest(one),
                "outputDigest": one.status.output_digest,
                "isReproduced": _is_reproduced(one, older),
            }
            for one, older in _with_older(app_servers)
        ],
    }


def _with_older(app_servers: Iterable[AppServer]) -> Iterator[tuple[AppServer, AppServer | None]]:
    """Give each success with the one before it; newest first."""
    successes = [one for one in app_servers if one.state.has_succeeded and not one.has_own_template]
    return zip(successes, [*successes[1:], None], strict=False)


def _digest(app_server: AppServer) -> str | None:
    return None if app_server.comparison is None else input_digest(app_server.comparison.inputs)


def _is_reproduced(one: AppServer, older: AppServer | None) -> bool | None:
    """Tell whether the same inputs have led to the same output; None = that cannot be told."""
    outputs = (one.status.output_digest, None if older is None else older.status.output_digest)
    if older is None or None in outputs or _digest(one) is None or _digest(one) != _digest(older):
        return None
    return outputs[0] == outputs[1]


def _reproduction(one: AppServer, older: AppServer | None) -> Cell:
    is_reproduced = _is_reproduced(one, older)
    if is_reproduced is not None:
        same, other = Cell("same inputs, same output", Mood.GOOD), Cell("same inputs, another output", Mood.BAD)
        return same if is_reproduced else other
    digests = (_digest(one), None if older is None else _digest(older))
    return Cell("other inputs" if None not in digests and digests[0] != digests[1] else NOTHING)


def _text(one: Input) -> str:
    if one.problem:
        return f"not known: {one.problem}"
    if not one.has_changed:
        return f"{short(one.revision or NOTHING)}, as at the last success"
    now = "left out" if one.revision is None else short(one.revision)
    return f"{now}, at the last success {short(one.previous) if one.previous else 'not on record'}"


def _word(one: Input) -> str:
    return "unknown" if one.problem else "yes" if one.has_changed else "no"


def _mood(one: Input) -> Mood:
    return Mood.BAD if one.problem else Mood.UNSURE if one.has_changed else Mood.PLAIN


def _input_document(one: Input) -> dict[str, Any]:
    return {
        "name": one.name,
        "revision": one.revision,
        "previous": one.previous,
        "changed": None if one.problem else one.has_changed,
        "problem": one.problem or None,
    }
