"""The PeriodicBuilds of the measurements: as large as real ones, and no two with the same template.

The one idea a newcomer would miss: the operator keeps equal templates once.  Objects that differ in nothing but their
name would therefore be measured far cheaper than anybody's real ones.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

IMAGE = "registry.example.com/platform/openedx:2026.11"


def periodic_build(name: str, *, schedule: dict[str, Any], enabled: bool = True, **spec: Any) -> dict[str, Any]:
    """Give a PeriodicBuild with a template of about 2 kB."""
    return {
        "apiVersion": "periodicbuild.dev/v1alpha1",
        "kind": "PeriodicBuild",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "bench", "team": f"team-{name[-1]}"}},
        "spec": {
            "enabled": enabled,
            "schedule": schedule,
            "retries": {"limit": 2, "delay": "30s", "maxDelay": "10m"},
            "timeouts": {"waiting": "1h", "configuring": "2h30m", "run": "12h"},
            "template": template(name),
            **spec,
        },
    }


def template(name: str) -> dict[str, Any]:
    """Give a pod as an administrator writes it: environment, probe, resources, volumes, an init container."""
    return {
        "metadata": {"labels": {"app": name}, "annotations": {"example.com/owner": f"{name}@example.com"}},
        "spec": {
            "initContainers": [
                {
                    "name": "fetch",
                    "image": IMAGE,
                    "command": ["sh", "-c", f"git clone --depth 1 https://git.example.com/{name}.git /src/{name}"],
                    "volumeMounts": [{"name": "source", "mountPath": "/src"}],
                    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                }
            ],
            "containers": [
                {
                    "name": "server",
                    "image": IMAGE,
                    "args": ["--configuration", f"/src/{name}/server.yaml", "--listen", ":8000"],
                    "env": _environment(name),
                    "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
                    "readinessProbe": {
                        "httpGet": {"path": "/heartbeat", "port": "http"},
                        "periodSeconds": 10,
                        "timeoutSeconds": 5,
                        "failureThreshold": 6,
                    },
                    "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "readOnlyRootFilesystem": True,
                    },
                    "volumeMounts": [
                        {"name": "source", "mountPath": "/src", "readOnly": True},
                        {"name": "data", "mountPath": "/var/lib/server"},
                        {"name": "settings", "mountPath": "/etc/server", "readOnly": True},
                    ],
                }
            ],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [
                {"name": "source", "emptyDir": {}},
                {"name": "data", "emptyDir": {"sizeLimit": "10Gi"}},
                {"name": "settings", "configMap": {"name": f"{name}-settings"}},
            ],
            "terminationGracePeriodSeconds": 30,
        },
    }


def _environment(name: str) -> list[dict[str, Any]]:
    plain = {
        "SERVER_NAME": f"{name}.example.com",
        "DATABASE_URL": f"postgresql://db.example.com:5432/{name}",
        "CACHE_URL": "redis://cache.example.com:6379/3",
        "LOG_LEVEL": "info",
        "WORKERS": "8",
    }
    secret = {"name": "DATABASE_PASSWORD", "valueFrom": {"secretKeyRef": {"name": f"{name}-db", "key": "password"}}}
    return [*({"name": key, "value": value} for key, value in plain.items()), secret]


def names(count: int) -> list[str]:
    """Give names that sort as they count."""
    return [f"build-{number:05}" for number in range(count)]


def instant_text(instant: datetime) -> str:
    """Write an instant as the API does."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
