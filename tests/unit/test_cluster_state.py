"""The state folder: names, record, lock."""

from __future__ import annotations

import multiprocessing
import signal
import stat
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from tests.cluster.certificates import Authority
from tests.cluster.errors import ClusterError
from tests.cluster.kubeconfig import Endpoint, read_endpoint
from tests.cluster.levels import Level
from tests.cluster.locks import locked
from tests.cluster.paths import StateFolder, cache_folder
from tests.cluster.record import Component, Owner, Record, read_record, write_record


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "dev")


@pytest.mark.parametrize("name", ["", "Dev", "-dev", "dev-", "a/b", "..", "dev_1", "d" * 41, "dev\n"])
def test_a_name_that_could_not_be_a_node_is_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="cannot name a cluster"):
        StateFolder.of(name)


def test_a_folder_too_long_for_sockets_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/" + "x" * 80)

    with pytest.raises(ClusterError, match="set XDG_STATE_HOME to a shorter folder"):
        StateFolder.of("dev")


def test_a_relative_xdg_folder_is_ignored_as_its_specification_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")

    assert cache_folder() == Path.home() / ".cache" / "periodicbuild"


@pytest.mark.parametrize("owner", [None, Owner.this_process()])
def test_a_record_is_read_back_as_it_was_written(state: StateFolder, owner: Owner | None) -> None:
    etcd = Component(name="etcd", command=("/bin/etcd", "--flag"), environment={"GOGC": "400"})
    record = Record(level=Level.NODE, owner=owner, programs={"etcd": "/bin/etcd"}).with_component(etcd)

    write_record(state, record)

    assert read_record(state) == record


@pytest.mark.parametrize("content", ["", "{", "[]", '{"level": "node"}', '{"level": "cloud"}'])
def test_a_record_that_cannot_be_read_is_none(state: StateFolder, content: str) -> None:
    state.root.mkdir()
    state.record.write_text(content)

    assert read_record(state) is None


def test_a_cluster_is_abandoned_when_its_owner_is_gone_even_if_the_process_id_is_used_again() -> None:
    me = Owner.this_process()
    before_me = Owner(pid=me.pid, started_at=me.started_at - 1)

    assert not Record(level=Level.NODE, owner=me, programs={}).is_abandoned
    assert Record(level=Level.NODE, owner=before_me, programs={}).is_abandoned
    assert not Record(level=Level.NODE, owner=None, programs={}).is_abandoned


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    is_held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / "lock", is_held))
    holder.start()
    assert is_held.wait(timeout=10)
    holder.kill()
    holder.join()

    with locked(tmp_path / "lock", on_wait=lambda: pytest.fail("the lock is still held")):
        pass


def _hold(path: Path, is_held: Event) -> None:
    with locked(path):
        is_held.set()
        signal.pause()


def test_files_with_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    authority = Authority.create()
    endpoint = Endpoint("https://127.0.0.1:6443", authority.certificate_pem)

    kubeconfig = endpoint.with_certificate(tmp_path / "user.yaml", authority.issue("user", ["group"]))

    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
    assert read_endpoint(kubeconfig.read_text()) == endpoint
