"""The store holds the newest that is known, whatever comes late, twice or out of order, and forgets what is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.builders import an_app_server
from tests.builders.store import (
    BUILD,
    BUILD_KEY,
    NAME,
    NOON,
    POD,
    SERVER,
    SERVER_KEY,
    a_store,
    put_build,
    put_pod,
    put_server,
    remove_build,
    remove_pod,
    remove_server,
    what_is_there,
    woken_by,
)

from periodicbuild.core.plans import Seen
from periodicbuild.core.reasons import State
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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
        pytest.param(
            put_pod("301", of=replace(POD, controller_uid=None)),
            [put_server(), put_pod()],
            [SERVER_KEY, BUILD_KEY],
            id="a pod that is cut off its AppServer",
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


def test_a_pod_whose_labels_are_a_copy_is_no_stray_though_its_controller_is_unknown() -> None:
    copy = replace(POD, controller_uid="a-replica-set", is_ours=False)
    store = a_store(put_pod(of=copy))
    assert list(store.stray_pods()) == []


def test_a_stray_is_found_though_nothing_else_is_left() -> None:
    assert [pod.ref for pod in a_store(put_pod()).stray_pods()] == [POD.ref]


def test_a_pod_without_its_record_is_a_stray_until_it_is_gone() -> None:
    store = a_store(put_server(), put_pod(), remove_server())
    assert [store.is_stray(pod) for pod in store.pods_naming(NAME)] == [True]
    remove_pod("301")(store)
    assert list(store.pods_naming(NAME)) == []
    assert store.pods == {}
