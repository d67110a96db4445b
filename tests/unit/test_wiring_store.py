"""The store holds the newest that is known, whatever comes late, twice or out of order, and forgets what is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import a_build, a_pod, an_app_server

from periodicbuild.core.plans import Seen
from periodicbuild.core.reasons import State
from periodicbuild.kube.parse import StoredBuild
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from periodicbuild.core.facts import AppServer, Pod

BUILD = a_build()
NAME = (BUILD.ref.namespace, BUILD.ref.name)
SERVER = an_app_server(BUILD)
SERVER_NAME = (SERVER.ref.namespace, SERVER.ref.name)
POD = a_pod(SERVER)
BUILD_KEY = Key("PeriodicBuild", *NAME)
SERVER_KEY = Key("AppServer", *SERVER_NAME)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_store(*steps: Callable[[Store], None]) -> Store:
    """Give a store after some steps."""
    store = Store(lambda _: None)
    for step in steps:
        step(store)
    return store


def woken_by(step: Callable[[Store], None], *before: Callable[[Store], None]) -> list[Key]:
    """Give the keys that a step asks to look at."""
    keys: list[Key] = []
    store = Store(keys.append)
    for earlier in before:
        earlier(store)
    keys.clear()
    step(store)
    return sorted(set(keys))


def put_build(version: str = "100", *, uid: str = BUILD.ref.uid) -> Callable[[Store], None]:
    build = replace(BUILD, resource_version=version, ref=replace(BUILD.ref, uid=uid))
    return lambda store: store.put_build(StoredBuild(build=build, ledger_json=b"[]"))


def remove_build(uid: str = BUILD.ref.uid) -> Callable[[Store], None]:
    return lambda store: store.remove_build(replace(BUILD.ref, uid=uid))


def put_server(version: str = "200", *, uid: str = SERVER.ref.uid, of: AppServer = SERVER) -> Callable[[Store], None]:
    server = replace(of, resource_version=version, ref=replace(of.ref, uid=uid))
    return lambda store: store.put_app_server(server)


def remove_server(uid: str = SERVER.ref.uid) -> Callable[[Store], None]:
    return lambda store: store.remove_app_server(replace(SERVER.ref, uid=uid))


def put_pod(version: str = "300", *, uid: str = POD.ref.uid, of: Pod = POD) -> Callable[[Store], None]:
    pod = replace(of, resource_version=version, ref=replace(of.ref, uid=uid))
    return lambda store: store.put_pod(pod)


def remove_pod(version: str = "300", *, uid: str = POD.ref.uid) -> Callable[[Store], None]:
    pod = replace(POD, resource_version=version, ref=replace(POD.ref, uid=uid))
    return lambda store: store.remove_pod(pod)


def what_is_there(store: Store) -> list[tuple[str, str]]:
    """Give uid and version of all that exists."""
    builds = [(one.build.ref.uid, one.build.resource_version) for one in store.builds.values()]
    servers = [(one.ref.uid, one.resource_version) for one in store.app_servers.values()]
    pods = [(one.ref.uid, one.resource_version) for one in store.pods.values() if not one.is_gone]
    return [*builds, *servers, *pods]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([put_build("10"), put_build("9")], [("uid-nightly", "10")], id="an older version comes late"),
        pytest.param([put_build("9"), put_build("10")], [("uid-nightly", "10")], id="versions are numbers"),
        pytest.param([put_build("10"), remove_build(), put_build("9")], [], id="an answer comes after the deletion"),
        pytest.param([remove_build(), put_build("9")], [], id="the deletion comes before the object"),
        pytest.param(
            [put_build("9", uid="old"), put_build("12", uid="new"), remove_build("old")],
            [("new", "12")],
            id="re-created, and the deletion comes late",
        ),
        pytest.param(
            [put_build("12", uid="new"), put_build("9", uid="old")],
            [("new", "12")],
            id="re-created, and the old one comes late",
        ),
        pytest.param([put_server("10"), remove_server(), put_server("11")], [], id="an answer about a deleted record"),
        pytest.param(
            [put_server("12", uid="new"), put_server("9", uid="old")],
            [("new", "12")],
            id="a record re-created, and the old one comes late",
        ),
        pytest.param([put_pod("10"), remove_pod("11"), put_pod("10")], [], id="an answer about a deleted pod"),
        pytest.param(
            [remove_pod("11"), put_pod("10")], [], id="a pod's deletion comes before the answer of its create"
        ),
        pytest.param(
            [put_pod("10"), remove_pod("11"), put_pod("12")],
            [(POD.ref.uid, "12")],
            id="a label taken away looks like a deletion, and given back like the same pod",
        ),
        pytest.param(
            [put_pod("12", uid="new"), put_pod("9", uid="old"), remove_pod("9", uid="old")],
            [("new", "12")],
            id="a pod re-created, and the old one comes late",
        ),
    ],
)
def test_the_newest_wins_whatever_the_order(
    steps: Sequence[Callable[[Store], None]], expected: list[tuple[str, str]]
) -> None:
    assert what_is_there(a_store(*steps)) == expected


@pytest.mark.parametrize(
    ("step", "before", "expected"),
    [
        pytest.param(put_build(), [], [BUILD_KEY], id="a new PeriodicBuild"),
        pytest.param(put_build(), [put_build()], [], id="the same version again: nobody"),
        pytest.param(
            put_build("101"), [put_server(), put_build()], [SERVER_KEY, BUILD_KEY], id="and its live attempts"
        ),
        pytest.param(
            put_build("101"),
            [put_server(of=an_app_server(BUILD, state=State.COMPLETED)), put_build()],
            [BUILD_KEY],
            id="but none that has ended",
        ),
        pytest.param(remove_build(), [put_build()], [BUILD_KEY], id="a deleted one, to forget its wake-ups"),
        pytest.param(put_server(), [], [SERVER_KEY, BUILD_KEY], id="a new AppServer"),
        pytest.param(remove_server(), [put_server()], [SERVER_KEY, BUILD_KEY], id="a deleted AppServer"),
        pytest.param(put_pod(), [put_server()], [SERVER_KEY, BUILD_KEY], id="a new pod"),
        pytest.param(put_pod("301"), [put_server(), put_pod()], [SERVER_KEY], id="a pod's progress: its attempt only"),
        pytest.param(
            put_pod("301", of=replace(POD, is_deleting=True)),
            [put_server(), put_pod()],
            [SERVER_KEY, BUILD_KEY],
            id="a pod that begins to end",
        ),
        pytest.param(remove_pod("302"), [put_server(), put_pod()], [SERVER_KEY, BUILD_KEY], id="a pod that is gone"),
        pytest.param(
            put_pod("301", of=replace(POD, build_name="other")),
            [put_server(), put_pod()],
            [SERVER_KEY, BUILD_KEY, Key("PeriodicBuild", NAME[0], "other")],
            id="a pod whose label moves: both",
        ),
    ],
)
def test_whoever_is_concerned_is_looked_at(
    step: Callable[[Store], None], before: Sequence[Callable[[Store], None]], expected: list[Key]
) -> None:
    assert woken_by(step, *before) == sorted(expected)


def test_a_pod_that_is_gone_is_kept_while_its_attempt_has_to_be_judged_by_it() -> None:
    store = a_store(put_server(), put_pod(), remove_pod("301"))
    pod = store.pod_of(SERVER.ref.uid)
    assert pod is not None
    assert pod.is_gone
    assert list(store.pods_naming(NAME)) == []


@pytest.mark.parametrize("state", [State.COMPLETED, State.CONFIGURATION_FAILED, State.ERROR, State.TERMINATED])
def test_a_pod_that_is_gone_is_forgotten_once_its_attempt_is_judged(state: State) -> None:
    judged = an_app_server(BUILD, state=state)
    after = a_store(put_server(), put_pod(), remove_pod("301"), put_server("201", of=judged))
    before = a_store(put_server(of=judged), put_pod(), remove_pod("301"))
    assert (after.pods, before.pods) == ({}, {})


def test_a_servers_lost_pod_is_kept_until_the_loss_is_written() -> None:
    store = a_store(put_server(of=an_app_server(BUILD, state=State.RUNNING)), put_pod(), remove_pod("301"))
    assert store.pod_of(SERVER.ref.uid) is not None


def test_a_label_that_moves_leaves_nothing_behind() -> None:
    moved = replace(POD, build_name="other")
    store = a_store(put_server(), put_pod(), put_pod("301", of=moved), remove_pod("302"), remove_server())
    assert list(store.pods_naming(NAME)) == []
    assert list(store.pods_naming((NAME[0], "other"))) == []


def test_a_record_given_another_controller_is_the_other_ones_child() -> None:
    store = a_store(put_server(), put_server("201", of=replace(SERVER, controller_uid="another")))
    assert store.children(BUILD.ref.uid) == ()
    assert [one.resource_version for one in store.children("another")] == ["201"]


def test_what_is_remembered_of_an_object_goes_with_it_and_does_not_come_back() -> None:
    store = a_store(put_build(), put_server())
    store.build_memory(BUILD.ref.uid).written_at = NOON
    store.attempt_memory(SERVER.ref.uid).seen = Seen(state=State.NEW, since_at=NOON)
    remove_build()(store)
    remove_server()(store)
    store.build_memory(BUILD.ref.uid).written_at = NOON
    store.attempt_memory(SERVER.ref.uid).pod_is_absent = True
    assert store.build_memory(BUILD.ref.uid).written_at is None
    assert not store.attempt_memory(SERVER.ref.uid).pod_is_absent


def test_what_was_remembered_of_a_replaced_object_goes_with_it() -> None:
    store = a_store(put_build(uid="old"), put_server(uid="old-server"))
    store.build_memory("old").written_at = NOON
    store.attempt_memory("old-server").pod_is_absent = True
    put_build("101", uid="new")(store)
    put_server("201", uid="new-server")(store)
    assert store.build_memory("old").written_at is None
    assert not store.attempt_memory("old-server").pod_is_absent
    assert store.gone_of(["old-server", "new-server"]) == {"old-server"}


def test_a_pod_without_its_record_is_a_stray_until_it_is_gone() -> None:
    store = a_store(put_server(), put_pod(), remove_server())
    assert [store.is_stray(pod) for pod in store.pods_naming(NAME)] == [True]
    remove_pod("301")(store)
    assert list(store.pods_naming(NAME)) == []
    assert store.pods == {}


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
