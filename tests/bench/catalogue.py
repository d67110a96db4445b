"""Every published figure: what it is, and what it should be."""

from __future__ import annotations

from tests.bench.known_contest import CONTEST
from tests.bench.known_costs import COSTS
from tests.bench.known_faults import FAULTS
from tests.bench.known_partitions import PARTITIONS
from tests.bench.known_release import RELEASE

CATALOGUE = (*COSTS, *FAULTS, *PARTITIONS, *CONTEST, *RELEASE)

BY_ID = {known.id: known for known in CATALOGUE}
