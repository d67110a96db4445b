"""When a measurement is over its budget: a lid that never moves, and a band as wide as the machine's own noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.budget.budgets import FILE, Budget, judge, read_budgets, write_rounds
from tests.budget.measure import Ground

if TYPE_CHECKING:
    from pathlib import Path


def a_budget(*rounds: float, lid: float = 10.0) -> Budget:
    """Give one."""
    return Budget(what="it", lid=lid, rounds=rounds)


@pytest.mark.parametrize(
    ("rounds", "limit"),
    [((2.0, 2.0, 2.0), 2.4), ((1.0, 2.0, 3.0), 5.0), ((9.0, 9.0), 10.0), ((20.0, 20.0), 10.0)],
    ids=["a fifth more, where rounds agree", "three deviations, where they do not", "never over the lid", "nor then"],
)
def test_what_passes(rounds: tuple[float, ...], limit: float) -> None:
    assert a_budget(*rounds).limit == pytest.approx(limit)


def test_the_best_try_is_judged() -> None:
    (verdict,) = judge({"it": a_budget(2.0, 2.0)}, [{"it": 9.0}, {"it": 2.3}])
    assert (verdict.value, verdict.is_kept) == (2.3, True)
    (verdict,) = judge({"it": a_budget(2.0, 2.0)}, [{"it": 9.0}, {"it": 2.5}])
    assert not verdict.is_kept


def test_new_rounds_leave_the_lid_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "budgets.json"
    file.write_bytes(FILE.read_bytes())
    before = read_budgets(file)
    write_rounds([dict.fromkeys(before, 1.23456), dict.fromkeys(before, 2.0)], file)
    after = read_budgets(file)
    assert {one.rounds for one in after.values()} == {(1.235, 2.0)}
    assert {id_: (one.what, one.lid) for id_, one in after.items()} == {
        id_: (one.what, one.lid) for id_, one in before.items()
    }


def test_every_budget_is_measured_and_has_room() -> None:
    budgets = read_budgets()
    assert all(max(one.rounds) < one.lid for one in budgets.values())
    assert budgets.keys() == Ground.IDS
