"""The store ends in the newest state, its indices too, whatever comes late, twice or out of order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hypothesis import given
from hypothesis import strategies as st
from tests.builders.store import (
    NAME,
    POD,
    SERVER,
    a_store,
    put_build,
    put_pod,
    put_server,
    remove_build,
    remove_pod,
    remove_server,
    what_is_there,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


V = TypeVar("V")


@st.composite
def late_twice_and_out_of_order(draw: st.DrawFn, events: Sequence[V]) -> list[V]:
    """Give all events at least once, in any order."""
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    return draw(st.permutations([*events, *again]))


def a_history(lives: Sequence[tuple[str, int]], first_version: int) -> list[tuple[str, int, bool]]:
    """Give (uid, version, is deletion) of objects of one name that follow each other; the last one lives."""
    history, version = [], first_version
    for number, (uid, changes) in enumerate(lives):
        for _ in range(changes):
            history.append((uid, version, False))
            version += 1
        if number < len(lives) - 1:
            history.append((uid, version, True))
            version += 1
    return history


HISTORIES = st.lists(st.integers(min_value=1, max_value=3), min_size=1, max_size=3)


@given(changes=HISTORIES, data=st.data())
def test_builds_end_in_the_newest_state_whatever_the_order(changes: list[int], data: st.DataObject) -> None:
    history = a_history([(f"b{n}", count) for n, count in enumerate(changes)], 98)
    steps = [
        remove_build(uid) if is_deletion else put_build(str(version), uid=uid) for uid, version, is_deletion in history
    ]
    store = a_store(*data.draw(late_twice_and_out_of_order(steps)))
    assert what_is_there(store) == [(history[-1][0], str(history[-1][1]))]


@given(changes=HISTORIES, data=st.data())
def test_records_and_their_index_end_in_the_newest_state_whatever_the_order(
    changes: list[int], data: st.DataObject
) -> None:
    history = a_history([(f"s{n}", count) for n, count in enumerate(changes)], 98)
    controllers = data.draw(st.lists(st.sampled_from(["x", "y", None]), min_size=len(history), max_size=len(history)))
    steps = [
        remove_server(uid)
        if is_deletion
        else put_server(str(version), uid=uid, of=replace(SERVER, controller_uid=controller))
        for (uid, version, is_deletion), controller in zip(history, controllers, strict=True)
    ]
    store = a_store(*data.draw(late_twice_and_out_of_order(steps)))
    newest, controller = history[-1], controllers[-1]
    assert what_is_there(store) == [(newest[0], str(newest[1]))]
    assert [len(store.children(uid)) for uid in ("x", "y")] == [controller == "x", controller == "y"]
    assert len(store.strangers(NAME)) == (controller is None)
    remove_server(newest[0])(store)
    assert (store.children("x"), store.children("y"), store.strangers(NAME)) == ((), (), ())


@given(changes=HISTORIES, data=st.data())
def test_pods_and_their_index_end_in_the_newest_state_whatever_the_order(
    changes: list[int], data: st.DataObject
) -> None:
    history = a_history([(f"p{n}", count) for n, count in enumerate(changes)], 98)
    labels = data.draw(st.lists(st.sampled_from(["nightly", "other"]), min_size=len(history), max_size=len(history)))
    steps = [
        remove_pod(str(version), uid=uid)
        if is_deletion
        else put_pod(str(version), uid=uid, of=replace(POD, build_name=label))
        for (uid, version, is_deletion), label in zip(history, labels, strict=True)
    ]
    store = a_store(put_server(), *data.draw(late_twice_and_out_of_order(steps)))
    newest, label = history[-1], labels[-1]
    assert [(uid, version) for uid, version in what_is_there(store) if uid != SERVER.ref.uid] == [
        (newest[0], str(newest[1]))
    ]
    assert [len(list(store.pods_naming((NAME[0], name)))) for name in ("nightly", "other")] == [
        label == "nightly",
        label == "other",
    ]
