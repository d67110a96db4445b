"""kopf as we set it up: it shows what people write, and makes no copies on the way."""

from __future__ import annotations

from typing import Any

import kopf

from periodicbuild.wiring.handlers import kopf_settings


class Uncopyable(dict[str, Any]):
    """A body that must not be copied."""

    def __deepcopy__(self, _memo: object) -> Uncopyable:
        raise AssertionError("copied")


def test_no_event_is_copied_for_the_detection_of_changes_that_nobody_asks_for() -> None:
    raw: Any = {"metadata": Uncopyable(labels=Uncopyable(app="openedx")), "spec": Uncopyable(enabled=True)}
    storage = kopf_settings().persistence.diffbase_storage

    assert storage.build(body=kopf.Body(raw), extra_fields=()) == {}
