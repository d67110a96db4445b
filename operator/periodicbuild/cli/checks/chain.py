"""Every check of the doctor, in the order in which a cause comes before what follows from it.

The one idea a newcomer would miss: a check is added by its import and one entry here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from periodicbuild.cli.checks import (
    definitions,
    leader,
    mail_server,
    operator_rights,
    own_rights,
    policies,
    running,
    zones,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient

    Check = Callable[[Patient], Iterator[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    definitions.check,
    policies.check,
    own_rights.check,
    operator_rights.check,
    running.check,
    leader.check,
    zones.check,
    mail_server.check,
)


def examine(patient: Patient) -> list[Finding]:
    """Make every check; raises KubeError if the API server stops answering."""
    return [finding for check in CHECKS for finding in check(patient)]
