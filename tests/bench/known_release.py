"""What is shipped, and whether it is what it says: image, roles and alerts."""

from __future__ import annotations

from typing import Final

from tests.bench.known import Known

ALERTING: Final = "python -m tests.bench alerting"
IMAGE: Final = "python -m tests.bench image"
RIGHTS: Final = "make rights ARGS=--publish"

RELEASE: Final = (
    Known(
        id="roles-missing-verbs",
        what="Verbs on resources that the operator asks for in all tests together, and has no right to",
        unit="",
        command=RIGHTS,
        goal="<= 0",
    ),
    Known(
        id="roles-unused-verbs",
        what="... that its roles allow, and that it never asks for",
        unit="",
        command=RIGHTS,
        goal="<= 0",
    ),
    Known(
        id="alert-end-to-end",
        what="A build fails on a real node: its alert has arrived from Alertmanager, and is over when it is mended",
        unit="",
        command=ALERTING,
        goal=">= 1",
    ),
    Known(
        id="alert-arrives-seconds",
        what="... from the creation of the PeriodicBuild, which is due every second, until the alert arrives",
        unit="s",
        command=ALERTING,
    ),
    Known(
        id="alert-clears-seconds",
        what="... from the mending of its template until it is told that the alert is over",
        unit="s",
        command=ALERTING,
    ),
    Known(id="image-mb", what="The image, as it is pulled", unit="MB", command=IMAGE, goal="<= 100"),
    Known(
        id="image-differences",
        what="... files of its archive that differ when it is built again from the same sources",
        unit="",
        command=IMAGE,
        goal="<= 0",
    ),
)
