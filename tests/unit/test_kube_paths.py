"""A kind gives a path, and a request gives back verb and resource."""

from __future__ import annotations

import pytest

from periodicbuild.kube.paths import Kind, Target, target_of

APP_SERVERS = Kind("periodicbuild.dev", "v1alpha1", "appservers")
PODS = Kind("", "v1", "pods")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PODS.path(), "/api/v1/pods"),
        (PODS.path(namespace="team-a"), "/api/v1/namespaces/team-a/pods"),
        (PODS.path(namespace="team-a", name="p", subresource="log"), "/api/v1/namespaces/team-a/pods/p/log"),
        (Kind("", "v1", "namespaces").path(name="team-a"), "/api/v1/namespaces/team-a"),
        (APP_SERVERS.path(), "/apis/periodicbuild.dev/v1alpha1/appservers"),
        (
            APP_SERVERS.path(namespace="team-a", name="n-1", subresource="status"),
            "/apis/periodicbuild.dev/v1alpha1/namespaces/team-a/appservers/n-1/status",
        ),
    ],
)
def test_a_kind_knows_its_paths(path: str, expected: str) -> None:
    assert path == expected


@pytest.mark.parametrize(
    ("method", "path", "params", "expected"),
    [
        ("GET", "/api/v1/pods", {}, Target("list", "pods")),
        ("GET", "/api/v1/pods", {"watch": "1"}, Target("watch", "pods")),
        ("GET", "/api/v1/namespaces/team-a/pods/p", {}, Target("get", "pods", "team-a", "p")),
        ("GET", "/api/v1/namespaces/team-a/pods/p/log", {}, Target("get", "pods/log", "team-a", "p")),
        ("GET", "/api/v1/namespaces/team-a", {}, Target("get", "namespaces", "", "team-a")),
        ("POST", "/api/v1/namespaces", {}, Target("create", "namespaces")),
        ("POST", "/api/v1/namespaces/team-a/pods", {}, Target("create", "pods", "team-a")),
        ("DELETE", "/api/v1/namespaces/team-a/pods/p", {}, Target("delete", "pods", "team-a", "p")),
        ("DELETE", "/api/v1/namespaces/team-a/pods", {}, Target("deletecollection", "pods", "team-a")),
        (
            "PATCH",
            "/apis/periodicbuild.dev/v1alpha1/namespaces/team-a/appservers/n-1/status",
            {},
            Target("patch", "appservers/status", "team-a", "n-1"),
        ),
        (
            "PUT",
            "/apis/coordination.k8s.io/v1/namespaces/system/leases/periodicbuild",
            {},
            Target("update", "leases", "system", "periodicbuild"),
        ),
        ("GET", "/readyz", {}, Target("get", "/readyz")),
    ],
)
def test_a_request_is_named_as_rbac_names_it(method: str, path: str, params: dict[str, str], expected: Target) -> None:
    assert target_of(method, path, params) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target("get", "pods", "team-a", "p"), "pods team-a/p"),
        (Target("get", "namespaces", "", "team-a"), "namespaces team-a"),
        (Target("list", "pods"), "pods"),
    ],
)
def test_a_person_reads_where_it_was(target: Target, expected: str) -> None:
    assert target.ref == expected
