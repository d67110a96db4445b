"""The example files, and what must be added to them where their image cannot be pulled or nothing really runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent.parent / "manifests" / "examples"

PLAYED = ("server.yaml", "build.yaml", "retries.yaml", "failing.yaml", "disabled.yaml")
"""What the demo applies, in the order in which it shows them."""

SPAWNED = "completes"
"""The one that is also run by hand."""

IMAGE = "busybox:1.36"
"""What the demo's examples run in; public, so that they work anywhere."""

LIFE = "simulation.periodicbuild.dev/"
SIMULATED_LIVES: Mapping[str, Mapping[str, str]] = {
    "completes": {"runs-for": "4s"},
    "third-time-lucky": {"runs-for": "2s", "exit-code": "4", "exit-code-0-for": "-3"},
    "always-fails": {"runs-for": "2s", "exit-code": "7"},
}
"""Where nothing runs, a pod is told how its container would have ended."""

Manifest = dict[str, Any]


def read_example(file: str) -> Manifest:
    """Return the one object of an example file."""
    (manifest,) = yaml.safe_load_all((FOLDER / file).read_text())
    return dict(manifest)


def played_examples() -> list[Manifest]:
    """Return the objects that the demo applies."""
    return [read_example(file) for file in PLAYED]


def with_image(manifest: Manifest, image: str) -> Manifest:
    """Return the object with another image in place of the public one."""
    replaced: Manifest = json.loads(json.dumps(manifest).replace(json.dumps(IMAGE), json.dumps(image)))
    return replaced


def with_simulated_life(manifest: Manifest) -> Manifest:
    """Return the object with the annotations by which a simulated pod ends as its script would."""
    life = {LIFE + key: value for key, value in SIMULATED_LIVES.get(manifest["metadata"]["name"], {}).items()}
    template = manifest["spec"]["template"]
    metadata = template.get("metadata", {})
    annotated = metadata | {"annotations": metadata.get("annotations", {}) | life}
    return manifest | {"spec": manifest["spec"] | {"template": template | {"metadata": annotated}}}


def as_list(manifests: Sequence[Manifest]) -> str:
    """Render for `kubectl apply -f -`."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
